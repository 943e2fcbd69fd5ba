"""How right and how fast pages are read, ours beside Tesseract, OCRmyPDF and PP-OCR.

    python -m benchmarks.reading --data DIR [--sets funsd,sroie,...] [--sample N --seed S]
        [--split tune|test|all] [--readers ours:tesseract,...] [--peers-python PYTHON]
        [--against-ocrmypdf [FILE]] [--json FILE]

DIR holds the sets that ``benchmarks.truth`` tells of. Readers:

==============  ==================================================================================
``ours:MODE``   the whole way from file to words (decode, turn, deskew, clean, read), with the
                settings of config.toml and ``read.mode`` = MODE
``tesseract``   plain ``tesseract PAGE - --psm 3 tsv`` on the page as it is
``ocrmypdf``    OCRmyPDF with deskew and rotation, optimisation off; its words come without boxes
``ppocr``       RapidOCR's own pipeline with the PP-OCR models that it ships
==============  ==================================================================================

A peer that is not installed has a row that says so; ``--peers-python`` names a Python that has them
(``requirements/bench.in``), this one where none is named. Peers get a PNG of the page, its EXIF
orientation honoured and its colours kept; making it is not timed, while our own decoding is.

Every reader works through a set in a process of its own, on one thread. Loading, with the first
reading of a small page, is the column ``start``. ``cpu`` and ``wall`` are seconds a page, children
included. ``peak`` is the largest sum of what its processes had resident, each at its highest,
sampled 20 times a second. A page on which a reader fails counts as read with no words.

Precision, recall and F1 are of letter-digit tokens as bags, added up over the pages. ``CER`` is of
the pages whose truth has a reading order. Of ``fara`` only fields are known: recall is of those,
inside their boxes (of a reader without boxes, marked ``~``, anywhere on the page). Where plain
Tesseract reads all of them, what ours takes to its time is printed apart.

``--against-ocrmypdf`` has both read one file of many pages with two workers, FILE or a PDF that is
made of the chosen pages: pages per minute, start to end.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from benchmarks import peers, truth
from benchmarks.machine import ROOT, describe, digitize, installation_folder
from benchmarks.peers import Job, WordRow
from digitize import scan, second_look, signatures, sources
from ocr.reading import ReadFailure
from records import settings as configuration
from records.geometry import Box
from records.rows import lines as lines_of

_OURS = "ours:"
_READERS = "ours:tesseract,ours:both,ours:best,tesseract,ocrmypdf,ppocr"
_USUAL_DPI = 300


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word that was read; ``box`` in pixels of the original."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class PageScore:
    """One page by one reader: tokens, character errors (None without reading order), seconds."""

    name: str
    right: int
    read: int
    true: int
    errors: int | None
    characters: int | None
    cpu: float
    wall: float
    failed: bool

    @property
    def counts(self) -> truth.Counts:
        return truth.Counts(self.right, self.read, self.true)


@dataclass(frozen=True, slots=True)
class Run:
    """One reader over one set; ``missing`` says why there is nothing."""

    set: str
    reader: str
    missing: str
    start_cpu: float
    start_wall: float
    peak_mb: float
    boxes: bool
    pages: tuple[PageScore, ...]

    @property
    def counts(self) -> truth.Counts:
        return truth.total(page.counts for page in self.pages)

    @property
    def cer(self) -> float | None:
        """Character error rate over the pages that have a reading order; None without any."""
        of = sum(page.characters or 0 for page in self.pages)
        return sum(page.errors or 0 for page in self.pages) / of if of else None

    @property
    def cpu(self) -> float:
        """CPU seconds a page, of those that did not fail."""
        return _mean([page.cpu for page in self.pages if not page.failed])

    @property
    def wall(self) -> float:
        """Wall seconds a page, of those that did not fail."""
        return _mean([page.wall for page in self.pages if not page.failed])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


# Our own reader, in its process


def our_reader(mode: str, workspace: Path) -> peers.ReadPage:
    """Return our way from a file to words, as a reading process goes it, up to the words."""
    settings = _settings_with(mode)

    def read(job: Job) -> list[WordRow]:
        path = Path(job.image)
        loaded = sources.load_page(path, signatures.media_type(path), job.page, settings)
        found = scan.read_scan(loaded, scan.Bench(settings, workspace, "page"))
        if isinstance(found, ReadFailure):
            raise SystemExit(f"{job.name}: {found.message}")
        reading = second_look.look_again(found, settings.read)
        if isinstance(reading, ReadFailure):
            raise SystemExit(f"{job.name}: {reading.message}")
        place = found.page.geometry.box_on_original
        words = [word for line in reading.lines for word in line.words]
        return [(word.text, tuple(place(word.box))) for word in words]

    return read


def _settings_with(mode: str) -> configuration.Settings:
    """Return config.toml's settings with ``read.mode``."""
    settings = configuration.load(ROOT / "config.toml")
    return replace(settings, read=replace(settings.read, mode=mode))


