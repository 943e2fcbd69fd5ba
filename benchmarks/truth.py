"""Labelled pages, and how a reading is held against them.

``load`` knows the sets of a folder laid out as follows; none of them is part of this project,
except ``samples``, which are its own sample scans and need no folder.

===========  =====================================================================================
funsd        ``images/*.png`` and ``jsons/*.json`` of FUNSD (Jaume et al., ICDAR-OST 2019) by way
             of ROOR: words with boxes. Words ``<unk>`` are left out and their places not judged
sroie        ``img/*.jpg`` and ``box/*.csv`` of ICDAR 2019 SROIE: lines with boxes; a word has the
             box of its line
typewritten  a picture and ALTO XML beside it: lines with boxes; a word has the box of its line
office       a picture and word-level hOCR beside it
handwriting  a picture and ALTO or PAGE XML beside it: as typewritten
fara         ``labels.jsonl`` and ``scans/*.tif``: only the legible typed and printed fields are
             known, so a page is ``partial``: recall inside the fields' boxes and nothing else
samples      ``scans/samples``: text without boxes; born-digital pages are left out
===========  =====================================================================================

Each set is halved: a page is of the half ``tune`` when the first byte of the SHA-256 of its
document's name is even, else of ``test``. The document is the file's name without its suffix; of
several pages of one document in files of their own (``..._02``, ``..._i090``), it is the name
without the page's number, so that all are in one half. For FARA it is the scan, for ``samples``
the file.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image
from rapidfuzz.distance import Levenshtein

from benchmarks.machine import ROOT
from records.geometry import Box

Split = Literal["tune", "test", "all"]
_TOKEN = re.compile(r"[^\W_]+")
_PAGE_OF_DOCUMENT = re.compile(r"_i?\d{2,3}$")
_BBOX = re.compile(r"bbox (\d+) (\d+) (\d+) (\d+)")
_UNKNOWN = "<unk>"
_READABLE = ("typed", "printed")
# Of the smaller of two boxes so much must lie in the other for them to be of the same writing.
_SAME_PLACE = 0.3


@dataclass(frozen=True, slots=True)
class TrueWord:
    """A word of the truth; ``box``, in pixels of the original, is its line's where only that is.

    The original is the picture as Pillow decodes it, its EXIF orientation honoured.
    """

    text: str
    box: Box | None


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A page whose words are known.

    ``page`` counts from 1 in the file ``image``. ``lines`` is None where no lines are known,
    ``words`` where no words are. ``reading_order`` says that the truth is in the order in which a
    person reads, so that character errors make sense. In the boxes ``unjudged`` there is writing
    that the truth does not tell; of a ``partial`` page it tells only what lies in its words' boxes.
    """

    set: str
    name: str
    image: Path
    page: int
    words: tuple[TrueWord, ...] | None
    lines: tuple[str, ...] | None
    reading_order: bool
    unjudged: tuple[Box, ...]
    partial: bool

    @property
    def text(self) -> str:
        """All that is known to stand on the page, a line each where lines are known."""
        if self.lines is not None:
            return "\n".join(self.lines)
        return " ".join(word.text for word in self.words or ())


