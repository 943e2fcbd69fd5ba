"""How right tick boxes and bubbles are read: ``python -m benchmarks.marks --data DIR``.

DIR holds sets of labelled pages that are not part of this project:

======  ==========================================================================================
sheets  ``marks/input/*.png``: scanned answer sheets of one layout, which is taken from
        ``marks/blank.pdf``; ``marks/output/*.csv`` has the letters and digits that were filled
fara    ``fara/labels.jsonl`` and ``fara/scans/*.tif``: tick boxes of government forms
======  ==========================================================================================

A page is cleaned as the product cleans it. The sheets are laid on their pages by their four corner
marks and then by the circles themselves, so that each bubble is expected where it is; the tick
boxes are where the labels say. A label encloses a mark that reaches out of its box, and would give
it away: of those the printed square within is taken, at the size of the page's empty boxes. Then
each box is moved by its own random offset in x and in y, evenly drawn up to a share of the page's
width.

A box is right when it is marked just if the truth says so (struck out is not marked). What has a
confidence below 0.75 is doubtful: it goes to a person, and counts as neither right nor wrong.
Halves are made as in ``benchmarks.truth``: tune on ``--split tune``.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import truth
from benchmarks.machine import ROOT
from digitize import image as pixels
from digitize import sources
from digitize.marks import Mark, MarkState, read_marks
from digitize.orientation import find_orientation
from digitize.signatures import media_type
from ocr import ppocr
from records import settings as configuration
from records.geometry import Box, PageGeometry

DOUBTFUL = 0.75
JITTERS = (0.0, 0.005, 0.01)
_WORD = re.compile(r'xMin="([.\d]+)" yMin="([.\d]+)" xMax="([.\d]+)" yMax="([.\d]+)">(\w)<')
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Of the sheet, in points: a circle's diameter, how far its middle lies below its letter's, the
# distance of columns, the row that shows how to fill a circle, and where parts begin.
_DIAMETER, _BELOW, _PITCH, _EXAMPLES = 8.8, 0.26, 15.0, (475, 490)
_ANSWERS, _RIGHT, _COURSE, _CODE = 500.0, 400.0, 270.0, 450.0
_NAMES = {"Last Name": 58.4, "First Name": 253.4, "Middle Name": 358.4}
# The middles of its corner marks (of the first, an L, its inner corner), and their side.
_CORNERS, _CORNER_SIDE = ((47.3, 47.3), (570.4, 41.6), (41.6, 750.4), (570.4, 750.4)), 11.3
_PAGE = (612.0, 792.0)


@dataclass(frozen=True, slots=True)
class Bubble:
    """A bubble of the blank: ``group`` such as 'Q7', ``value`` such as 'C', middle in points."""

    group: str
    value: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Target:
    """A printed box on a cleaned page, the question that it belongs to, and whether it is marked.

    ``box`` is in pixels of that page.
    """

    group: str
    name: str
    box: Box
    marked: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """A cleaned page and its boxes."""

    set: str
    document: str
    page: int
    image: pixels.Grey
    targets: tuple[Target, ...]


@dataclass(slots=True)
class Tally:
    """What was read of one set."""

    boxes: int = 0
    right: int = 0
    wrong: int = 0
    doubtful: int = 0
    doubtful_right: int = 0
    found: int = 0
    seconds: float = 0.0

    def count(self, target: Target, mark: Mark) -> None:
        """Count one box."""
        right = (mark.state is MarkState.MARKED) == target.marked
        sure = mark.confidence >= DOUBTFUL
        self.boxes += 1
        self.found += mark.found
        self.right += right and sure
        self.wrong += not right and sure
        self.doubtful += not sure
        self.doubtful_right += right and not sure


def load(data: Path, split: truth.Split, sets: Sequence[str]) -> Iterator[Labelled]:
    """Yield the labelled pages of sets, cleaned."""
    if "sheets" in sets:
        yield from _sheets(data / "marks", split)
    if "fara" in sets:
        yield from _forms(data / "fara", split)


def layout(blank: Path) -> tuple[Bubble, ...]:
    """Return the bubbles of the answer sheet's blank, in points of its page."""
    command = ["pdftotext", "-bbox", str(blank), "-"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    letters = []
    for *corners, letter in _WORD.findall(told):
        left, top, right, bottom = map(float, corners)
        x, y = (left + right) / 2, (top + bottom) / 2 + _BELOW
        if not _EXAMPLES[0] < y < _EXAMPLES[1]:
            letters.append((letter, x, y))
    return tuple(Bubble(_group(x, y), letter, x, y) for letter, x, y in letters)


def _group(x: float, y: float) -> str:
    """Return which question or place of a name or number a bubble belongs to."""
    if y > _ANSWERS:
        return f"Q{int((x - 60) // 105) * 15 + round((y - 523) / _PITCH) + 1}"
    if x < _RIGHT:
        name = [n for n, start in _NAMES.items() if x > start - 5][-1]
        return f"{name}.{round((x - _NAMES[name]) / _PITCH)}"
    if y > _CODE:
        return "Test Form Code"
    name = "Student ID" if y < _COURSE else "Course ID"
    return f"{name}.{round((x - 418.4) / _PITCH)}"


def _sheets(folder: Path, split: truth.Split) -> Iterator[Labelled]:
    bubbles = layout(folder / "blank.pdf")
    answers: dict[str, dict[str, str]] = {}
    for path in sorted((folder / "output").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as opened:
            answers |= {row["Source File"]: row for row in csv.DictReader(opened)}
    for path in sorted((folder / "input").glob("*.png")):
        if truth.in_split(path.stem, split):
            image = _cleaned(path, 1)[0]
            filled = _filled(answers[path.name])
            boxes = _laid(bubbles, image)
            targets = tuple(
                Target(b.group, b.value, box, filled.get(b.group) == b.value)
                for b, box in zip(bubbles, boxes, strict=True)
            )
            yield Labelled("sheets", path.stem, 1, image, targets)


def _filled(row: dict[str, str]) -> dict[str, str]:
    """Return the one letter or digit that is filled in each group of a sheet."""
    found = {}
    for name, value in row.items():
        if name in ("Last Name", "First Name", "Middle Name", "Student ID", "Course ID"):
            found |= {f"{name}.{i}": letter for i, letter in enumerate(value)}
        elif name != "Source File":
            found[name] = value
    return found


def _laid(bubbles: Sequence[Bubble], image: pixels.Grey) -> list[Box]:
    """Return where bubbles stand on a page: by its corner marks, then by the circles near them."""
    scale = min(image.shape[1] / _PAGE[0], image.shape[0] / _PAGE[1])
    corners = np.array([_corner(image, i, scale) for i in range(4)], np.float32)
    points = np.array([(b.x, b.y) for b in bubbles], np.float32)[:, None]
    placed = cv2.getPerspectiveTransform(np.array(_CORNERS, np.float32), corners)
    stats = cv2.connectedComponentsWithStats((image < 128).astype(np.uint8))[2][1:, :4]
    side = _DIAMETER * scale
    round_ones = stats[np.all(abs(stats[:, 2:] - side) < 0.2 * side, axis=1)]
    middles = round_ones[:, :2] + round_ones[:, 2:] / 2
    for reach in (0.6, 0.25):
        there = cv2.perspectiveTransform(points, placed)[:, 0]
        away = np.linalg.norm(there[:, None] - middles[None], axis=2)
        near = away.min(axis=1) < reach * side
        partner = middles[away.argmin(axis=1)[near]].astype(np.float32)
        placed, _ = cv2.findHomography(points[near], partner, cv2.RANSAC, 0.12 * side)
    there = cv2.perspectiveTransform(points, placed)[:, 0]
    reach = side / 2
    return [Box(*(round(float(v)) for v in (x - reach, y - reach, x + reach, y + reach)))
            for x, y in there]  # fmt: skip


def _corner(image: pixels.Grey, which: int, scale: float) -> tuple[float, float]:
    """Return where a corner mark stands: the darkest square, or L, near its corner."""
    side = round(_CORNER_SIDE * scale)
    kernel = np.pad(np.ones((side, side), np.float32), side // 2, constant_values=-1.0)
    if which == 0:
        kernel = np.ones((2 * side, 2 * side), np.float32)
        kernel[side:, side:] = -3.0
    x, y = (v * scale for v in _CORNERS[which])
    reach = round(0.12 * image.shape[1])
    left = min(max(0, round(x) - reach), image.shape[1] - 2 * reach)
    top = min(max(0, round(y) - reach), image.shape[0] - 2 * reach)
    part = 255 - image[top : top + 2 * reach, left : left + 2 * reach].astype(np.float32)
    _, _, _, at = cv2.minMaxLoc(cv2.matchTemplate(part, kernel, cv2.TM_CCORR))
    return left + at[0] + kernel.shape[1] / 2, top + at[1] + kernel.shape[0] / 2


def _forms(folder: Path, split: truth.Split) -> Iterator[Labelled]:
    for row in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        scan = json.loads(row)
        if not truth.in_split(scan["scan"], split):
            continue
        for number in sorted({known["page"] for known in scan["checkboxes"]}):
            path = folder / "scans" / f"{scan['scan']}.tif"
            image, geometry = _cleaned(path, number)
            known = [k for k in scan["checkboxes"] if k["page"] == number]
            boxes = _printed(image, [_moved(k["box"], geometry) for k in known])
            targets = tuple(
                Target(k["label"].rpartition(":")[0] or "one", k["label"], box, k["checked"])
                for k, box in zip(known, boxes, strict=True)
            )
            yield Labelled("fara", scan["scan"], number, image, targets)


def _moved(box: Sequence[float], geometry: PageGeometry) -> Box:
    """Return a box, given in fractions of the original page, on the cleaned page."""
    there = np.array([(0, 0), (1000, 0), (0, 1000)], np.float32)
    came = np.array([geometry.to_original(x, y) for x, y in there.tolist()], np.float32)
    back = cv2.getAffineTransform(came, there)
    width, height = geometry.original
    corners = np.array([(box[i] * width, box[j] * height, 1) for i in (0, 2) for j in (1, 3)])
    on_page = corners @ back.T
    (left, top), (right, bottom) = on_page.min(axis=0), on_page.max(axis=0)
    return Box(round(left), round(top), round(right), round(bottom))


def _printed(image: pixels.Grey, boxes: Sequence[Box]) -> list[Box]:
    """Take labels that enclose a mark, too, down to the printed square, sized as the smallest."""
    width, height = min(b.width for b in boxes), min(b.height for b in boxes)
    ink = (image < 128).astype(np.float32)
    found = []
    for box in boxes:
        if box.width > 1.2 * width or box.height > 1.2 * height:
            box = _square_within(ink, box, width - 3, height - 3)
        found.append(box)
    return found


def _square_within(ink: NDArray[np.float32], box: Box, width: int, height: int) -> Box:
    """Return where in a box the outline fits best whose faintest side is most there."""
    left, top = box.left - 3, box.top - 3
    part = cv2.dilate(ink[top : box.bottom + 3, left : box.right + 3], np.ones((3, 3)))
    fits = []
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        line = np.zeros((height, width), np.float32)
        line[edge] = 1 / np.count_nonzero(line[edge] == 0)
        fits.append(cv2.matchTemplate(part, line, cv2.TM_CCORR))
    whole = np.mean(fits, axis=0) + np.min(fits, axis=0)
    y, x = np.unravel_index(int(whole.argmax()), whole.shape)
    return Box(left + int(x), top + int(y), left + int(x) + width, top + int(y) + height)


def _cleaned(path: Path, number: int) -> tuple[pixels.Grey, PageGeometry]:
    """Return a page as the product cleans it, and how it came from the original."""
    settings = configuration.load(ROOT / "config.toml")
    loaded = sources.load_page(path, media_type(path), number, settings)
    frame = pixels.border_mask(loaded.image)
    seen = loaded.image if frame is None else np.where(frame > 0, np.uint8(255), loaded.image)
    may = pixels.Cleaning(True, True, True, True, True)
    lies = find_orientation(seen, judge=ppocr.upright_share)
    clean = pixels.clean(loaded.image, lies, loaded.bitonal, may, frame)
    return clean.image, clean.geometry


def jittered(page: Labelled, share: float, seed: int) -> list[Box]:
    """Return a page's boxes, each moved by up to ``share`` of the page's width, in x and in y."""
    drawn = random.Random(f"{seed} {page.document} {page.page} {share}")
    most = share * page.image.shape[1]
    moved = []
    for box in (target.box for target in page.targets):
        dx, dy = round(drawn.uniform(-most, most)), round(drawn.uniform(-most, most))
        moved.append(Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy))
    return moved


def read(page: Labelled, boxes: Sequence[Box], by: str) -> list[Mark]:
    """Read a page's boxes, all at once or the boxes of each question by themselves."""
    if by == "page":
        return list(read_marks(page.image, boxes))
    groups: dict[str, list[int]] = {}
    for i, target in enumerate(page.targets):
        groups.setdefault(target.group, []).append(i)
    marks: dict[int, Mark] = {}
    for members in groups.values():
        marks |= zip(members, read_marks(page.image, [boxes[i] for i in members]), strict=True)
    return [marks[i] for i in range(len(boxes))]


def measure(
    pages: Sequence[Labelled], share: float, seed: int, by: str, misses: Path | None = None
) -> Tally:
    """Read the boxes of pages, moved by up to a share of the width, and count."""
    tally = Tally()
    for page in pages:
        boxes = jittered(page, share, seed)
        started = time.process_time()
        marks = read(page, boxes, by)
        tally.seconds += time.process_time() - started
        for i, (target, mark) in enumerate(zip(page.targets, marks, strict=True)):
            tally.count(target, mark)
            right = (mark.state is MarkState.MARKED) == target.marked
            if misses and not (right and mark.confidence >= DOUBTFUL):
                _show(page, boxes[i], target, mark, misses / f"{page.document}-{page.page}-{i}.png")
    return tally


def _show(page: Labelled, box: Box, target: Target, mark: Mark, path: Path) -> None:
    """Write a picture of a box that went wrong: expected in red, found in blue."""
    reach = 2 * max(box.width, box.height)
    left, top = max(0, box.left - reach), max(0, box.top - reach)
    part = page.image[top : box.bottom + reach, left : box.right + reach]
    picture = cv2.cvtColor(cv2.resize(part, None, fx=3, fy=3), cv2.COLOR_GRAY2BGR)
    for edges, colour in ((target.box, (0, 160, 0)), (box, (0, 0, 255)), (mark.box, (255, 0, 0))):
        corners = [(3 * (x - left), 3 * (y - top)) for x, y in (edges[:2], edges[2:])]
        cv2.rectangle(picture, *corners, colour, 1)
    said = f"{'marked' if target.marked else 'empty'}: {mark.state} {mark.confidence:.2f}"
    picture = cv2.copyMakeBorder(picture, 0, 20, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    cv2.putText(picture, f"{said} {mark.ink:.2f} {mark.found}", (2, picture.shape[0] - 5),
                cv2.FONT_HERSHEY_SIMPLEX, 0.4, 0)  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table: sets by jitters."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=["tune", "test", "all"], default="tune")
    parser.add_argument("--sets", default="sheets,fara")
    parser.add_argument("--by", choices=["page", "question"], default="page")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--misses", type=Path, help="folder for pictures of what went wrong")
    wanted = parser.parse_args(arguments)
    print("| set | jitter | boxes | right among sure | doubtful | wrong | found | ms a box |")
    print("|---|---|---|---|---|---|---|---|")
    for name in wanted.sets.split(","):
        pages = list(load(wanted.data, wanted.split, [name]))
        for share in JITTERS:
            tallies = [
                measure(pages, share, seed, wanted.by, wanted.misses and wanted.misses / f"{share}")
                for seed in range(wanted.seed, wanted.seed + (wanted.seeds if share else 1))
            ]
            print(_row(name, share, tallies), flush=True)


def _row(name: str, share: float, tallies: Sequence[Tally]) -> str:
    total = {f: sum(getattr(t, f) for t in tallies) for f in Tally.__slots__}
    boxes, sure = max(1, total["boxes"]), max(1, total["right"] + total["wrong"])
    return (
        f"| {name} | {share:.1%} | {total['boxes']} | {total['right'] / sure:.2%}"
        f" | {total['doubtful'] / boxes:.2%} | {total['wrong']} | {total['found'] / boxes:.1%}"
        f" | {total['seconds'] / boxes * 1000:.2f} |"
    )


if __name__ == "__main__":
    main()
