"""Lists what a code collection holds, so that training leaves it out: signatures of functions and starts of docstrings.

Usage: exclude.py WORKDIR COLLECTION.jsonl.gz. Reads the collection for nothing else; what it writes stays in WORKDIR.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

from pairs import opening, signature


def main() -> None:
    found: set[str] = set()
    with gzip.open(sys.argv[2], "rt") as lines:
        for line in lines:
            code = json.loads(line)["text"]
            found.add(signature(code))
            found.update(opening(doc) for doc in re.findall(r'(?:"""|\'\'\')(.*?)(?:"""|\'\'\'|$)', code, re.S))
    (Path(sys.argv[1]) / "excluded.txt").write_text("\n".join(sorted(found - {""})) + "\n")


if __name__ == "__main__":
    main()
