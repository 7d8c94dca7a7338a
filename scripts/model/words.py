"""The student's tokenisation, the same as src/embedder/word-pieces.ts: words first, then greedy word pieces.

A text is NFKD-normalised and U+0300–U+036F are removed. A word is a maximal run of characters of the vocabulary's
alphabet; all other characters separate words. A lower-cased word in the vocabulary is one token; other words are cut at
camel-case humps, and each part into the longest pieces from the left. Words over 100 characters are dropped, and so is
a part that no pieces cover.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONGEST_WORD = 100
HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[^A-Z]+")


class Words:
    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.ids = {token: index for index, token in enumerate(vocabulary)}
        alphabet = {token.removeprefix("##") for token in vocabulary if len(token.removeprefix("##")) == 1}
        assert alphabet == {c for token in vocabulary for c in token.removeprefix("##")}
        self.alphabet = alphabet | {c.upper() for c in alphabet if len(c.upper()) == 1}
        self.longest = max(len(token.removeprefix("##")) for token in vocabulary)
        self.pattern = re.compile("[" + "".join(re.escape(c) for c in sorted(self.alphabet)) + "]+")
        self.known: dict[str, list[int]] = {}

    def pieces(self, part: str) -> list[int]:
        out, start = [], 0
        while start < len(part):
            for end in range(min(len(part), start + self.longest), start, -1):
                piece = part[start:end] if start == 0 else "##" + part[start:end]
                index = self.ids.get(piece)
                if index is not None:
                    out.append(index)
                    start = end
                    break
            else:
                return []
        return out

    def word(self, word: str) -> list[int]:
        lower = word.lower()
        index = self.ids.get(lower)
        if index is not None:
            return [index]
        if len(word) > LONGEST_WORD:
            return []
        return [index for part in HUMPS.findall(word) for index in self.pieces(part.lower())]

    def plain_words(self, text: str) -> list[str]:
        if not text.isascii():
            text = re.sub("[\u0300-\u036f]+", "", unicodedata.normalize("NFKD", text))
        return self.pattern.findall(text)

    def parts(self, text: str) -> list[str]:
        """Words of the vocabulary, and the parts of others that pieces cover, in lower case."""
        out: list[str] = []
        for word in self.plain_words(text):
            if word.lower() in self.ids:
                out.append(word.lower())
            elif len(word) <= LONGEST_WORD:
                out += [part.lower() for part in HUMPS.findall(word) if self.pieces(part.lower())]
        return out

    def encode(self, text: str) -> list[int]:
        out: list[int] = []
        for word in self.plain_words(text):
            found = self.known.get(word)
            if found is None:
                found = self.word(word)
                if len(self.known) < 500_000:
                    self.known[word] = found
            out += found
        return out
