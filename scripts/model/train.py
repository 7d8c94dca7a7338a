"""Trains the student from the distilled rows: the teacher's sentence vectors first, then pairs, both contrastive.

Usage: train.py WORKDIR OUT.npz [--teacher-steps N] [--pair-steps N] [--start FILE.npz] [--hard FILE.npy]
Plain NumPy; gradients by hand. Every loss is summed over 256, 128 and 64 dimensions (Matryoshka).
"""

from __future__ import annotations

import argparse
import random
import re
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, load_npz, save_npz, vstack
from pairs import Pair, load
from student import DIMENSIONS, LazyAdam, bags, unit, unit_gradient
from words import Words

SEED = 20261122
SHARE = {256: 1.0, 128: 0.5, 64: 0.25}


def softmax(logits: np.ndarray) -> np.ndarray:
    weight = np.exp(logits - logits.max(1, keepdims=True))
    return weight / weight.sum(1, keepdims=True)


def against_targets(x: np.ndarray, targets: np.ndarray, heat: float) -> tuple[float, np.ndarray]:
    """InfoNCE of student vectors against the teacher's of the same texts, plus 1 - cosine; the gradient for `x`."""
    loss, gradient = 0.0, np.zeros_like(x)
    for d in DIMENSIONS:
        y, length = unit(x[:, :d])
        t = unit(targets[:, :d])[0]
        p = softmax(y @ t.T / heat)
        n = len(x)
        loss -= SHARE[d] * float(np.log(p[np.arange(n), np.arange(n)] + 1e-12).mean())
        p[np.arange(n), np.arange(n)] -= 1
        g = p @ t / (heat * n) - t / n
        gradient[:, :d] += SHARE[d] * unit_gradient(y, length, g)
    return loss, gradient


def against_each_other(q: np.ndarray, b: np.ndarray, q_groups: np.ndarray, b_groups: np.ndarray, heat: float) -> tuple[float, np.ndarray, np.ndarray]:
    """InfoNCE of queries against bodies, both ways; row i of `b` belongs to row i of `q`, further rows are negatives.

    A body of the query's own group (the same text in another pair) is no negative.
    """
    loss, gq, gb = 0.0, np.zeros_like(q), np.zeros_like(b)
    n = len(q)
    at = np.arange(n)
    for d in DIMENSIONS:
        yq, lq = unit(q[:, :d])
        yb, lb = unit(b[:, :d])
        logits = yq @ yb.T / heat
        logits[q_groups[:, None] == b_groups[None, :]] = -1e4
        logits[at, at] = (yq * yb[:n]).sum(1) / heat
        p = softmax(logits)
        loss -= SHARE[d] * float(np.log(p[at, at] + 1e-12).mean())
        p[at, at] -= 1
        back = softmax(logits[:, :n].T)
        back[at, at] -= 1
        both = p
        both[:, :n] += 0.5 * back.T
        both /= heat * n
        gq[:, :d] += SHARE[d] * unit_gradient(yq, lq, both @ yb)
        gb[:, :d] += SHARE[d] * unit_gradient(yb, lb, both.T @ yq)
    return loss, gq, gb


def asked(pair: Pair, rng: random.Random) -> str:
    """The query side as people type queries: sometimes fewer words, for code with the language's name."""
    kind, _, text, _ = pair
    if kind == "doc-code" and rng.random() < 0.4:
        text = re.sub(r"[`:.*]+", " ", text)
        text = f"python {text}" if rng.random() < 0.5 else f"{text} in python"
        if rng.random() < 0.3:
            text = f"how to {text}"
    parts = text.split()
    if len(parts) > 4 and rng.random() < 0.4:
        kept = [part for part in parts if rng.random() > 0.25]
        text = " ".join(kept) or text
    return text


def batches(train: list[Pair], size: int, rng: random.Random):
    """Endless batches; each is eight runs of one source and kind, so that its negatives are near."""
    share = {"heading": 1.6, "lead": 1.0, "doc-code": 1.2, "name-doc": 0.7, "gloss": 0.8}
    by_source: dict[tuple[str, str], list[int]] = {}
    for index, pair in enumerate(train):
        by_source.setdefault((pair[0], pair[1]), []).append(index)
    run = size // 8
    while True:
        runs: list[list[int]] = []
        for (kind, _), members in by_source.items():
            pool = members[:]
            rng.shuffle(pool)
            pool = pool[: max(1, int(len(pool) * min(1.0, share[kind])))] + (pool[: int(len(pool) * (share[kind] - 1))] if share[kind] > 1 else [])
            runs += [pool[start : start + run] for start in range(0, len(pool), run)]
        rng.shuffle(runs)
        flat = [index for part in runs for index in part]
        for start in range(0, len(flat) - size, size):
            yield flat[start : start + size]


