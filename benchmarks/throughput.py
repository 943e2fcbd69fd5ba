"""Pages per minute of the whole line, intake to index, against bare Tesseract.

    python -m benchmarks.throughput [PATH...] [--workers 1,2] [--rounds 1]

Each round imports the paths (the project's samples when none are given) into a fresh archive,
then runs bare ``tesseract`` with as many processes over the very page images that the import
cleaned and read. The ratio is ours / bare, of wall time and of CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.machine import ROOT, describe, digitize, installation_folder


@dataclass(frozen=True, slots=True)
class Round:
    """One import and one bare run with the same number of processes; times in seconds."""

    workers: int
    pages: int
    read_by_both: int
    ours_wall: float
    ours_cpu: float
    bare_wall: float
    bare_cpu: float


def cpu_of_children() -> float:
    """Return the CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def one_round(paths: list[Path], workers: int) -> Round:
    """Import into a fresh archive, then read the same cleaned pages with bare Tesseract."""
    with installation_folder() as folder:
        started, used = time.monotonic(), cpu_of_children()
        done = digitize(folder, "import", *map(str, paths), "--workers", str(workers), "--json")
        ours_wall, ours_cpu = time.monotonic() - started, cpu_of_children() - used
        if done.returncode not in (0, 3, 7):
            raise SystemExit(done.stderr)
        pages = int(json.loads(done.stdout)["pages"])
        images = cleaned_pages(folder / "scans")
        started, used = time.monotonic(), cpu_of_children()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(bare_tesseract, images))
        return Round(
            workers, pages, len(images), ours_wall, ours_cpu,
            time.monotonic() - started, cpu_of_children() - used,
        )  # fmt: skip


def cleaned_pages(archive: Path) -> list[Path]:
    """Return the page images that were read by Tesseract: born-digital and blank ones left out."""
    with closing(sqlite3.connect(archive / "records.db")) as db:
        found = db.execute(
            "SELECT image FROM pages WHERE kind = 'scan' AND NOT blank AND image IS NOT NULL"
        )
        return [archive / "pages" / row[0][:2] / f"{row[0]}.png" for row in found]


def bare_tesseract(image: Path) -> None:
    """Read one page image as anyone would from a shell, with one thread."""
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    command = ["tesseract", str(image), "stdout", "-l", "eng", "tsv"]
    subprocess.run(command, env=environment, capture_output=True, check=True)


def main() -> None:
    """Print the table, and JSON with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT / "scans" / "samples"])
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    counts = [int(n) for n in wanted.workers.split(",")]
    rounds = [one_round(wanted.paths, n) for _ in range(wanted.rounds) for n in counts]
    if wanted.json:
        print(json.dumps({"machine": describe(), "rounds": [asdict(r) for r in rounds]}, indent=1))
        return
    print(describe())
    print("workers  pages  read  ours/min  bare/min  wall ours/bare  CPU ours/bare")
    for n in counts:
        mine = [r for r in rounds if r.workers == n]
        wall = statistics.median(r.ours_wall for r in mine)
        bare = statistics.median(r.bare_wall for r in mine)
        ratio = statistics.median(r.ours_wall / r.bare_wall for r in mine)
        cpu = statistics.median(r.ours_cpu / r.bare_cpu for r in mine)
        first = mine[0]
        print(
            f"{n:>7}  {first.pages:>5}  {first.read_by_both:>4}  {first.pages * 60 / wall:>8.0f}"
            f"  {first.read_by_both * 60 / bare:>8.0f}  {ratio:>14.2f}  {cpu:>13.2f}"
        )


if __name__ == "__main__":
    main()
