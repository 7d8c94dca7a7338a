"""Reads WORKDIR/pairs.jsonl as training and held-out pairs.

Held out, for choosing settings: the sources named in sources.json, and one in 25 of the WordNet and Gene Ontology
pairs. `WORKDIR/excluded.txt`, when present, lists signatures and openings of functions that must not be trained on,
because a test collection holds them (exclude.py writes it).
"""

from __future__ import annotations

import json
import random
import re
import zlib
from pathlib import Path

HERE = Path(__file__).parent
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
Pair = tuple[str, str, str, str]


def signature(code: str) -> str:
    found = re.search(r"def\s+\w+\s*\([^)]*\)", code)
    return re.sub(r"\s+", "", found[0]) if found else ""


def opening(text: str) -> str:
    """The first 40 letters and digits; empty for a shorter text."""
    letters = "".join(c for c in text[:120].lower() if c.isalnum())
    return letters[:40] if len(letters) >= 40 else ""


def exclusions(work: Path) -> set[str]:
    path = work / "excluded.txt"
    return set(path.read_text().splitlines()) if path.exists() else set()


def cloze(pairs: list[Pair], seed: int) -> list[Pair]:
    """Up to two sentences of each long body, each with the rest of the body: queries on long passages."""
    rng = random.Random(seed)
    out: list[Pair] = []
    for kind, source, _, body in pairs:
        if kind not in ("heading", "lead") or len(body) < 400:
            continue
        sentences = SENTENCE.split(body)
        fit = [at for at, sentence in enumerate(sentences) if 40 <= len(sentence) <= 250]
        for at in rng.sample(fit, min(2, len(fit))):
            rest = " ".join(sentences[:at] + sentences[at + 1 :])
            if len(rest) > 300:
                out.append(("cloze", source, sentences[at], rest))
    return out


def load(work: Path) -> tuple[list[Pair], list[Pair]]:
    """Training pairs and held-out pairs, in file order."""
    held_sources = set(json.loads((HERE / "sources.json").read_text())["held_out"])
    excluded = exclusions(work)
    train: list[Pair] = []
    held: list[Pair] = []
    dropped = 0
    for line in (work / "pairs.jsonl").open():
        kind, source, a, b = json.loads(line)
        if excluded and ({signature(b) if kind == "doc-code" else "", opening(a), opening(b)} - {""}) & excluded:
            dropped += 1
            continue
        by_meaning = kind == "gloss" and zlib.crc32((b if source == "wordnet" else a).encode()) % 25 == 0
        (held if source in held_sources or by_meaning else train).append((kind, source, a, b))
    print(f"{len(train)} training pairs, {len(held)} held out, {dropped} excluded", flush=True)
    return train, held