# One reader over the pages of one set


def run_reader(
    reader: str, pages: Sequence[truth.LabelledPage], jobs: Sequence[Job], python: str
) -> Run:
    """Read pages in a process of their own; in another one after a page that ends it.

    ``jobs`` are the pages' in order, after the one that warms up.
    """
    answers: dict[str, dict[str, Any]] = {}
    failed: set[str] = set()
    start: dict[str, Any] = {}
    with peers.Memory() as memory:
        while left := [j for j in jobs[1:] if j.name not in answers and j.name not in failed]:
            for answer in peers.answers(_command(reader, python), [jobs[0], *left], memory):
                if "missing" in answer:
                    return Run(pages[0].set, reader, answer["missing"], 0, 0, 0, False, ())
                if "start_cpu" in answer:
                    start = start or answer
                else:
                    answers[answer["name"]] = answer
                    left.pop(0)
            failed.update(job.name for job in (left[:1] if start else left))
    boxes = any(box for answer in answers.values() for _, box in answer["words"])
    scores = tuple(_score(page, answers.get(page.name), boxes) for page in pages)
    return Run(
        pages[0].set, reader, "", start.get("start_cpu", 0.0), start.get("start_wall", 0.0),
        memory.peak_mb, boxes, scores,
    )  # fmt: skip


def _command(reader: str, python: str) -> list[str]:
    """Return how a reader is started; only what must be is run by another Python."""
    if reader.startswith(_OURS):
        mode = reader.removeprefix(_OURS)
        return [sys.executable, "-m", "benchmarks.reading", "--child", mode]
    mine = sys.executable if reader == "tesseract" else python
    return [mine, str(ROOT / "benchmarks" / "peers.py"), reader]


def _score(page: truth.LabelledPage, answer: dict[str, Any] | None, boxes: bool) -> PageScore:
    rows = answer["words"] if answer else []
    text = " ".join(row[0] for row in rows)
    if page.partial and boxes:
        placed = [ReadWord(row[0], Box(*row[1])) for row in rows]
        counts = truth.count_in_boxes(placed, page.words or ())
    else:
        counts = truth.count_tokens(text, page.text)
    errors, of = truth.character_errors(text, page.text) if page.reading_order else (None, None)
    return PageScore(
        page.name, counts.right, counts.read, counts.true, errors, of,
        answer["cpu"] if answer else 0.0, answer["wall"] if answer else 0.0, answer is None,
    )  # fmt: skip


# The pages as the readers get them


def as_png(page: truth.LabelledPage, folder: Path, settings: configuration.Settings) -> Job:
    """Write a page as a PNG, upright by its EXIF tag, transparent parts white."""
    picture, dpi = page_picture(page, settings)
    path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', page.set + page.name)}.png"
    picture.save(path, compress_level=1, **({"dpi": (dpi, dpi)} if dpi else {}))
    return Job(page.name, str(path), 1, dpi)


def page_picture(
    page: truth.LabelledPage, settings: configuration.Settings
) -> tuple[Image.Image, int]:
    """Return a page's picture and the dots per inch that its file names, 0 when it names none."""
    kind = signatures.media_type(page.image)
    if kind == signatures.PDF:
        loaded = sources.load_page(page.image, kind, page.page, settings)
        return Image.fromarray(loaded.image), loaded.dpi
    with Image.open(page.image) as opened:
        opened.seek(page.page - 1)
        opened.load()
        dpi = round(float(opened.info.get("dpi", (0, 0))[0]))
        return _flat(ImageOps.exif_transpose(opened)), dpi


def _flat(picture: Image.Image) -> Image.Image:
    if "A" not in picture.mode and "transparency" not in picture.info:
        return picture
    sheet = Image.new("RGBA", picture.size, "white")
    sheet.alpha_composite(picture.convert("RGBA"))
    return sheet.convert("RGB")


def warm_up_page(folder: Path) -> Job:
    """Write a small page with a line of writing, on which a reader loads all that it needs."""
    sheet = Image.new("L", (900, 300), 255)
    ImageDraw.Draw(sheet).text((60, 120), "Town of Alder Falls", 0, ImageFont.load_default(60))
    path = folder / "warm-up.png"
    sheet.save(path, dpi=(_USUAL_DPI, _USUAL_DPI))
    return Job("warm-up", str(path), 1, _USUAL_DPI)


@contextmanager
def _prepared(pages: Sequence[truth.LabelledPage]) -> Iterator[tuple[list[Job], list[Job]]]:
    """Write all pages as PNG; yield the jobs of the peers and our own, each warm-up first."""
    settings = configuration.load(ROOT / "config.toml")
    with tempfile.TemporaryDirectory() as made:
        first = warm_up_page(Path(made))
        pictures = [as_png(page, Path(made), settings) for page in pages]
        files = [Job(page.name, str(page.image), page.page, 0) for page in pages]
        yield [first, *pictures], [first, *files]


