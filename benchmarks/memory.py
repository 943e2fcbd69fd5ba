"""Memory of an import as it goes on: the parent's, and the largest reading process's.

    python -m benchmarks.memory PATH... [--workers 2] [--every 100]

Prints the resident memory each time so many more pages are in; it should not grow. Linux only.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks.machine import ROOT, describe, installation_folder


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def children(pid: int) -> list[int]:
    """Return the processes that this one has started itself."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in found.split()]


def pages_in(database: Path) -> int:
    """Return how many pages have been read so far."""
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM pages").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def watch(running: subprocess.Popen[bytes], database: Path, every: int) -> None:
    """Print a line each time that ``every`` more pages are in, until the import ends."""

    def line() -> None:
        seconds = time.monotonic() - started
        print(f"{pages_in(database):>5}  {parent:>9.0f}  {reader:>17.0f}  {seconds:>7.0f}")

    print("pages  parent MB  largest reader MB  seconds")
    due, started = every, time.monotonic()
    parent = reader = 0.0
    while running.poll() is None:
        parent = max(parent, resident_mb(running.pid))
        reader = max([reader, *(resident_mb(child) for child in children(running.pid))])
        pages = pages_in(database)
        if pages >= due:
            line()
            due, parent, reader = pages - pages % every + every, 0.0, 0.0
        time.sleep(0.5)
    line()


def main() -> None:
    """Import and watch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=100)
    wanted = parser.parse_args()
    print(describe())
    with installation_folder() as folder:
        command = [sys.executable, "-m", "digitize", "--config", str(folder / "config.toml"),
                   "import", *map(str, wanted.paths), "--workers", str(wanted.workers)]  # fmt: skip
        running = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        watch(running, folder / "scans" / "records.db", wanted.every)


if __name__ == "__main__":
    main()
