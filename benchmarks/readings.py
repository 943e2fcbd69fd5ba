"""Pages as they are read before a form is looked for, kept so that another run need not read."""

from __future__ import annotations

import os
import pickle
import resource
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.machine import ROOT
from digitize import scan, second_look, signatures, sources
from digitize.image import Grey
from ocr.reading import ReadFailure
from records import settings as configuration
from records.geometry import PageGeometry
from records.model import Line

# Raise this when pages are read otherwise, so that what is kept is read anew.
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """One page: words in pixels of the cleaned page, and that page as PNG bytes.

    ``cpu`` is seconds from the file to the words, children included.
    """

    lines: tuple[Line, ...]
    png: bytes
    geometry: PageGeometry
    reader: str
    blank: bool
    cpu: float

    @property
    def image(self) -> Grey:
        """The cleaned page."""
        image = cv2.imdecode(np.frombuffer(self.png, np.uint8), cv2.IMREAD_GRAYSCALE)
        return np.asarray(image, dtype=np.uint8)

    @property
    def size(self) -> tuple[int, int]:
        """The cleaned page's (width, height) in pixels."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")


def read_page(path: Path, page: int, mode: str = "both") -> Reading | None:
    """Read a page the whole way with the settings of config.toml; None where it cannot be."""
    settings = configuration.load(ROOT / "config.toml")
    settings = replace(settings, read=replace(settings.read, mode=mode))
    os.environ["OMP_THREAD_LIMIT"] = "1"  # as in the product's reading processes
    before = _cpu()
    with tempfile.TemporaryDirectory() as folder:
        loaded = sources.load_page(path, signatures.media_type(path), page, settings)
        found = scan.read_scan(loaded, scan.Bench(settings, Path(folder), "page"))
        if isinstance(found, ReadFailure):
            return None
        reading = second_look.look_again(found, settings.read)
        if isinstance(reading, ReadFailure):
            return None
    shown = found.page
    cpu = _cpu() - before
    return Reading(reading.lines, found.png, shown.geometry, reading.reader, shown.blank, cpu)


def readings(
    pages: Iterable[tuple[Path, int]], cache: Path | None, workers: int = 1, mode: str = "both"
) -> Iterator[Reading | None]:
    """Give the readings of pages in order; those in ``cache`` are not read, new ones are put in."""
    wanted = [(path, page, mode, cache) for path, page in pages]
    if workers == 1:
        yield from map(_kept, wanted)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_kept, wanted)


def _kept(wanted: tuple[Path, int, str, Path | None]) -> Reading | None:
    path, page, mode, cache = wanted
    if cache is None:
        return read_page(path, page, mode)
    kept = cache / mode / path.parent.parent.name / f"{path.stem}-{page}-{_VERSION}.pickle"
    if kept.exists():
        found: Reading | None = pickle.loads(kept.read_bytes())
        return found
    found = read_page(path, page, mode)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(found))
    return found


def _cpu() -> float:
    """Return the CPU seconds of this process and its children so far."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))