def cached(path: Path, build) -> csr_matrix:
    if not path.exists():
        save_npz(path, build(), compressed=False)
    return load_npz(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--teacher-steps", type=int, default=0)
    parser.add_argument("--pair-steps", type=int, default=0)
    parser.add_argument("--teacher-every", type=int, default=3, help="one teacher batch after so many pair batches")
    parser.add_argument("--start", type=Path)
    parser.add_argument("--hard", type=Path)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--teacher-rate", type=float, default=3e-3)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--heat", type=float, default=0.05)
    parser.add_argument("--shards", type=int, default=10_000)
    options = parser.parse_args()
    work: Path = options.work
    rng = random.Random(SEED)
    words = Words((work / "vocabulary.txt").read_text("utf8").splitlines())
    first = np.load(work / "distilled.npz")
    rows = np.load(options.start)["rows"].astype(np.float32) if options.start else first["rows"] / np.linalg.norm(first["rows"], axis=1).mean()
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    adam = LazyAdam(rows)

    texts: list[str] = []
    vectors = []
    for shard in sorted((work / "teacher").glob("*.npz"))[: options.shards]:
        data = np.load(shard, allow_pickle=True)
        texts += list(data["texts"])
        vectors.append(data["vectors"].astype(np.float32))
    teacher = np.concatenate(vectors)
    targets = (teacher - teacher.mean(0)) @ first["projection"].astype(np.float32)
    text_bags = bags(words, texts)
    print(f"{len(texts)} teacher texts", flush=True)

    def teacher_step(rate: float) -> float:
        pick = np.array([rng.randrange(len(texts)) for _ in range(options.batch)])
        bag = text_bags[pick]
        loss, gradient = against_targets(bag @ adam.rows, targets[pick], 0.07)
        adam.step(bag, gradient, rate)
        return loss

    started = time.time()
    for step in range(options.teacher_steps):
        loss = teacher_step(options.teacher_rate * (1 - 0.9 * step / options.teacher_steps))
        if step % 100 == 0:
            print(f"teacher step {step} loss {loss:.3f} {time.time() - started:.0f}s", flush=True)

    if options.pair_steps:
        train, _ = load(work)
        bodies = cached(work / "bodies.npz", lambda: bags(words, [pair[3] for pair in train]))
        queries = cached(work / "queries.npz", lambda: bags(words, [asked(pair, rng) for pair in train]))
        group_of: dict[str, int] = {}
        groups = np.array([group_of.setdefault(pair[3][:80], len(group_of)) for pair in train])
        hard = np.load(options.hard) if options.hard else None
        print(f"pairs ready {time.time() - started:.0f}s", flush=True)
        feed = batches(train, options.batch, rng)
        running = 0.0
        for step in range(options.pair_steps):
            rate = options.rate * min(1.0, (step + 1) / 50) * (1 - 0.95 * step / options.pair_steps)
            pick = np.array(next(feed))
            with_hard = pick
            if hard is not None:
                extra = hard[pick, rng.randrange(hard.shape[1])]
                with_hard = np.concatenate([pick, extra[extra >= 0]])
            q_bag, b_bag = queries[pick], bodies[with_hard]
            loss, gq, gb = against_each_other(q_bag @ adam.rows, b_bag @ adam.rows, groups[pick], groups[with_hard], options.heat)
            adam.step(vstack([q_bag, b_bag], format="csr"), np.concatenate([gq, gb]), rate)
            running = 0.98 * running + 0.02 * loss if step else loss
            if step % options.teacher_every == 0:
                teacher_step(rate)
            if step % 100 == 0:
                print(f"pair step {step} loss {running:.3f} {time.time() - started:.0f}s", flush=True)
    np.savez(options.out, rows=adam.rows)


if __name__ == "__main__":
    main()