# The tables


_HEAD = (
    "reader           start   pages  failed  precision  recall     F1    CER    cpu   wall   peak"
    "  cpu/tesseract  cpu/ppocr  wall/ocrmypdf"
)


def print_set(runs: Sequence[Run]) -> None:
    """Print the table of one set."""
    print(f"\n{runs[0].set}\n{_HEAD}")
    for run in runs:
        if run.missing:
            print(f"{run.reader:<15}  {run.missing}")
            continue
        counts, partial = run.counts, run.set == "fara"
        precision = "-" if partial else f"{counts.precision:.3f}"
        recall = f"{'~' if partial and not run.boxes else ''}{counts.recall:.3f}"
        f1 = "-" if partial else f"{counts.f1:.3f}"
        cer = "-" if run.cer is None else f"{run.cer:.3f}"
        failed = sum(page.failed for page in run.pages)
        print(
            f"{run.reader:<15}  {run.start_wall:>4.1f} s  {len(run.pages):>5}  {failed:>6}"
            f"  {precision:>9}  {recall:>6}  {f1:>5}  {cer:>5}  {run.cpu:>5.2f}  {run.wall:>5.2f}"
            f"  {run.peak_mb:>5.0f}  {_ratio(runs, run, 'tesseract', 'cpu'):>13}"
            f"  {_ratio(runs, run, 'ppocr', 'cpu'):>9}"
            f"  {_ratio(runs, run, 'ocrmypdf', 'wall'):>13}"
        )
    _print_read_whole(runs)


def _print_read_whole(runs: Sequence[Run]) -> None:
    """Print what ours costs where plain Tesseract alone reads every field that is known."""
    plain = next((run for run in runs if run.reader == "tesseract" and not run.missing), None)
    whole = [page for page in plain.pages if page.right == page.true > 0] if plain else []
    if not whole or runs[0].set != "fara":
        return
    names = {page.name for page in whole}
    taken = sum(page.cpu for page in whole)
    print(f"the {len(whole)} of these pages whose fields tesseract alone reads all: cpu/tesseract")
    for run in runs:
        if run.reader.startswith(_OURS) and not run.missing:
            ours = sum(page.cpu for page in run.pages if page.name in names)
            print(f"{run.reader:<15}  {ours / taken:.2f}")


def _ratio(runs: Sequence[Run], run: Run, peer: str, what: str) -> str:
    """Return what a run takes as a multiple of a peer's, '-' without that peer."""
    other = next((r for r in runs if r.reader == peer and not r.missing), None)
    taken = getattr(other, what) if other else 0.0
    return f"{getattr(run, what) / taken:.2f}" if taken else "-"


# One file of many pages, against OCRmyPDF


@dataclass(frozen=True, slots=True)
class FileRun:
    """A whole file by one program with two workers; ``texts`` by page; seconds."""

    program: str
    wall: float
    cpu: float
    texts: tuple[str, ...]


def make_pdf(
    pages: Sequence[truth.LabelledPage], path: Path, settings: configuration.Settings
) -> None:
    """Write pages as one PDF of pictures, at 300 dots per inch where a file names none."""
    for number, page in enumerate(pages):
        picture, dpi = page_picture(page, settings)
        lossy = {} if picture.mode == "1" else {"quality": 95}
        picture.save(path, append=number > 0, resolution=dpi or _USUAL_DPI, **lossy)


def ocrmypdf_file(path: Path, python: str) -> FileRun:
    """Run OCRmyPDF's own command with two jobs; its sidecar parts pages by form feeds."""
    with tempfile.TemporaryDirectory() as folder:
        sidecar = Path(folder) / "out.txt"
        command = [
            python, "-m", "ocrmypdf", "--deskew", "--rotate-pages", "--jobs", "2", "--quiet",
            "--output-type", "pdf", "--optimize", "0", "--sidecar", str(sidecar),
            str(path), str(Path(folder) / "out.pdf"),
        ]  # fmt: skip
        started, used = time.monotonic(), peers.cpu_seconds()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wall, cpu = time.monotonic() - started, peers.cpu_seconds() - used
        if done.returncode:
            raise SystemExit(f"OCRmyPDF ended with {done.returncode}: {done.stderr.strip()}")
        texts = sidecar.read_text(encoding="utf-8").split("\f")
        return FileRun("ocrmypdf", wall, cpu, tuple(texts))


