"""The readers that ours is held against, each in a process of its own.

    PYTHON benchmarks/peers.py READER

READER is ``tesseract``, ``ocrmypdf`` or ``ppocr``; PYTHON is one that has it installed. This file
stands alone, so that the peers need not be installed beside the project. ``serve`` is also the
loop in which our own reader runs, and ``answers`` the other end of it.

On standard input stand jobs, JSON, one a line; the first only warms the reader up. On standard
output comes a line for it when all is loaded, then one for each job: its words as
``[text, [left, top, right, bottom] or null]``, boxes in pixels of the picture, and the CPU and wall
seconds that it took, children included. A reader that fails on a page ends the process: whoever
started it goes on with the next page.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

WordRow = tuple[str, tuple[int, int, int, int] | None]
_WORD_LEVEL = "5"  # of Tesseract's TSV
_ONE_THREAD = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SAMPLE_S = 0.05  # between two looks at the memory
_USUAL_DPI = 300  # what a picture is taken to have that names none, as the project takes it


@dataclass(frozen=True, slots=True)
class Job:
    """One page: ``page`` counts from 1 in the file ``image``; ``dpi`` is 0 when it names none."""

    name: str
    image: str
    page: int
    dpi: int


class NotInstalledError(Exception):
    """The reader is not there; the text says so."""


ReadPage = Callable[[Job], Sequence[WordRow]]


def cpu_seconds() -> float:
    """Return the user and system seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def serve(make: Callable[[], ReadPage]) -> None:
    """Make a reader, warm it up with the first job, then read the others and time each."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    jobs = [Job(**json.loads(line)) for line in sys.stdin]
    try:
        read = make()
    except NotInstalledError as missing:
        _say(answers, missing=str(missing))
        return
    read(jobs[0])
    _say(answers, start_cpu=cpu_seconds())
    for job in jobs[1:]:
        started, used = time.monotonic(), cpu_seconds()
        words = read(job)
        wall, cpu = time.monotonic() - started, cpu_seconds() - used
        _say(answers, name=job.name, words=words, cpu=cpu, wall=wall)


def _say(answers: Any, **what: object) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def plain_tesseract() -> ReadPage:
    """Return Tesseract as anyone would run it from a shell on the page as it is."""
    if not shutil.which("tesseract"):
        raise NotInstalledError("tesseract is not installed")

    def read(job: Job) -> list[WordRow]:
        command = ["tesseract", job.image, "-", "--psm", "3", "tsv"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return list(_words_of_tsv(done.stdout))

    return read


def _words_of_tsv(tsv: str) -> Iterator[WordRow]:
    for row in (line.split("\t") for line in tsv.split("\n")):
        if row[0] == _WORD_LEVEL and row[11].strip():
            left, top, width, height = map(int, row[6:10])
            yield row[11].strip(), (left, top, left + width, top + height)


def ocrmypdf() -> ReadPage:
    """Return OCRmyPDF with deskew and rotation, and as little else as it lets itself be told."""
    try:
        import ocrmypdf as library
    except ImportError:
        raise NotInstalledError("ocrmypdf is not installed") from None

    def read(job: Job) -> list[WordRow]:
        with tempfile.TemporaryDirectory() as folder:
            sidecar = Path(folder) / "page.txt"
            library.ocr(
                job.image, Path(folder) / "page.pdf", sidecar=sidecar, deskew=True,
                rotate_pages=True, jobs=1, use_threads=True, output_type="pdf", optimize=0,
                image_dpi=None if job.dpi else _USUAL_DPI, progress_bar=False,
            )  # fmt: skip
            return [(text, None) for text in sidecar.read_text(encoding="utf-8").split()]

    return read


def ppocr() -> ReadPage:
    """Return RapidOCR's own pipeline with the PP-OCR models that it ships, on one thread."""
    try:
        import cv2
        from rapidocr import RapidOCR
    except ImportError:
        raise NotInstalledError("rapidocr is not installed") from None
    cv2.setNumThreads(1)
    threads = {
        f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")
    }  # fmt: skip
    engine = RapidOCR(params={**threads, "Global.log_level": "error"})

    def read(job: Job) -> list[WordRow]:
        found = engine(job.image)
        if found.txts is None:
            return []
        lines = zip(found.txts, found.boxes.tolist(), strict=True)
        return [word for text, corners in lines for word in words_of_line(text, corners)]

    return read


def words_of_line(text: str, corners: Sequence[Sequence[float]]) -> Iterator[WordRow]:
    """Part a line into words; their boxes are cut from the line's in proportion to its letters."""
    xs, ys = [round(x) for x, _ in corners], [round(y) for _, y in corners]
    letter = (max(xs) - min(xs)) / max(len(text), 1)
    for match in re.finditer(r"\S+", text):
        left, right = (min(xs) + round(place * letter) for place in match.span())
        yield match.group(), (left, min(ys), max(right, left + 1), max(ys))


PEERS: dict[str, Callable[[], ReadPage]] = {
    "tesseract": plain_tesseract,
    "ocrmypdf": ocrmypdf,
    "ppocr": ppocr,
}


# Whoever starts a reader


def answers(
    command: Sequence[str], jobs: Sequence[Job], memory: Memory
) -> Iterator[dict[str, Any]]:
    """Start a reader's process on one thread, give it its jobs, yield its answers as they come.

    Wall seconds from its start stand in the first, as ``start_wall``.
    """
    root = str(Path(__file__).resolve().parent.parent)
    environment = os.environ | {"PYTHONPATH": root} | dict.fromkeys(_ONE_THREAD, "1")
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as said:
        told.writelines(json.dumps(asdict(job)) + "\n" for job in jobs)
        told.seek(0)
        started = time.monotonic()
        child = subprocess.Popen(
            command, env=environment, stdin=told, stdout=subprocess.PIPE, stderr=said, text=True
        )
        memory.watch(child.pid)
        with child:
            for line in child.stdout or ():
                answer = json.loads(line)
                if "start_cpu" in answer:
                    answer["start_wall"] = time.monotonic() - started
                print(f"  {command[-1]}: {answer.get('name', '-')}", file=sys.stderr)
                yield answer
        if child.returncode:
            said.seek(0)
            last = (said.read().strip().splitlines() or ["no word"])[-1]
            print(f"  {command[-1]} ended with {child.returncode}: {last}", file=sys.stderr)


class Memory:
    """Watches what a process and its descendants have resident; ``peak_mb`` is the most."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._root = 0
        self._seen: set[int] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def watch(self, pid: int) -> None:
        self._root = pid

    def _look(self) -> None:
        while not self._end.wait(_SAMPLE_S):
            there = set(_family(self._root)) if self._root else set()
            # A child that is just being started still has its parent's memory.
            known = there & self._seen
            self.peak_mb = max(self.peak_mb, sum(map(_highest_mb, known)))
            self._seen = there


def _family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants (Linux)."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _highest_mb(pid: int) -> float:
    """Return a process's highest resident memory so far; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) / 1000 if found else 0.0


if __name__ == "__main__":
    serve(PEERS[sys.argv[1]])
