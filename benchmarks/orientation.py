"""How pages lie: turn and skew found, how right and at what cost, beside the peers.

    python -m benchmarks.orientation --data DIR [--sets fara,funsd] [--split test]
        [--sample N --seed S] [--peers [--peers-python PYTHON]] [--whole] [--json FILE]

DIR holds pages that are not part of this project, in the folders that SETS names; all are upright
as they come, or nearly so, but for those of ``deskew/``, whose angles stand in its ``angles.csv``.
Each page is turned by all four quarter turns. A page whose sureness says so counts as unsure,
whatever was guessed for it; ``--whole`` also reads each page, and counts how it lay at the end.

Two ways of ours are measured: ``letters``, from the places of letters alone, and ``lines``, which
asks the classifier of text lines too (not installed: a row says so). CPU seconds are given as a
share of those that Tesseract takes to read the same upright page, on the first --timed pages.

Peers: jdeskew and deskew for the skew, in PYTHON, and what OCRmyPDF 17 calls: ``tesseract --psm 2``
for the skew, ``--psm 0`` for the turn.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.machine import ROOT, describe
from digitize import image, orientation, scan, sources
from digitize.signatures import media_type
from ocr import ppocr
from ocr.reading import ReadFailure
from records import settings as configuration
from records.settings import Settings

SETS = {
    "fara": "fara/scans",
    "funsd": "funsd",
    "sroie": "sroie",
    "typewritten": "typewritten",
    "office": "office",
    "handwriting": "handwriting",
    "deskew": "deskew",
}
TURNS = (0, 90, 180, 270)
_PICTURES = (".png", ".jpg", ".tif")
# Sets in which some files are pages of one document, which the end of a name counts.
_OF_DOCUMENTS = ("typewritten", "handwriting")
_PAGE_OF_DOCUMENT = re.compile(r"_i?\d{2,3}$")
# OCRmyPDF turns a page when Tesseract's confidence is at least this.
_OCRMYPDF_SURE = 14.0
_ONE_THREAD = os.environ | {"OMP_THREAD_LIMIT": "1"}
# Reads paths of pictures, one a line; answers each with the angle and the CPU seconds it took.
_SKEW_PEER = """
import json, sys, time
import cv2
cv2.setNumThreads(1)
if sys.argv[1] == "jdeskew":
    from jdeskew.estimator import get_angle as find
else:
    from deskew import determine_skew as find
