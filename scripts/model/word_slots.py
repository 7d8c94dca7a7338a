"""The hashed part of a vector, the same as src/embedder/word-slots.ts: which words a text has."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from words import Words

BLOCK, SLOTS, BLOCKS, SEED = 256, 4, 2, 3
COMMONNESS, UNRANKED = 3.5, 30_000
MASK = 0xFFFFFFFF
SUFFIXES = (("ies", 5, "y"), ("sses", 6, "ss"), ("ing", 6, ""), ("edly", 7, ""), ("ed", 5, ""), ("ly", 5, ""), ("es", 5, ""), ("s", 4, ""))


def stem(word: str) -> str:
    """A light English stemmer: plurals, -ed, -ing, -ly, a last e, a doubled last consonant. Other words stay."""
    if not "a" <= word[-1] <= "z":
        return word
    for suffix, least, put in SUFFIXES:
        if word.endswith(suffix) and len(word) >= least and not (put == "" and word.endswith("ss")):
            word = word[: -len(suffix)] + put
            break
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word


def fnv1a(text: str) -> int:
    value = 0x811C9DC5
    for character in text:
        value = ((value ^ ord(character)) * 0x01000193) & MASK
    return value


def mix(value: int) -> int:
    value = ((value ^ value >> 16) * 0x85EBCA6B) & MASK
    value = ((value ^ value >> 13) * 0xC2B2AE35) & MASK
    return value ^ value >> 16


def binary_logarithm(value: int) -> float:
    power = value.bit_length() - 1
    return power + (value / 2**power - 1)


class Slots:
    def __init__(self, words: Words) -> None:
        self.words = words
        self.known: dict[str, tuple[list[int], list[float]]] = {}

    def weight(self, word: str, stemmed: str) -> float:
        ranks = self.words.ids
        rank = min(ranks.get(form, UNRANKED) for form in (word, stemmed, f"{stemmed}e", f"{stemmed}s", f"{stemmed}ed"))
        return ((COMMONNESS + binary_logarithm(rank + 1)) / (COMMONNESS + binary_logarithm(UNRANKED + 1))) ** 2

    def slots(self, word: str) -> tuple[list[int], list[float]]:
        found = self.known.get(word)
        if found is None:
            stemmed = stem(word)
            base, weight = fnv1a(stemmed), self.weight(word, stemmed)
            signs = mix(base ^ (0x9E3779B9 * (SEED + 1) & MASK))
            places, amounts = [], []
            for block in range(BLOCKS):
                mixed = mix((base + 0x85EBCA77 * (block + 1) + 0xC2B2AE3D * SEED) & MASK)
                for slot in range(SLOTS):
                    places.append(block * BLOCK + (mixed >> 8 * slot & 255))
                    amounts.append(weight if signs >> (block * SLOTS + slot) & 1 else -weight)
            found = self.known[word] = (places, amounts)
        return found

    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """For each block, a row a text."""
        out = np.zeros((len(texts), BLOCKS * BLOCK))
        for row, text in enumerate(texts):
            for word, count in Counter(self.words.parts(text)).items():
                places, amounts = self.slots(word)
                np.add.at(out[row], places, np.array(amounts) * math.sqrt(count))
        return np.split(out, BLOCKS, axis=1)
