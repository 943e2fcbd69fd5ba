"""Kill an import again and again, run it again each time, and count what was lost: nothing may be.

    python -m benchmarks.crash --kills 20 --seed 1 [PATHS]

Every round has an archive of its own. The import is killed (kill -9, the parent alone) at a random
moment of the time that a whole one takes; its reading processes must end by themselves. Then the
same import is run to its end, and its records are compared with those of an import that nobody
killed: each must be there once, with the same pages, fields and title, be found by a word that
stands on it, and ``digitize check --full`` must say that all is well. Ends with 1 on any loss.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from search.index import Filters
from tests.faults.house import ROOT, House, until

ORPHANS_END_S = 3.0
_WHOLE_S = 3600
Records = dict[tuple[str, int], Any]


@dataclass(frozen=True)
class Round:
    """One kill and what came of it."""

    at_s: float
    files: int
    pages: int
    orphans_s: float
    faults: list[str]


def main() -> int:
    """Kill imports as asked; return 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT / "scans" / "samples"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    moments = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        drawer = copy(asked.paths, folder / "drawer")
        order = ("import", drawer, "--json", "--batch", "drawer", "--workers", asked.workers)
        whole = House(folder / "whole")
        began = time.monotonic()
        code = whole.run(*order, timeout=_WHOLE_S).code
        took = time.monotonic() - began
        expected = records_of(whole)
        print(f"Whole: {len(expected)} records in {took:.1f} s, exit code {code}.")
        rounds = []
        for number in range(1, asked.kills + 1):
            house = House(folder / f"round-{number}")
            rounds.append(kill_once(house, order, moments.uniform(0.0, took), code, expected))
            show(number, rounds[-1])
            shutil.rmtree(house.folder)
        return verdict(rounds, unchanged(asked.paths, drawer))


def copy(paths: list[Path], drawer: Path) -> Path:
    """Copy what is to be imported, so that the import's own sources are ours to look at."""
    for number, path in enumerate(paths):
        target = drawer / str(number) / path.name
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    return drawer


def kill_once(
    house: House, order: tuple[object, ...], at_s: float, code: int, expected: Records
) -> Round:
    """Kill one import, run it again, and say what is wrong with what is there then."""
    process = house.start(*order)
    try:
        process.wait(at_s)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    began = time.monotonic()
    faults = []
    if not until(lambda: not house.processes(), ORPHANS_END_S):
        faults.append(f"processes {house.processes()} outlived their parent")
    orphans_s = time.monotonic() - began
    process.communicate()
    files, pages = progress(house)
    again = house.run(*order, timeout=_WHOLE_S)
    if again.code != code:
        faults.append(f"the second import ended with {again.code}: {again.err.strip()[-200:]}")
    faults += differences(expected, records_of(house))
    checked = house.run("check", "--full", timeout=_WHOLE_S)
    if checked.code:
        faults.append(f"check --full: {checked.out.strip()[:300]}")
    return Round(at_s, files, pages, orphans_s, faults + not_found(house))


def progress(house: House) -> tuple[int, int]:
    """Return how many files were accepted and how many pages read when the import was killed."""
    if not (house.archive / ".digitize-archive").exists():
        return 0, 0
    return (
        house.rows("SELECT count(*) FROM originals")[0][0],
        house.rows("SELECT count(*) FROM pages")[0][0],
    )


def records_of(house: House) -> Records:
    """Return every record as it matters to people, by its file's SHA-256 and its part."""
    found: Records = {}
    with house.opened() as installation:
        store = installation.store
        for record in store.documents(store.system_viewer("crash")):
            pages = [
                (p.number, p.state, p.blank, p.image, [line.text for line in lines])
                for p in store.pages(record.id)
                for lines in [store.lines(record.id, p.number)]
            ]
            fields = [(f.name, f.value, f.status) for f in store.fields(record.id)]
            about = (record.title, record.form, record.date, record.status, record.department)
            key = (record.sha256, record.part)
            found.setdefault(key, []).append((about, pages, fields))
    return found


def differences(expected: Records, found: Records) -> list[str]:
    """Say which records were lost, doubled, added or came out otherwise."""
    faults = []
    for key, wanted in expected.items():
        got = found.get(key, [])
        if not got:
            faults.append(f"lost: {key}")
        elif len(got) > 1:
            faults.append(f"there {len(got)} times: {key}")
        elif got != wanted:
            faults.append(f"otherwise: {key}")
    return faults + [f"nobody handed in: {key}" for key in found.keys() - expected.keys()]


def not_found(house: House) -> list[str]:
    """Name the records that a search for the longest word on them does not find."""
    faults = []
    with house.opened() as installation:
        store, finder = installation.store, installation.finder
        viewer = store.system_viewer("crash")
        for record in store.documents(viewer):
            words = [
                word.text
                for page in store.pages(record.id)
                for line in store.lines(record.id, page.number)
                for word in line.words
                if word.text.isascii() and word.text.isalnum()
            ]
            if words:
                longest = max(words, key=len)
                found = finder.search(longest, viewer, Filters(), limit=1000)
                if record.id not in {hit.document_id for hit in found.hits}:
                    faults.append(f"record {record.id} is not found by '{longest}'")
    return faults


def unchanged(paths: list[Path], drawer: Path) -> bool:
    """Say whether the sources are still what they were, byte for byte."""
    before = sorted(_hashes(path) for path in paths)
    after = sorted(_hashes(place / path.name) for place, path in zip(
        sorted(drawer.iterdir(), key=lambda p: int(p.name)), paths, strict=True
    ))  # fmt: skip
    return before == after


def _hashes(path: Path) -> list[tuple[str, str]]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [(f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files]


def show(number: int, done: Round) -> None:
    """Say how one round went, as soon as it is over."""
    said = "; ".join(done.faults) or "nothing lost"
    print(f"{number:>3}  killed at {done.at_s:5.1f} s: {said}", flush=True)


def verdict(rounds: list[Round], sources_unchanged: bool) -> int:
    """Print the table and the verdict; return the exit code."""
    rows = [
        (n, f"{r.at_s:.2f}", r.files, r.pages, f"{r.orphans_s:.1f}", len(r.faults))
        for n, r in enumerate(rounds, 1)
    ]
    heads = ("kill", "at s", "files in", "pages read", "orphans gone after s", "faults")
    print("\n" + tabulate(rows, heads))
    faults = sum(len(r.faults) for r in rounds) + (not sources_unchanged)
    if not sources_unchanged:
        print("The sources were changed.")
    print(f"\n{len(rounds)} kills, {faults} faults: " + ("LOSS" if faults else "nothing was lost."))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