for line in sys.stdin:
    page = cv2.imread(line.strip(), cv2.IMREAD_GRAYSCALE)
    started = time.process_time()
    angle = find(page)
    print(json.dumps([-float(angle or 0.0), time.process_time() - started]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it lies in its file; ``skew_degrees`` is its true angle where it is known."""

    set: str
    name: str
    loaded: sources.Loaded
    skew_degrees: float | None


@dataclass(slots=True)
class Tally:
    """What one finder got right on one set: turns, errors of the skew, CPU seconds a page."""

    set: str
    finder: str
    right: int = 0
    wrong: int = 0
    unsure: int = 0
    failed: list[str] = field(default_factory=list)
    skew_errors: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    missing: str = ""

    def turned(self, name: str, true: int, found: int, sure: bool) -> None:
        """Count one turn."""
        if not sure:
            self.unsure += 1
        elif found == true:
            self.right += 1
        else:
            self.wrong += 1
            self.failed.append(f"{name} {true} as {found}")


def pages(name: str, wanted: argparse.Namespace, settings: Settings) -> Iterator[Page]:
    """Yield the pages of one set, those of a file together."""
    found = [p for p in sorted((wanted.data / SETS[name]).rglob("*")) if p.suffix in _PICTURES]
    found = [p for p in found if wanted.split in ("all", _half(name, p.stem))]
    if wanted.sample and len(found) > wanted.sample:
        found = sorted(random.Random(wanted.seed).sample(found, wanted.sample))
    angles = _angles(wanted.data) if name == "deskew" else {}
    for path in found:
        kind = media_type(path)
        for number in range(1, sources.count_pages(path, kind, settings) + 1):
            loaded = sources.load_page(path, kind, number, settings)
            yield Page(name, f"{path.stem} {number}", loaded, angles.get(path.name))


def _half(name: str, stem: str) -> str:
    """Return the half of a page, the same as ``benchmarks.truth`` makes them."""
    document = _PAGE_OF_DOCUMENT.sub("", stem) if name in _OF_DOCUMENTS else stem
    return "test" if hashlib.sha256(document.encode()).digest()[0] % 2 else "tune"


def _angles(data: Path) -> dict[str, float]:
    with (data / "deskew" / "angles.csv").open(encoding="utf-8", newline="") as opened:
        return {row["file"]: float(row["angle_ccw_deg"]) for row in csv.DictReader(opened)}


def find_ours(page: Page, turn: int, judge: orientation.Judge | None, tally: Tally) -> None:
    """Find how one page lies that was turned, as ``digitize.scan`` does before reading it."""
    lying = np.ascontiguousarray(np.rot90(page.loaded.image, turn // 90))
    started = time.process_time()
    frame = image.border_mask(lying)
    seen = lying if frame is None else np.where(frame > 0, np.uint8(255), lying)
    found = orientation.find_orientation(seen, judge=judge)
    tally.cpu.append(time.process_time() - started)
    sure = found.sureness >= orientation.SURE_ENOUGH
    tally.turned(page.name, turn, found.turn, sure)
    if turn == 0 and page.skew_degrees is not None:
        tally.skew_errors.append(found.skew_degrees - page.skew_degrees)


def read_whole(page: Page, turn: int, bench: scan.Bench, tally: Tally) -> None:
    """Read a page that was turned, and count how it was taken to lie at the end."""
    loaded = page.loaded
    lying = np.ascontiguousarray(np.rot90(loaded.image, turn // 90))
    started = _cpu()
    found = scan.read_scan(sources.Loaded(lying, loaded.dpi, loaded.bitonal, None), bench)
    tally.cpu.append(_cpu() - started)
    if isinstance(found, ReadFailure):
        tally.failed.append(f"{page.name} {turn}: {found.message}")
        return
    tally.turned(page.name, turn, found.page.geometry.turn, not found.page.blank)


def _cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def tesseract(path: Path, dpi: int, *options: str) -> tuple[str, float]:
    """Call Tesseract on a picture; return all that it said, and its CPU seconds."""
    started = _cpu()
    done = subprocess.run(
        ["tesseract", str(path), "stdout", "--dpi", str(dpi), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_ONE_THREAD, check=False,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace"), _cpu() - started


def osd(page: Page, turn: int, folder: Path, tallies: Sequence[Tally]) -> None:
    """Ask Tesseract how a turned page lies: its guess, and what OCRmyPDF makes of it."""
    path = folder / "turned.png"
    path.write_bytes(
        image.encode_png(np.ascontiguousarray(np.rot90(page.loaded.image, turn // 90)))
    )
    said, cpu = tesseract(path, page.loaded.dpi, "--psm", "0", "-l", "osd")
    guess = re.search(r"Rotate: (\d+)", said)
    sure = re.search(r"Orientation confidence: ([\d.]+)", said)
    found = int(guess.group(1)) if guess else 0
    clear = sure is not None and float(sure.group(1)) >= _OCRMYPDF_SURE
    for tally, threshold in zip(tallies, (False, True), strict=True):
        tally.cpu.append(cpu)
        tally.turned(page.name, turn, found, guess is not None and (clear or not threshold))


def psm_2(page: Page, path: Path, tally: Tally) -> None:
    """Ask Tesseract for the skew of a page, as OCRmyPDF does."""
    said, cpu = tesseract(path, page.loaded.dpi, "--psm", "2")
    angle = re.search(r"Deskew angle: (-?[\d.]+)", said)
    tally.cpu.append(cpu)
    found = -np.rad2deg(float(angle.group(1))) if angle else 0.0
    tally.skew_errors.append(float(found) - (page.skew_degrees or 0.0))


class SkewPeer:
    """A package that finds skews, in a process of its own."""

    def __init__(self, name: str, python: str) -> None:
        self.tally = Tally("deskew", name)
        self._process = subprocess.Popen(
            [python, "-c", _SKEW_PEER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
        )  # fmt: skip

    def find(self, page: Page, path: Path) -> None:
        """Count the error of one page; a package that is not there says nothing."""
        if self.tally.missing:
            return
        with suppress(BrokenPipeError):
            print(path, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline() if self._process.stdout else ""
        if not answer:
            self.tally.missing = "not installed"
            return
        angle, cpu = json.loads(answer)
        self.tally.skew_errors.append(angle - (page.skew_degrees or 0.0))
        self.tally.cpu.append(cpu)

    def end(self) -> Tally:
        """Let the process end."""
        if self._process.stdin and not self.tally.missing:
            self._process.stdin.close()
        self._process.wait()
        return self.tally


def run_set(
    name: str, wanted: argparse.Namespace, bench: scan.Bench
) -> tuple[list[Tally], list[float]]:
    """Measure one set; return the tallies, and the CPU seconds of Tesseract's reading a page."""
    letters, lines = Tally(name, "ours, letters"), Tally(name, "ours, lines too")
    whole = Tally(name, "ours, read")
    guess, sure = Tally(name, "tesseract osd"), Tally(name, "ocrmypdf rotate")
    psm = Tally(name, "ocrmypdf deskew")
    names = ("jdeskew", "deskew") if wanted.peers and name == "deskew" else ()
    others = [SkewPeer(peer, wanted.python) for peer in names]
    folder = bench.workspace
    reading: list[float] = []
    ways: list[tuple[Tally, orientation.Judge | None]] = [(letters, None)]
    if ppocr.upright_share([np.full((48, 192), 255, np.uint8)]) is None:
        lines.missing = "not installed"
    else:
        ways.append((lines, ppocr.upright_share))
    for page in pages(name, wanted, bench.settings):
        path = folder / "page.png"
        path.write_bytes(image.encode_png(page.loaded.image))
        if len(reading) < wanted.timed:
            reading.append(tesseract(path, page.loaded.dpi, "--psm", "3", "tsv")[1])
        for turn in TURNS:
            for tally, judge in ways:
                find_ours(page, turn, judge, tally)
            if wanted.whole:
                read_whole(page, turn, bench, whole)
            if wanted.peers:
                osd(page, turn, folder, (guess, sure))
        if wanted.peers and page.skew_degrees is not None:
            psm_2(page, path, psm)
            for other in others:
                other.find(page, path)
    return [letters, lines, whole, guess, sure, psm, *(other.end() for other in others)], reading


def row(tally: Tally, reading: Sequence[float]) -> str:
    """Return one row of the table."""
    start = f"{tally.set:<12}{tally.finder:<17}"
    if tally.missing:
        return f"{start}{tally.missing}"
    turns = tally.right + tally.wrong + tally.unsure
    counted = f"{tally.right:>5} {tally.wrong:>6} {tally.unsure:>7}" if turns else " " * 20
    errors = np.abs(tally.skew_errors)
    skew = "".join(
        f"{np.mean(errors <= limit + 1e-9):>7.1%}" if len(errors) else " " * 7
        for limit in (0.1, 0.3)
    )
    cpu = float(np.mean(tally.cpu))
    share = f"{cpu / float(np.mean(reading)):>8.1%}" if len(reading) else ""
    return f"{start}{counted} {skew} {cpu * 1000:>7.0f} {share}"


def main() -> None:
    """Measure, print, and write JSON with --json."""
    wanted = _arguments()
    print(describe())
    print(f"split {wanted.split}, sample {wanted.sample}, seed {wanted.seed}")
    print(f"\n{'set':<12}{'finder':<17}right  wrong  unsure  <=0.1  <=0.3  cpu ms  of reading")
    found: list[Tally] = []
    total: Counter[str] = Counter()
    settings = _settings(wanted.mode)
    with tempfile.TemporaryDirectory() as folder:
        bench = scan.Bench(settings, Path(folder), "page")
        for name in wanted.sets.split(","):
            tallies, reading = run_set(name, wanted, bench)
            for tally in (t for t in tallies if t.cpu or t.missing):
                print(row(tally, reading), flush=True)
                for failed in tally.failed if tally.finder.startswith("ours") else ():
                    print(f"    {failed}")
                found.append(tally)
                for what in ("right", "wrong", "unsure"):
                    total[f"{tally.finder} {what}"] += getattr(tally, what)
    print("\n" + "\n".join(f"{what}: {count}" for what, count in total.items() if count))
    if wanted.json:
        asked = {key: str(value) for key, value in vars(wanted).items()}
        whole = {"machine": describe(), "asked": asked, "tallies": [asdict(t) for t in found]}
        wanted.json.write_text(json.dumps(whole, indent=1), encoding="utf-8")


def _settings(mode: str) -> Settings:
    """Return config.toml's settings, with ``read.mode`` where one is asked for."""
    settings = configuration.load(ROOT / "config.toml")
    return replace(settings, read=replace(settings.read, mode=mode)) if mode else settings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--split", choices=("tune", "test", "all"), default="tune")
    parser.add_argument("--sample", type=int, help="files of each set; all when not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timed", type=int, default=10, help="pages a set that Tesseract reads")
    parser.add_argument("--whole", action="store_true", help="read each page too")
    parser.add_argument("--mode", default="", help="read.mode for --whole")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--peers-python", dest="python", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    for name in wanted.sets.split(","):
        if name not in SETS:
            parser.error(f"there is no set '{name}'")
    return wanted


if __name__ == "__main__":
    main()
