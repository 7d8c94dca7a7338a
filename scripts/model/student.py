"""The student: one row a token, a text is the sum of sqrt(count) x row over its distinct tokens, at length 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp
from words import Words

DIMENSIONS = (256, 128, 64)


def load_rows(path: Path) -> np.ndarray:
    """Rows that train.py wrote, or those of a model file with their scales."""
    if path.suffix == ".npz":
        return np.load(path)["rows"].astype(np.float32)
    content = path.read_bytes()
    rows, dimensions, words = (int(field) for field in np.frombuffer(content, "<u4", 3, 12))
    scales = np.frombuffer(content, "<f4", rows, 64 + words)
    return np.frombuffer(content, "i1", rows * dimensions, 64 + words + 4 * rows).reshape(rows, dimensions) * scales[:, None]


def bags(words: Words, texts: list[str], longest: int = 100_000) -> sp.csr_matrix:
    """A row of sqrt(count) for each text."""
    indptr, indices, counts = [0], [], []
    for text in texts:
        found: dict[int, int] = {}
        for index in words.encode(text)[:longest]:
            found[index] = found.get(index, 0) + 1
        indices += found.keys()
        counts += found.values()
        indptr.append(len(indices))
    data = np.sqrt(np.array(counts, dtype=np.float32))
    return sp.csr_matrix((data, np.array(indices, dtype=np.int32), np.array(indptr, dtype=np.int64)), shape=(len(texts), len(words.ids)))


def whitened(rows: np.ndarray) -> np.ndarray:
    """The rows turned so that texts spread evenly over all directions.

    The second moment of the rows, each weighing 1 / sqrt(rank), becomes a multiple of the identity. Rows are in the order
    of frequency. The turn is symmetric, so that the first components stay the ones that carry most.
    """
    weight = 1 / np.sqrt(np.arange(1, len(rows) + 1, dtype=np.float64))
    values, directions = np.linalg.eigh((rows * weight[:, None]).T @ rows / weight.sum())
    spread = np.sqrt(values)
    return (rows @ (directions * (spread.mean() / spread)) @ directions.T).astype(np.float32)


def unit(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows at length 1, and their former lengths."""
    length = np.linalg.norm(x, axis=1, keepdims=True) + 1e-9
    return x / length, length


def unit_gradient(y: np.ndarray, length: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    return (gradient - y * (gradient * y).sum(1, keepdims=True)) / length


def quantize(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 rows and a float32 scale each."""
    scale = np.abs(rows).max(1) / 127
    scale[scale == 0] = 1
    return np.clip(np.rint(rows / scale[:, None]), -127, 127).astype(np.int8), scale.astype(np.float32)


class LazyAdam:
    """Adam over the rows that a step touches."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows
        self.mean = np.zeros_like(rows)
        self.square = np.zeros_like(rows)
        self.steps = np.zeros(len(rows), dtype=np.float32)

    def step(self, bag: sp.csr_matrix, gradient: np.ndarray, rate: float) -> None:
        touched, columns = np.unique(bag.indices, return_inverse=True)
        small = sp.csr_matrix((bag.data, columns.astype(np.int32), bag.indptr), shape=(bag.shape[0], len(touched)))
        g = small.T.tocsr() @ gradient
        self.steps[touched] += 1
        n = self.steps[touched][:, None]
        mean = 0.9 * self.mean[touched] + 0.1 * g
        square = 0.99 * self.square[touched] + 0.01 * g * g
        self.mean[touched], self.square[touched] = mean, square
        self.rows[touched] -= rate * (mean / (1 - 0.9**n)) / (np.sqrt(square / (1 - 0.99**n)) + 1e-8)