def our_file(path: Path, mode: str) -> FileRun:
    """Import a file into a fresh archive with two workers, intake to index."""
    with installation_folder() as folder:
        _set_mode(folder / "config.toml", mode)
        started, used = time.monotonic(), peers.cpu_seconds()
        done = digitize(folder, "import", str(path), "--workers", "2")
        wall, cpu = time.monotonic() - started, peers.cpu_seconds() - used
        if done.returncode not in (0, 3, 7):  # what was read may need a person's eye
            raise SystemExit(done.stderr)
        with closing(sqlite3.connect(folder / "scans" / "records.db")) as db:
            rows = db.execute("SELECT words FROM pages ORDER BY number").fetchall()
    texts = tuple("\n".join(line.text for line in lines_of(row[0])) for row in rows)
    return FileRun(f"{_OURS}{mode}", wall, cpu, texts)


def _set_mode(config: Path, mode: str) -> None:
    """Set ``read.mode`` in a settings file."""
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r'(?m)^mode = "\w+"', f'mode = "{mode}"', text), encoding="utf-8")


def against_ocrmypdf(
    given: str, pages: Sequence[truth.LabelledPage], modes: Sequence[str], python: str
) -> list[FileRun]:
    """Have both programs read one file, and print pages per minute and F1 where it is known."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(given) if given else Path(folder) / "pages.pdf"
        if not given:
            make_pdf(pages, path, configuration.load(ROOT / "config.toml"))
        runs = [our_file(path, mode) for mode in modes]
        count = len(runs[0].texts) if runs else len(pages)
        if not subprocess.run([python, "-c", "import ocrmypdf"], capture_output=True).returncode:
            runs.append(ocrmypdf_file(path, python))
    print(
        f"\none file of {count} pages, 2 workers\nprogram          pages/min    wall     cpu     F1"
    )
    for run in runs:
        f1 = "-" if given else f"{_file_f1(run, pages):.3f}"
        print(
            f"{run.program:<15}  {count * 60 / run.wall:>9.1f}  {run.wall:>6.1f}"
            f"  {run.cpu:>6.1f}  {f1:>5}"
        )
    if runs[-1].program != "ocrmypdf":
        print("ocrmypdf         is not installed")
    return runs


def _file_f1(run: FileRun, pages: Sequence[truth.LabelledPage]) -> float:
    texts = (*run.texts, *[""] * len(pages))
    whole = [(text, page) for text, page in zip(texts, pages, strict=False) if not page.partial]
    return truth.total(truth.count_tokens(text, page.text) for text, page in whole).f1


# The command


def main() -> None:
    """Read, print, and write JSON with --json."""
    wanted = _arguments()
    if wanted.child:
        with tempfile.TemporaryDirectory() as folder:
            peers.serve(lambda: our_reader(wanted.child, Path(folder)))
        return
    pages = truth.load(
        wanted.data, wanted.sets.split(","), wanted.sample, wanted.seed, wanted.split
    )
    readers = wanted.readers.split(",") if wanted.readers else []
    print(describe())
    print(f"{len(pages)} pages, split {wanted.split}, sample {wanted.sample}, seed {wanted.seed}")
    runs: list[Run] = []
    for name in dict.fromkeys(page.set for page in pages):
        of_set = [page for page in pages if page.set == name]
        with _prepared(of_set) as (pictures, files):
            now = [
                run_reader(
                    reader, of_set, files if reader.startswith(_OURS) else pictures, wanted.python
                )
                for reader in readers
            ]
        print_set(now)
        runs += now
    in_file: list[FileRun] = []
    if wanted.against is not None:
        modes = [r.removeprefix(_OURS) for r in readers if r.startswith(_OURS)] or ["tesseract"]
        in_file = against_ocrmypdf(wanted.against, pages, modes, wanted.python)
    if wanted.json:
        _write_json(wanted, runs, in_file)


def _write_json(wanted: argparse.Namespace, runs: list[Run], in_file: list[FileRun]) -> None:
    whole = {
        "machine": describe(),
        "asked": {k: str(v) for k, v in vars(wanted).items()},
        "runs": [asdict(run) for run in runs],
        "file": [{"program": r.program, "wall": r.wall, "cpu": r.cpu} for r in in_file],
    }
    wanted.json.write_text(json.dumps(whole, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(), metavar="DIR")
    parser.add_argument("--sets", default=",".join(truth.SETS))
    parser.add_argument("--sample", type=int, help="pages of each set; all when not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("tune", "test", "all"), default="tune")
    parser.add_argument("--readers", default=_READERS)
    parser.add_argument("--peers-python", dest="python", default=sys.executable)
    parser.add_argument("--against-ocrmypdf", dest="against", nargs="?", const="", metavar="FILE")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    for reader in filter(None, wanted.readers.split(",")):
        if not reader.startswith(_OURS) and reader not in peers.PEERS:
            parser.error(f"there is no reader '{reader}'")
    return wanted


if __name__ == "__main__":
    main()