class Placed(Protocol):
    """A word that was read, its box in pixels of the original; ``records.model.Word`` is one."""

    @property
    def text(self) -> str: ...
    @property
    def box(self) -> Box: ...


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens that were read and are right, that were read, that are there to be read."""

    right: int
    read: int
    true: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.read + other.read, self.true + other.true)

    @property
    def precision(self) -> float:
        return self.right / self.read if self.read else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.read + self.true) if self.read + self.true else 0.0


# What a reading is worth


def tokens(text: str) -> list[str]:
    """Return the runs of letters and digits of a text, in lower case."""
    return _TOKEN.findall(text.lower())


def count_tokens(read: str, true: str) -> Counts:
    """Hold two texts against each other as bags of tokens, wherever on the page they stand."""
    found, there = Counter(tokens(read)), Counter(tokens(true))
    return Counts((found & there).total(), found.total(), there.total())


def total(counts: Iterable[Counts]) -> Counts:
    """Add up the counts of pages; precision, recall and F1 of the sum are micro-averages."""
    return sum(counts, Counts(0, 0, 0))


def character_errors(read: str, true: str) -> tuple[int, int]:
    """Return the Levenshtein distance and the length of the truth, in characters.

    Any run of white space counts as one blank. The error rate, one through the other, has no
    upper bound.
    """
    read, true = " ".join(read.split()), " ".join(true.split())
    return Levenshtein.distance(read, true), len(true)


def count_in_boxes(read: Sequence[Placed], true: Sequence[TrueWord]) -> Counts:
    """Count the tokens of a partial truth that were read in their boxes; ``read`` only there."""
    places = {word.box for word in true if word.box}
    found, there = Counter[str](), Counter[str]()
    for box in places:
        inside = Counter(t for w in read if _lies_in(w.box, box) for t in tokens(w.text))
        known = Counter(t for w in true if w.box == box for t in tokens(w.text))
        found, there = found + inside, there + known
    return Counts((found & there).total(), found.total(), there.total())


def matched_words(read: Sequence[Placed], page: LabelledPage) -> list[bool | None]:
    """Say of each word that was read whether it is right.

    A word is right when its tokens are all found in the truth, each token there serving once:
    where the truth has boxes, in a box at the same place; else anywhere on the page. None stands
    for what cannot be judged: a word without letters and digits, one at a place of which the truth
    says nothing. Words with the largest overlap are matched first.
    """
    if page.words is None:
        return [None] * len(read)
    bags = _bags(page.words)
    verdicts: list[bool | None] = [None] * len(read)
    order = sorted(range(len(read)), key=lambda i: -_best_overlap(read[i].box, bags))
    for i in order:
        word = read[i]
        wanted = Counter(tokens(word.text))
        if not wanted:
            continue
        near = _near(word.box, bags)
        if _take(wanted, [bag for _, bag in near]):
            verdicts[i] = True
        elif not _cannot_say(word.box, page, bool(near)):
            verdicts[i] = False
    return verdicts


def _cannot_say(box: Box, page: LabelledPage, near_truth: bool) -> bool:
    if page.partial and not near_truth:
        return True
    return any(_shared(box, other) >= _SAME_PLACE for other in page.unjudged)


_Bag = tuple[Box | None, "Counter[str]"]


def _bags(words: Sequence[TrueWord]) -> list[_Bag]:
    """Return the tokens of the truth by the box that they stand in."""
    bags: dict[Box | None, Counter[str]] = {}
    for word in words:
        bags.setdefault(word.box, Counter()).update(tokens(word.text))
    return list(bags.items())


def _near(box: Box, bags: list[_Bag]) -> list[_Bag]:
    """Return the bags at the place of a box, the one with the largest overlap first."""
    there = [bag for bag in bags if bag[0] is None or _shared(box, bag[0]) >= _SAME_PLACE]
    return sorted(there, key=lambda bag: -box.overlap(bag[0]) if bag[0] else 0)


def _best_overlap(box: Box, bags: list[_Bag]) -> float:
    return max((_shared(box, place) for place, _ in bags if place), default=0.0)


def _take(wanted: Counter[str], bags: list[Counter[str]]) -> bool:
    """Take tokens out of bags; takes none and returns False unless all are there."""
    if any(sum(bag[token] for bag in bags) < count for token, count in wanted.items()):
        return False
    for token in wanted.elements():
        bag = next(bag for bag in bags if bag[token] > 0)
        bag[token] -= 1
    return True


def _shared(one: Box, other: Box) -> float:
    """Return what part of the smaller box lies in the other."""
    smaller = min(one.width * one.height, other.width * other.height)
    return one.overlap(other) / smaller if smaller > 0 else 0.0


def _lies_in(box: Box, place: Box) -> bool:
    x, y = box.centre
    return place.left <= x < place.right and place.top <= y < place.bottom


# Where the pages are


def load(
    data: Path, sets: Sequence[str], sample: int | None, seed: int, split: Split
) -> list[LabelledPage]:
    """Return the labelled pages of some sets, in the order of the sets and of the pages' names.

    ``sample`` is how many to draw of each set, after the split, with ``seed``; None for all.
    Raises ValueError for a set that is not known, FileNotFoundError for one that is not there.
    """
    pages: list[LabelledPage] = []
    for name in sets:
        if name not in SETS:
            raise ValueError(f"There is no set '{name}'; known are: {', '.join(SETS)}.")
        folder = ROOT / "scans" if name == "samples" else data / name
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder '{folder}'.")
        of_set = [page for page in SETS[name](folder) if split in ("all", half(page))]
        of_set.sort(key=lambda page: (page.image.name, page.page))
        if sample is not None and sample < len(of_set):
            kept = sorted(random.Random(seed).sample(range(len(of_set)), sample))
            of_set = [of_set[i] for i in kept]
        pages += of_set
    return pages


def half(page: LabelledPage) -> Split:
    """Return the half that a page belongs to; see the head of this module."""
    first = hashlib.sha256(document(page).encode()).digest()[0]
    return "test" if first % 2 else "tune"


def in_split(document_name: str, split: Split) -> bool:
    """Say whether a document of this name is in a half, or all are wanted."""
    even = hashlib.sha256(document_name.encode()).digest()[0] % 2 == 0
    return split == "all" or split == ("tune" if even else "test")


def document(page: LabelledPage) -> str:
    """Return the name of the document that a page is of."""
    if page.set in ("typewritten", "handwriting"):
        return _PAGE_OF_DOCUMENT.sub("", page.image.stem)
    return page.image.name if page.set == "samples" else page.image.stem


def _page(set_name: str, image: Path, words: Iterable[TrueWord]) -> LabelledPage:
    """Return the page of a file that has one, whose words are all known, in no certain order."""
    return LabelledPage(set_name, image.stem, image, 1, tuple(words), None, False, (), False)


def _funsd(folder: Path) -> list[LabelledPage]:
    pages = []
    for path in sorted((folder / "jsons").glob("*.json")):
        entities = json.loads(path.read_text(encoding="utf-8"))["document"]
        words = [TrueWord(w["text"], Box(*w["box"])) for e in entities for w in e["words"]]
        known = [word for word in words if word.text != _UNKNOWN]
        unjudged = tuple(word.box for word in words if word.box and word.text == _UNKNOWN)
        page = _page("funsd", folder / "images" / f"{path.stem}.png", known)
        pages.append(replace(page, unjudged=unjudged))
    return pages


def _sroie(folder: Path) -> list[LabelledPage]:
    pages = []
    for path in sorted((folder / "box").glob("*.csv")):
        lines = []
        for row in path.read_text(encoding="utf-8").splitlines():
            cells = row.split(",", 8)
            if len(cells) == 9:
                numbers = [int(cell) for cell in cells[:8]]
                lines.append((cells[8], _around(zip(numbers[::2], numbers[1::2], strict=True))))
        page = _of_lines("sroie", folder / "img" / f"{path.stem}.jpg", lines)
        # Its lines stand now by rows, now by columns.
        pages.append(replace(page, reading_order=False))
    return pages


def _of_lines(
    set_name: str, image: Path, lines: Sequence[tuple[str, Box | None]]
) -> LabelledPage:  # fmt: skip
    """Return a page of lines; each word has the box of its line."""
    words = [TrueWord(text, box) for line, box in lines for text in line.split()]
    page = replace(_page(set_name, image, words), lines=tuple(text for text, _ in lines))
    return replace(page, reading_order=_goes_down([box for _, box in lines if box]))


def _goes_down(lines: Sequence[Box]) -> bool:
    """Say whether no line stands above the line before it: a few labelled pages are jumbled.

    A labelled line's box may be twice as high as lines lie apart.
    """
    return all(b.centre[1] > a.centre[1] - 0.3 * a.height for a, b in pairwise(lines))


def _xml(folder: Path) -> list[LabelledPage]:
    """Read ALTO and PAGE, whatever their version."""
    return [
        _of_lines(folder.name, _picture(path), _xml_lines(ElementTree.parse(path).getroot()))
        for path in sorted(folder.glob("*.xml"))
    ]


def _xml_lines(root: ElementTree.Element) -> list[tuple[str, Box | None]]:
    lines = []
    for line in root.iterfind(".//{*}TextLine"):
        strings = [string.get("CONTENT", "") for string in line.iterfind("{*}String")]
        text = " ".join(strings) or line.findtext("{*}TextEquiv/{*}Unicode") or ""
        if text.strip():
            lines.append((text, _xml_box(line)))
    return lines


def _xml_box(line: ElementTree.Element) -> Box | None:
    coords = line.find("{*}Coords")
    if coords is not None:
        points = [point.split(",") for point in coords.get("points", "").split()]
        return _around((int(float(x)), int(float(y))) for x, y in points)
    if line.get("HPOS") is None:
        return None
    left, top, width, height = (
        round(float(line.get(side, "0"))) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")
    )
    return Box(left, top, left + width, top + height)


def _office(folder: Path) -> list[LabelledPage]:
    pages = []
    for path in sorted(folder.glob("*.hocr")):
        words, lines = _hocr(ElementTree.parse(path).getroot())
        page = _page("office", _picture(path), words)
        pages.append(replace(page, lines=tuple(lines), reading_order=True))
    return pages


def _hocr(root: ElementTree.Element) -> tuple[list[TrueWord], list[str]]:
    words, lines = [], []
    for line in root.iterfind(".//{*}span[@class='ocr_line']"):
        of_line = []
        for span in line.iterfind(".//{*}span[@class='ocrx_word']"):
            place = _BBOX.search(span.get("title", ""))
            text = "".join(span.itertext()).strip()
            if place and text:
                of_line.append(TrueWord(text, Box(*map(int, place.groups()))))
        words += of_line
        lines.append(" ".join(word.text for word in of_line))
    return words, lines


def _fara(folder: Path) -> list[LabelledPage]:
    pages = []
    for row in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        scan = json.loads(row)
        image = folder / "scans" / f"{scan['scan']}.tif"
        known = [f for f in scan["fields"].values() if f["legible"] and f["how"] in _READABLE]
        for number in sorted({field["page"] for field in known}):
            size = _frame_size(image, number)
            words = [
                TrueWord(text, _part(field["box"], size))
                for field in known
                if field["page"] == number
                for text in field["text"].split()
            ]
            page = replace(_page("fara", image, words), page=number, partial=True)
            pages.append(replace(page, name=f"{image.stem}#{number}"))
    return pages


def _samples(folder: Path) -> list[LabelledPage]:
    pages = []
    for path in sorted((folder / "samples-truth").glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        image = folder / "samples" / truth["file"]
        for known in truth["pages"]:
            if known["born_digital"]:
                continue
            lines = [(text, None) for text in known["text"].splitlines()]
            # Of forms, two people would not write the parts down in the same order.
            page = replace(_of_lines("samples", image, lines), reading_order=known["form"] is None)
            name = f"{image.name}#{known['number']}"
            pages.append(replace(page, name=name, page=known["number"]))
    return pages


SETS: dict[str, Callable[[Path], list[LabelledPage]]] = {
    "funsd": _funsd,
    "sroie": _sroie,
    "typewritten": _xml,
    "office": _office,
    "handwriting": _xml,
    "fara": _fara,
    "samples": _samples,
}


def _picture(path: Path) -> Path:
    """Return the picture beside a truth file; raises FileNotFoundError without one."""
    for suffix in (".jpg", ".png", ".tif"):
        if path.with_suffix(suffix).exists():
            return path.with_suffix(suffix)
    raise FileNotFoundError(f"There is no picture beside '{path}'.")


def _frame_size(image: Path, number: int) -> tuple[int, int]:
    with Image.open(image) as opened:
        opened.seek(number - 1)
        return opened.size


def _part(box: Sequence[float], size: tuple[int, int]) -> Box:
    """Return a box given in fractions of a page, in its pixels."""
    left, top, right, bottom = (round(box[i] * size[i % 2]) for i in range(4))
    return Box(left, top, right, bottom)


def _around(points: Iterable[tuple[int, int]]) -> Box:
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))
