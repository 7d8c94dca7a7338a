"""Writes the shipped model file from trained rows: int8 rows with a scale each. The format is in src/embedder/static-model.ts.

Usage: export.py WORKDIR TARGET.bin ROWS [ROWS ...]. ROWS is rows of train.py (.npz) or an older model file (.bin).
Rows of several trainings from one start are averaged. All directions are then given the same spread.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
from student import load_rows, quantize, whitened

MOST_BYTES = 8_000_000


def checksum(payload: bytes) -> int:
    """FNV-1a over little-endian 32-bit words."""
    value = 0x811C9DC5
    for word in np.frombuffer(payload, dtype="<u4").tolist():
        value = ((value ^ word) * 0x01000193) & 0xFFFFFFFF
    return value


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def main() -> None:
    work, target = Path(sys.argv[1]), Path(sys.argv[2])
    trained = [load_rows(Path(path)) for path in sys.argv[3:]]
    rows = whitened(sum(part / np.linalg.norm(part, axis=1).mean() for part in trained) / len(trained))
    vocabulary = (work / "vocabulary.txt").read_text("utf8").splitlines()
    assert len(vocabulary) == len(rows)
    values, scales = quantize(rows)
    words = padded("\n".join(vocabulary).encode())
    payload = words + scales.astype("<f4").tobytes() + padded(values.tobytes())
    fields = (1, len(rows), rows.shape[1], len(words), checksum(payload), 0)
    header = b"GLSTATIC" + np.array(fields, dtype="<u4").tobytes() + hashlib.sha256(payload).digest()
    content = header + payload
    assert len(header) == 64 and len(content) <= MOST_BYTES, len(content)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    print(f"{target} {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
