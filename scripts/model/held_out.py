"""Writes the held-out pairs as collections in BEIR form, one for each kind of pair.

Usage: held_out.py WORKDIR FOLDER. WORKDIR is what fetch.py and texts.py leave. On these collections the dense weight of the
hybrid is chosen: npm run eval:retrieval -- --development FOLDER.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from evaluate import held_out_tasks


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf8")


def main() -> None:
    work, target = Path(sys.argv[1]), Path(sys.argv[2])
    for kind, (texts, queries, relevant) in held_out_tasks(work).items():
        rows = [{"_id": f"d{at}", "title": "", "text": text, "metadata": {}} for at, text in enumerate(texts)]
        write(target / kind / "corpus.jsonl", [json.dumps(row) for row in rows])
        asked = [{"_id": f"q{at}", "text": text} for at, text in enumerate(queries)]
        write(target / kind / "queries.jsonl", [json.dumps(row) for row in asked])
        judged = [f"q{at}\td{d}\t{grade:g}" for at, grades in enumerate(relevant) for d, grade in grades.items()]
        write(target / kind / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", *judged])


if __name__ == "__main__":
    main()
