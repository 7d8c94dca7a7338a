"""Trains the student from the distilled rows: the teacher's sentence vectors first, then pairs, both contrastive.

Usage: train.py WORKDIR OUT.npz [--teacher-steps N] [--pair-steps N] [--start FILE.npz] [--clusters]
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
from pairs import Pair, cloze, exclusions, load, opening, signature
from student import DIMENSIONS, LazyAdam, bags, unit, unit_gradient
from words import Words

SEED = 20261122
SAMPLED = {"heading": 1.0, "cloze": 1.0, "lead": 0.7, "doc-code": 0.7, "name-doc": 0.4, "gloss": 0.5}
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


def against_relations(x: np.ndarray, teacher: np.ndarray, heat: float) -> tuple[float, np.ndarray]:
    """Cross-entropy of the student's similarities of each text to the others against the teacher's; the gradient for `x`."""
    loss, gradient = 0.0, np.zeros_like(x)
    n = len(x)
    at = np.arange(n)
    wanted = teacher @ teacher.T
    wanted[at, at] = -1e4
    wanted = softmax(wanted / np.float32(heat))
    for d in DIMENSIONS:
        y, length = unit(x[:, :d])
        logits = y @ y.T / np.float32(heat)
        logits[at, at] = -1e4
        p = softmax(logits)
        loss -= SHARE[d] * float((wanted * np.log(p + 1e-9)).sum() / n)
        p -= wanted
        p += p.T.copy()
        gradient[:, :d] += unit_gradient(y, length, p @ y * np.float32(SHARE[d] / (heat * n)))
    return loss, gradient


def neighbourhoods(vectors: np.ndarray, noise: np.random.Generator, count: int, least: int) -> list[np.ndarray]:
    """The vectors by the nearest of `count` of them, so that a batch can hold texts that are hard to tell apart."""
    anchors = vectors[noise.choice(len(vectors), count, replace=False)].T.astype(np.float32)
    parts = [np.argmax(vectors[start : start + 8192].astype(np.float32) @ anchors, 1) for start in range(0, len(vectors), 8192)]
    nearest = np.concatenate(parts)
    return [members for members in (np.nonzero(nearest == anchor)[0] for anchor in range(count)) if len(members) >= least]


def against_each_other(q: np.ndarray, b: np.ndarray, q_groups: np.ndarray, b_groups: np.ndarray, heat: float) -> tuple[float, np.ndarray, np.ndarray]:
    """InfoNCE of queries against bodies, both ways; row i of `b` belongs to row i of `q`, further rows are negatives.

    A body of the query's own group (the same text in another pair) is no negative.
    """
    loss, gq, gb = 0.0, np.zeros_like(q), np.zeros_like(b)
    n = len(q)
    at = np.arange(n)
    same = q_groups[:, None] == b_groups[None, :]
    same[at, at] = False
    left_out = np.nonzero(same)
    for d in DIMENSIONS:
        yq, lq = unit(q[:, :d])
        yb, lb = unit(b[:, :d])
        # Cosines are at most 1, so one exponential serves the softmax of rows and of columns.
        e = yq @ yb.T
        e -= 1
        e *= np.float32(1 / heat)
        np.exp(e, out=e)
        e[left_out] = 0
        own, row, column = e[at, at], e.sum(1), e[:, :n].sum(0)
        loss -= SHARE[d] * float(np.log(own / row).mean())
        both = e / row[:, None]
        e[:, :n] *= 0.5 / column
        both[:, :n] += e[:, :n]
        both[at, at] -= 1.5
        both *= np.float32(SHARE[d] / (heat * n))
        gq[:, :d] += unit_gradient(yq, lq, both @ yb)
        gb[:, :d] += unit_gradient(yb, lb, both.T @ yq)
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
    """Endless batches of runs of 128 pairs of one source and kind, so that negatives are near."""
    share = {"heading": 1.6, "cloze": 2.0, "lead": 1.0, "doc-code": 0.8, "name-doc": 0.5, "gloss": 0.6}
    by_source: dict[tuple[str, str], list[int]] = {}
    for index, pair in enumerate(train):
        by_source.setdefault((pair[0], pair[1]), []).append(index)
    run = 128
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


def thinned(bag: csr_matrix, keep: float, noise: np.random.Generator) -> csr_matrix:
    """The bag with each token kept by chance: a table of token vectors memorises pairs within two epochs otherwise."""
    bag.data = bag.data * (noise.random(len(bag.data), dtype=np.float32) < keep)
    return bag


def cached(path: Path, build) -> csr_matrix:
    if not path.exists():
        save_npz(path, build(), compressed=False)
    return load_npz(path)


def clustered(train: list[Pair], bodies: csr_matrix, rows: np.ndarray, size: int, noise: np.random.Generator):
    """Endless batches of two runs of pairs whose bodies are near each other by the model so far: hard negatives."""
    keep = np.array([SAMPLED[pair[0]] for pair in train]) > noise.random(len(train))
    members = np.nonzero(keep)[0]
    vectors = np.concatenate([unit(bodies[members[start : start + 16384]] @ rows)[0].astype(np.float16) for start in range(0, len(members), 16384)])
    groups = [members[group] for group in neighbourhoods(vectors, noise, min(300, len(members) // (2 * size)), size // 2)]
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    while True:
        chosen = noise.choice(len(groups), 2, replace=False, p=sizes / sizes.sum())
        yield np.concatenate([noise.choice(groups[at], size // 2, replace=False) for at in chosen])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--teacher-steps", type=int, default=0)
    parser.add_argument("--pair-steps", type=int, default=0)
    parser.add_argument("--teacher-every", type=int, default=3, help="one teacher batch after so many pair batches")
    parser.add_argument("--start", type=Path)
    parser.add_argument("--clusters", action="store_true", help="batches of near bodies, by the start model")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--teacher-rate", type=float, default=3e-3)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--heat", type=float, default=0.05)
    parser.add_argument("--keep", type=float, default=0.6, help="chance of a body's token to be kept in a step")
    parser.add_argument("--shards", type=int, default=10_000)
    options = parser.parse_args()
    work: Path = options.work
    rng = random.Random(SEED)
    noise = np.random.default_rng(SEED)
    words = Words((work / "vocabulary.txt").read_text("utf8").splitlines())
    first = np.load(work / "distilled.npz")
    rows = np.load(options.start)["rows"].astype(np.float32) if options.start else first["rows"] / np.linalg.norm(first["rows"], axis=1).mean()
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    adam = LazyAdam(rows)

    texts: list[str] = []
    vectors = []
    excluded = exclusions(work)
    for shard in sorted((work / "teacher").glob("*.npz"))[: options.shards]:
        data = np.load(shard, allow_pickle=True)
        kept = [at for at, text in enumerate(data["texts"]) if opening(text) not in excluded and signature(text) not in excluded]
        texts += list(data["texts"][kept])
        vectors.append(data["vectors"][kept].astype(np.float32))
    teacher = np.concatenate(vectors)
    targets = (teacher - teacher.mean(0)) @ first["projection"].astype(np.float32)
    text_bags = bags(words, texts)
    print(f"{len(texts)} teacher texts", flush=True)

    near = neighbourhoods(teacher, noise, min(400, len(teacher) // 160), 64)

    def teacher_step(rate: float) -> float:
        groups = [near[rng.randrange(len(near))] for _ in range(options.batch // 64)]
        pick = np.unique(np.concatenate([noise.choice(members, 64, replace=False) for members in groups]))
        bag = text_bags[pick]
        x = bag @ adam.rows
        loss, gradient = against_targets(x, targets[pick], 0.07)
        more, relations = against_relations(x, teacher[pick], 0.05)
        adam.step(bag, gradient + relations, rate)
        return loss + more

    started = time.time()
    for step in range(options.teacher_steps):
        loss = teacher_step(options.teacher_rate * (1 - 0.9 * step / options.teacher_steps))
        if step % 100 == 0:
            print(f"teacher step {step} loss {loss:.3f} {time.time() - started:.0f}s", flush=True)

    if options.pair_steps:
        train, _ = load(work)
        bodies = cached(work / "bodies.npz", lambda: bags(words, [pair[3] for pair in train]))
        queries = cached(work / "queries.npz", lambda: bags(words, [asked(pair, rng) for pair in train]))
        passages = cloze(train, SEED)
        bodies = vstack([bodies, cached(work / "cloze-bodies.npz", lambda: bags(words, [pair[3] for pair in passages]))], format="csr")
        queries = vstack([queries, cached(work / "cloze-queries.npz", lambda: bags(words, [pair[2] for pair in passages]))], format="csr")
        train += passages
        group_of: dict[str, int] = {}
        groups = np.array([group_of.setdefault(pair[3][:80], len(group_of)) for pair in train])
        print(f"pairs ready {time.time() - started:.0f}s", flush=True)
        feed = clustered(train, bodies, adam.rows, options.batch, noise) if options.clusters else batches(train, options.batch, rng)
        running = 0.0
        for step in range(options.pair_steps):
            rate = options.rate * min(1.0, (step + 1) / 50) * (1 - 0.95 * step / options.pair_steps)
            pick = np.array(next(feed))
            q_bag, b_bag = thinned(queries[pick], 0.85, noise), thinned(bodies[pick], options.keep, noise)
            loss, gq, gb = against_each_other(q_bag @ adam.rows, b_bag @ adam.rows, groups[pick], groups[pick], options.heat)
            adam.step(vstack([q_bag, b_bag], format="csr"), np.concatenate([gq, gb]), rate)
            running = 0.98 * running + 0.02 * loss if step else loss
            if step % options.teacher_every == 0:
                teacher_step(rate)
            if step and step % 500 == 0:
                np.savez(options.out, rows=adam.rows)
            if step % 100 == 0:
                print(f"pair step {step} loss {running:.3f} {time.time() - started:.0f}s", flush=True)
    np.savez(options.out, rows=adam.rows)


if __name__ == "__main__":
    main()
