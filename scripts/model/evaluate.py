"""nDCG@10 of a model alone, of BM25, and of both fused, on held-out pairs or on collections in BEIR form.

Usage: evaluate.py WORKDIR MODEL [COLLECTION-FOLDER ...]. Without folders, the held-out pairs of pairs.py.
MODEL is rows of train.py (.npz) or a model file (.bin).
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from pairs import cloze, load
from student import bags, load_rows, unit
from word_slots import Slots, stem
from words import Words

STOP = set("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split())


def terms(text: str) -> list[str]:
    return [stem(w) for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in STOP]


class Bm25:
    def __init__(self, texts: list[str], k1: float = 1.2, b: float = 0.75) -> None:
        self.ids: dict[str, int] = {}
        rows, columns, counts = [], [], []
        for row, text in enumerate(texts):
            for term, count in Counter(terms(text)).items():
                rows.append(row)
                columns.append(self.ids.setdefault(term, len(self.ids)))
                counts.append(count)
        tf = np.array(counts, dtype=np.float64)
        row, column = np.array(rows), np.array(columns)
        length = np.bincount(row, tf, len(texts))
        df = np.bincount(column, minlength=len(self.ids))
        idf = np.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
        weight = idf[column] * tf / (tf + k1 * (1 - b + b * length[row] / max(length.mean(), 1e-9)))
        self.matrix = sp.csc_matrix((weight, (row, column)), shape=(len(texts), len(self.ids)))

    def scores(self, query: str) -> np.ndarray:
        columns = [self.ids[t] for t in terms(query) if t in self.ids]
        return np.asarray(self.matrix[:, columns].sum(1)).ravel() if columns else np.zeros(self.matrix.shape[0])


def ndcg(ranked: np.ndarray, relevant: dict[int, float], k: int = 10) -> float:
    gain = sum(relevant.get(int(d), 0) / math.log2(i + 2) for i, d in enumerate(ranked[:k]))
    ideal = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(relevant.values(), reverse=True)[:k]))
    return gain / ideal if ideal else 0.0


def top(scores: np.ndarray, k: int) -> np.ndarray:
    k = min(k, len(scores))
    part = np.argpartition(-scores, k - 1)[:k]
    return part[np.lexsort((part, -scores[part]))]


def spread(scores: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Min-max over the found ones, 0 for the others."""
    out = np.zeros(len(scores))
    if len(found):
        values = scores[found]
        out[found] = (values - values.min()) / (values.max() - values.min()) if values.max() > values.min() else 1.0
    return out


def with_words(slots: Slots, texts: list[str], meaning: np.ndarray) -> np.ndarray:
    """The vectors of 768 components that the library gives: meaning, and two blocks of word slots at a length of √½ each."""
    blocks = slots.encode(texts)
    parts = [meaning, *(unit(block)[0] * 0.5**0.5 for block in blocks)]
    return unit(np.hstack(parts).astype(np.float32))[0]


def compare(words: Words, models: dict[str, np.ndarray], texts: list[str], queries: list[str], relevant: list[dict[int, float]], weights: tuple[float, ...]) -> dict[str, float]:
    """Mean nDCG@10 of each line."""
    total: Counter[str] = Counter()
    lexical = Bm25(texts)
    text_bags, query_bags = bags(words, texts), bags(words, queries)
    vectors = {name: (unit(text_bags @ rows)[0], unit(query_bags @ rows)[0]) for name, rows in models.items()}
    if "256" in vectors:
        slots = Slots(words)
        vectors["768"] = tuple(with_words(slots, *part) for part in zip((texts, queries), vectors["256"]))
    for at, query in enumerate(queries):
        bm25 = lexical.scores(query)
        first = top(bm25, 100)
        first = first[bm25[first] > 0]
        total["bm25"] += ndcg(first, relevant[at])
        for name, (documents, asked) in vectors.items():
            cosine = documents @ asked[at]
            second = top(cosine, 100)
            total[name] += ndcg(second, relevant[at])
            lex, dense = spread(bm25, first), spread(cosine, second)
            for weight in weights:
                total[f"{name}+bm25 {weight}"] += ndcg(top((1 - weight) * lex + weight * dense, 10), relevant[at])
            rrf = np.zeros(len(texts))
            rrf[first] += 1 / (10 + 1 + np.arange(len(first)))
            rrf[second] += 0.3 / (10 + 1 + np.arange(len(second)))
            total[f"{name}+bm25 rrf10 .3"] += ndcg(top(rrf, 10), relevant[at])
    return {name: value / len(queries) for name, value in total.items()}


def held_out_tasks(work: Path, per_kind: int = 400, size: int = 6000) -> dict[str, tuple]:
    """For each kind, queries against all bodies of the held-out pairs of the kind."""
    _, held = load(work)
    tasks = {}
    held += cloze(held, 7)
    for kind in ("heading", "cloze", "lead", "doc-code", "name-doc", "gloss"):
        pairs = [pair for pair in held if pair[0] == kind]
        random.Random(7).shuffle(pairs)
        pairs = pairs[:size]
        texts = list(dict.fromkeys(pair[3] for pair in pairs))
        at = {text: index for index, text in enumerate(texts)}
        asked = pairs[:per_kind]
        tasks[kind] = (texts, [pair[2] for pair in asked], [{at[pair[3]]: 1.0} for pair in asked])
    return tasks


def collection(folder: Path) -> tuple:
    texts, at = [], {}
    with gzip.open(folder / "corpus.jsonl.gz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            at[row["_id"]] = len(texts)
            texts.append(f"{row.get('title', '')} {row['text']}".strip())
    asked = {row["_id"]: row["text"] for row in map(json.loads, (folder / "queries.jsonl").open())}
    judged: dict[str, dict[int, float]] = {}
    for line in next((folder / "qrels").glob("*.tsv")).read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        if float(score) > 0:
            judged.setdefault(query, {})[at[document]] = float(score)
    return texts, [asked[q] for q in judged], list(judged.values())


def show(results: dict[str, dict[str, float]]) -> None:
    names = list(next(iter(results.values())))
    print(f"{'':28}" + "".join(f"{task[:9]:>10}" for task in results) + f"{'mean':>10}")
    for name in names:
        values = [result[name] for result in results.values()]
        print(f"{name:28}" + "".join(f"{100 * v:10.2f}" for v in [*values, sum(values) / len(values)]))


def main() -> None:
    work = Path(sys.argv[1])
    words = Words((work / "vocabulary.txt").read_text("utf8").splitlines())
    rows = load_rows(Path(sys.argv[2]))
    if sys.argv[3:]:
        tasks = {Path(folder).name: collection(Path(folder)) for folder in sys.argv[3:]}
        models = {"256": rows, "128": rows[:, :128], "64": rows[:, :64]}
    else:
        tasks, models = held_out_tasks(work), {"256": rows}
    show({name: compare(words, models, *task, weights=(0.1, 0.2, 0.3, 0.4, 0.5)) for name, task in tasks.items()})


if __name__ == "__main__":
    main()
