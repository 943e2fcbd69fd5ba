"""How far a confidence can be believed: fit its tables on labelled pages, check them on others.

    python -m benchmarks.calibration --data DIR --fit [--cache DIR]
    python -m benchmarks.calibration --data DIR --check [--cache DIR] [--svg FILE]

DIR holds the sets that ``benchmarks.truth`` tells of. To these come samples of the project's own,
made by ``python -m scans.make`` with seeds that nothing else uses. ``--fit`` takes the half
``tune`` and writes ``ocr/calibration.json``; ``--check`` takes the half ``test`` and prints how
often words and fields are right, by their confidence. ``--cache`` keeps what the readers saw of
each page, which takes nearly all of the time, and the samples; empty it when reading changes.

Each page counts twice, joined as the modes ``tesseract`` and ``both`` do. Where two readings
differ, each is judged as though it had been taken. A word is right as
``truth.matched_words`` has it: its letters and digits, whatever their case. Of ``typewritten`` and
``handwriting``, whose letterheads and notes are not in the truth, only words are judged that
touch a line that is; of ``fara``, whose boxes of several lines hold the form's own print too, only
words in boxes of one line.

A table is an isotonic curve (pool adjacent violators; Ayer et al., 1955; Zadrozny and Elkan,
2002). The expected calibration error (Naeini et al., 2015) is over 15 bins of as many words each.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import truth
from benchmarks.machine import ROOT, describe
from digitize import (
    extract,
    form_file,
    identify,
    scan,
    second_look,
    signatures,
    sources,
    values,
)
from ocr import calibration, joining
from ocr.calibration import Kind, Tables
from ocr.joining import SecondLine
from ocr.reading import ReadFailure, mean_confidence
from records import settings as configuration
from records.geometry import PageGeometry
from records.model import FieldStatus, Line, Word

SETS = ("funsd", "sroie", "typewritten", "office", "handwriting", "fara")
SEEDS: Mapping[truth.Split, tuple[int, ...]] = {"tune": (31, 32), "test": (33,)}
MODES = ("tesseract", "both")
TABLES = ROOT / "ocr" / "calibration.json"
# Sets whose truth leaves out some of the writing on a page.
_WITH_GAPS = ("typewritten", "handwriting")
# A field's box of FARA that is higher than this share of the page is of several lines.
_ONE_LINE = 0.022
_MOST_POINTS = 12
# No point stands on fewer answers than this, and none says less or more than these.
_LEAST_COUNT, _LEAST, _MOST = 50, 0.01, 0.999
_BINS = 15
_SURE = 0.99


@dataclass(frozen=True, slots=True)
class Seen:
    """What the readers saw on a page, not joined; boxes in the frame of the cleaned page ``png``.

    Of pages that are no samples the picture is not kept.
    """

    page: truth.LabelledPage
    first: tuple[Line, ...]
    second: tuple[SecondLine, ...]
    geometry: PageGeometry
    png: bytes
    reader: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Something that was read: where, how sure its reader was (0 to 1), whether it is right."""

    set: str
    mode: str
    kind: Kind
    score: float
    right: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve: mean score, probability, and how many answers it stands on."""

    score: float
    probability: float
    count: int


@dataclass(frozen=True, slots=True)
class Recorder(Tables):
    """Tables by whose probabilities a word's kind and score are found again.

    Of two readings that differ, ``wanted`` is taken.
    """

    wanted: Kind
    asked: dict[float, tuple[Kind, float]] = field(default_factory=dict)

    def probability(self, kind: Kind, score: float) -> float:
        """Return a number of its own for each question, high enough for the word to be kept."""
        differ = kind in (Kind.FIRST_OF_TWO, Kind.SECOND_OF_TWO)
        number = (0.4 if differ and kind is not self.wanted else 0.9) - len(self.asked) * 1e-7
        self.asked[number] = (kind, score)
        return number


# What the readers see


def labelled(data: Path, split: truth.Split, samples: Path) -> list[truth.LabelledPage]:
    """Return the pages of a half, with samples made afresh in a folder where they are not yet."""
    pages: list[truth.LabelledPage] = []
    for seed in SEEDS[split]:
        folder = samples / f"seed-{seed}"
        if not folder.is_dir():
            command = [sys.executable, "-m", "scans.make", "--out", str(folder / "samples")]
            subprocess.run(
                [*command, "--seed", str(seed)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
            )
        pages += truth.SETS["samples"](folder)
    return pages + truth.load(data, SETS, None, 0, split)


def see(pages: Iterable[truth.LabelledPage], cache: Path) -> Iterator[Seen]:
    """Yield what the readers see on pages; without those that are blank or cannot be read."""
    os.environ["OMP_THREAD_LIMIT"] = "1"
    settings = configuration.load(ROOT / "config.toml")
    settings = replace(settings, read=replace(settings.read, mode="both"))
    with tempfile.TemporaryDirectory() as workspace:
        for page in pages:
            key = hashlib.sha256(f"{page.image}#{page.page}".encode()).hexdigest()[:20]
            kept = cache / f"{key}.pickle"
            if kept.exists():
                seen = pickle.loads(kept.read_bytes())
            else:
                seen = _see_page(page, settings, Path(workspace))
                kept.write_bytes(pickle.dumps(seen))
            if seen is not None:
                yield replace(seen, page=page)


def _see_page(
    page: truth.LabelledPage, settings: configuration.Settings, workspace: Path
) -> Seen | None:
    kind = signatures.media_type(page.image)
    loaded = sources.load_page(page.image, kind, page.page, settings)
    if loaded.lines is not None:
        return None
    read = scan.read_scan(loaded, scan.Bench(settings, workspace, "page"))
    if isinstance(read, ReadFailure) or read.page.blank:
        return None
    second = second_look.second_reading(read, settings.read)
    png = read.png if page.set == "samples" else b""
    return Seen(page, read.reading.lines, second, read.page.geometry, png, read.reading.reader)


def joined(seen: Seen, mode: str, tables: Tables) -> tuple[Line, ...]:
    """Return a page's words as a mode makes them."""
    if mode == "tesseract":
        return joining.calibrated(seen.first, tables)
    return joining.join(seen.first, seen.second, frozenset(), tables)


# Words, right or wrong


def judge(seen: Seen, lines: Iterable[Line]) -> list[tuple[Word, bool]]:
    """Return the words of a page that can be judged, each with whether it is right."""
    words = [word for line in lines for word in line.words]
    place = seen.geometry.box_on_original
    placed = [replace(word, box=place(word.box)) for word in words]
    verdicts = truth.matched_words(placed, _without_gaps(seen))
    return [(word, v) for word, v in zip(words, verdicts, strict=True) if v is not None]


def _without_gaps(seen: Seen) -> truth.LabelledPage:
    """Return a page that says nothing of places where its truth leaves out some of the writing."""
    page = seen.page
    if page.set == "fara":
        most = _ONE_LINE * seen.geometry.original[1]
        words = tuple(w for w in page.words or () if w.box and w.box.height <= most)
        return replace(page, words=words)
    return replace(page, partial=True) if page.set in _WITH_GAPS else page


def by_kind(seen: Seen) -> list[Judged]:
    """Judge a page's readings in both modes, and of two readings that differ each.

    A reading of several words is right when all of them are: it is taken or left as a whole.
    """
    found = []
    for mode, wanted in (
        ("tesseract", Kind.FIRST_OF_TWO), ("both", Kind.FIRST_OF_TWO), ("both", Kind.SECOND_OF_TWO)
    ):  # fmt: skip
        recorder = Recorder({}, wanted)
        right: dict[float, bool] = {}
        for word, verdict in judge(seen, joined(seen, mode, recorder)):
            right[word.confidence] = right.get(word.confidence, True) and verdict
        for number, verdict in right.items():
            kind, score = recorder.asked[number]
            if wanted is Kind.FIRST_OF_TWO or kind is wanted:  # all others are known by then
                found.append(Judged(seen.page.set, mode, kind, score, verdict))
    return found


def by_confidence(seen: Seen, tables: Tables) -> list[Judged]:
    """Judge a page's words in both modes by the confidence that a user sees."""
    return [
        Judged(seen.page.set, mode, Kind.ALONE, word.confidence, right)
        for mode in MODES
        for word, right in judge(seen, joined(seen, mode, tables))
    ]


# Curves


def isotonic(answers: Iterable[tuple[float, bool]]) -> list[Point]:
    """Fit a curve that never falls: the shares of right answers, shrunk, at mean scores.

    A share is shrunk by one answer more, half right. Raises ValueError without answers.
    """
    blocks: list[tuple[float, int, int]] = []  # sum of scores, right, count
    tied: dict[float, Counter[bool]] = {}
    for score, right in answers:
        tied.setdefault(score, Counter())[right] += 1
    if not tied:
        raise ValueError("There is nothing to fit a curve to.")
    for score in sorted(tied):
        count = tied[score].total()
        blocks.append((score * count, tied[score][True], count))
        # No share is shrunk here: single answers would be, and fall behind all before them.
        while len(blocks) > 1 and _falls(*blocks[-2:]):
            blocks[-2:] = [_merged(*blocks[-2:])]
    return [Point(total / count, _share((total, right, count)), count)
            for total, right, count in _thinned(blocks)]  # fmt: skip


def _falls(one: tuple[float, int, int], two: tuple[float, int, int]) -> bool:
    return one[1] * two[2] >= two[1] * one[2]


def _share(block: tuple[float, int, int]) -> float:
    _, right, count = block
    return (right + 0.5) / (count + 1)


def _merged(one: tuple[float, int, int], two: tuple[float, int, int]) -> tuple[float, int, int]:
    return one[0] + two[0], one[1] + two[1], one[2] + two[2]


def _thinned(blocks: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Merge small and like neighbours until there are few; the shares still rise."""
    blocks = list(blocks)

    def cost(i: int) -> tuple[bool, float]:
        one, two = blocks[i], blocks[i + 1]
        both = _share(_merged(one, two))
        apart = (_share(two) - _share(one)) ** 2 / (both * (1 - both))
        enough = min(one[2], two[2]) >= _LEAST_COUNT
        return enough, apart * one[2] * two[2] / (one[2] + two[2])

    while len(blocks) > 1:
        best = min(range(len(blocks) - 1), key=cost)
        if len(blocks) <= _MOST_POINTS and cost(best)[0]:
            break
        blocks[best : best + 2] = [_merged(blocks[best], blocks[best + 1])]
    return blocks


def as_table(points: Sequence[Point]) -> list[list[float]]:
    """Return a curve as the rows of a table: scores rising, probabilities never falling."""
    rows: dict[float, float] = {}
    highest = _LEAST
    for point in points:
        highest = min(max(highest, point.probability), _MOST)
        rows[round(point.score, 4)] = round(highest, 4)
    return [[score, probability] for score, probability in rows.items()]


def calibration_error(answers: Sequence[tuple[float, bool]], bins: int = _BINS) -> float:
    """Return the expected calibration error over bins of as many answers each; 0 for none."""
    return sum(
        abs(said - right) * count / len(answers)
        for said, right, count in reliability(answers, bins)
    )


def reliability(
    answers: Sequence[tuple[float, bool]], bins: int = _BINS
) -> list[tuple[float, float, int]]:
    """Return mean confidence, share right and count of each bin, the least sure first."""
    ordered = sorted(answers, key=lambda answer: answer[0])
    edges = [round(i * len(ordered) / bins) for i in range(bins + 1)]
    parts = [ordered[a:b] for a, b in itertools.pairwise(edges) if a < b]
    return [
        (sum(s for s, _ in part) / len(part), sum(r for _, r in part) / len(part), len(part))
        for part in parts
    ]


# Fields


@dataclass(frozen=True, slots=True)
class Answered:
    """A written answer of a sample form: how it was filled in, how sure its reader was (0 to 1).

    ``shown`` says that a person sees it however sure the reading is: it breaks a rule.
    """

    way: str
    confidence: float
    right: bool
    shown: bool


def answers(seen: Seen, lines: tuple[Line, ...], known: Mapping[str, Any]) -> list[Answered]:
    """Hold the written answers of a sample's page against its truth; none where it is no form.

    ``known`` are the form templates by name. Empty answers have no words to be sure of, and are
    left out.
    """
    truths = seen.page.image.parent.with_name(f"{seen.page.image.parent.name}-truth")
    text = (truths / f"{seen.page.image.name}.json").read_text(encoding="utf-8")
    pages = {page["number"]: page for page in json.loads(text)["pages"]}
    page = pages[seen.page.page]
    found = identify.identify(lines, known)
    if found is None or found.form.role != "form" or found.form.name != page["form"]:
        return []
    image = cv2.imdecode(np.frombuffer(seen.png, np.uint8), cv2.IMREAD_GRAYSCALE)
    fields = extract.extract(
        found,
        lines,
        np.asarray(image, np.uint8),
        1,
        seen.reader,
        extract.Asked(0.0, values.Reading(False, "US")),
    )
    return [
        Answered(page["filled"], f.confidence, f.value == page["values"][f.name],
                 f.status is not FieldStatus.OK)
        for f in fields
        if f.kind in values.TEXT_KINDS and f.raw and f.name in page["values"]
    ]  # fmt: skip


def all_answers(pages: Iterable[Seen], mode: str) -> list[Answered]:
    """Return the answers of all samples, read with the shipped tables."""
    known = form_file.load_forms(configuration.load(ROOT / "config.toml"))
    tables = calibration.shipped()
    samples = (seen for seen in pages if seen.page.set == "samples")
    return [a for seen in samples for a in answers(seen, joined(seen, mode, tables), known)]


# Fit


def fit(seen: Sequence[Seen], command: str) -> None:
    """Write the tables: those of words first, since answers are made of words."""
    judged: dict[Kind, list[tuple[float, bool]]] = {}
    for page in seen:
        for word in by_kind(page):
            judged.setdefault(word.kind, []).append((word.score, word.right))
    made = {
        "made": command,
        "pages": dict(Counter(page.page.set for page in seen)),
        "tables": {kind: as_table(isotonic(judged[kind])) for kind in Kind if kind in judged},
    }
    _write(made | {"tables": made["tables"] | {Kind.FIELD: [[0.0, 0.0], [1.0, 1.0]]}})
    fields = [(a.confidence, a.right) for mode in MODES for a in all_answers(seen, mode)]
    made["tables"][Kind.FIELD] = as_table(isotonic(fields))
    _write(made)
    for kind in Kind:
        print(f"{kind:<14} {len(judged.get(kind, fields)):>6}  {made['tables'][kind]}")


def _write(made: Mapping[str, Any]) -> None:
    """Write the tables' file, a line a table, and have it read again."""
    rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in made["tables"].items())
    head = "".join(f'"{key}": {json.dumps(made[key])},\n' for key in ("made", "pages"))
    TABLES.write_text(f'{{\n{head}"tables": {{\n{rows}\n}}\n}}\n', encoding="utf-8")
    calibration.shipped.cache_clear()


# Check


def check(seen: Sequence[Seen]) -> dict[str, list[Judged]]:
    """Print how often words and answers are right by their confidence; return the words by mode."""
    tables = calibration.shipped()
    judged = [word for page in seen for word in by_confidence(page, tables)]
    print("words          set             count   right    ECE    at 0.99 and up     wrong there")
    for mode in MODES:
        of_mode = [word for word in judged if word.mode == mode]
        for name in (*dict.fromkeys(word.set for word in of_mode), "all"):
            print_row(mode, name, [w for w in of_mode if name in (w.set, "all")])
    print_row("all", "all", judged)
    for mode in MODES:
        print(f"\n{mode}: confidence, share right, words")
        of_mode = [(word.score, word.right) for word in judged if word.mode == mode]
        for said, right, count in reliability(of_mode):
            print(f"  {said:.3f}  {right:.3f}  {count}")
    print_fields(all_answers(seen, "both"))
    print_pages(seen, tables)
    return {mode: [word for word in judged if word.mode == mode] for mode in MODES}


def print_row(mode: str, name: str, words: Sequence[Judged]) -> None:
    """Print one line of the table of words."""
    error = calibration_error([(word.score, word.right) for word in words])
    right = sum(word.right for word in words) / len(words)
    sure = [word for word in words if word.score >= _SURE]
    wrong = sum(not word.right for word in sure)
    print(
        f"{mode:<14} {name:<14} {len(words):>6}  {right:>6.3f} {error:>6.3f}"
        f"  {len(sure):>6} ({len(sure) / len(words):>5.1%})"
        + (f"  {wrong:>5} ({wrong / len(sure):.2%})" if sure else "")
    )


def print_fields(found: Sequence[Answered]) -> None:
    """Print how right answers are, and what would pass unseen at several ``forms.sure``."""
    print("\nanswers of samples (both)   count   right    ECE")
    ways = (*dict.fromkeys(answer.way for answer in found), "all")
    for way in ways:
        of_way = [a for a in found if way in (a.way, "all")]
        error = calibration_error([(a.confidence, a.right) for a in of_way], 10)
        right = sum(a.right for a in of_way) / len(of_way)
        print(f"{way:<26} {len(of_way):>6}  {right:>6.3f} {error:>6.3f}")
    for said, right, count in reliability([(a.confidence, a.right) for a in found], 10):
        print(f"  {said:.3f}  {right:.3f}  {count}")
    print("\nforms.sure  answers     unseen            wrong among them")
    for sure in (0.75, 0.8, 0.85, 0.9, 0.95):
        for way in ways:
            of_way = [a for a in found if way in (a.way, "all")]
            unseen = [a for a in of_way if a.confidence >= sure and not a.shown]
            wrong = sum(not a.right for a in unseen)
            print(
                f"{sure:<11} {way:<10} {len(unseen):>5} ({len(unseen) / len(of_way):>6.1%})"
                f"  {wrong:>5} ({wrong / max(len(unseen), 1):.1%})"
            )


def print_pages(seen: Sequence[Seen], tables: Tables) -> None:
    """Print for several ``forms.page_sure`` how many pages a person would be shown."""
    pages = []
    for page in seen:
        lines = joined(page, "both", tables)
        verdicts = [right for _, right in judge(page, lines)]
        if len(verdicts) >= 5:
            pages.append((mean_confidence(lines), sum(verdicts) / len(verdicts)))
    print("\nforms.page_sure  pages below  words right there  pages above  with under 0.7 right")
    for sure in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85):
        below = [right for said, right in pages if said < sure]
        above = [right for said, right in pages if said >= sure]
        print(
            f"{sure:<15} {len(below):>12}  {sum(below) / max(len(below), 1):>17.2f}"
            f"  {len(above):>11}  {sum(right < 0.7 for right in above):>20}"
        )


# The picture

_SIDE, _EDGE = 320, 46
_INK = {"tesseract": "#b5541c", "both": "#1f5fa8"}


def diagram(words: Mapping[str, Sequence[Judged]]) -> str:
    """Return the reliability diagram as SVG: confidence against share right, 10 even bins.

    A dot's area goes with the logarithm of its count; bins of fewer than 20 words are left out.
    """

    def at(x: float, y: float) -> str:
        return f"{_EDGE + x * _SIDE:.1f},{_EDGE / 2 + (1 - y) * _SIDE:.1f}"

    size = _SIDE + 2 * _EDGE
    shapes = [f'<polyline class="even" points="{at(0, 0)} {at(1, 1)}"/>']
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        (x, y), (_, foot) = at(tick, tick).split(","), at(0, 0).split(",")
        shapes += [
            f'<polyline class="grid" points="{at(tick, 0)} {at(tick, 1)}"/>',
            f'<polyline class="grid" points="{at(0, tick)} {at(1, tick)}"/>',
            f'<text x="{x}" y="{float(foot) + 15:.1f}" text-anchor="middle">{tick}</text>',
            f'<text x="{_EDGE - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{tick}</text>',
        ]
    for row, (mode, judged) in enumerate(words.items()):
        ink = _INK[mode]
        dots = even_bins([(word.score, word.right) for word in judged])
        line = " ".join(at(said, right) for said, right, _ in dots)
        shapes.append(f'<polyline fill="none" stroke="{ink}" stroke-width="1.5" points="{line}"/>')
        for said, right, count in dots:
            x, y = at(said, right).split(",")
            shapes.append(
                f'<circle cx="{x}" cy="{y}" r="{1 + np.sqrt(np.log10(count)) * 1.6:.1f}"'
                f' fill="{ink}"><title>{count} words: {said:.3f} said, {right:.3f} right</title>'
                "</circle>"
            )
        shapes.append(f'<text x="{_EDGE + 12}" y="{_EDGE + row * 18}" fill="{ink}">{mode}</text>')
    shapes += [
        f'<text x="{size / 2}" y="{size - 14}" text-anchor="middle">confidence</text>',
        f'<text x="12" y="{size / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {size / 2})">share of words that are right</text>',
    ]
    style = (
        "text{font:12px sans-serif}.grid{stroke:#ddd;fill:none}"
        ".even{stroke:#888;stroke-dasharray:4 4;fill:none}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img">\n'
        f"<title>Confidence against share of words right, on pages not fitted on</title>\n"
        f"<style>{style}</style>\n"
        f'<rect width="{size}" height="{size}" fill="#fff"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def even_bins(answers: Sequence[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    """Return mean confidence, share right and count in each tenth from 0 to 1, if 20 and more."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for score, right in answers:
        bins.setdefault(min(int(score * 10), 9), []).append((score, right))
    return [
        (sum(s for s, _ in part) / len(part), sum(r for _, r in part) / len(part), len(part))
        for _, part in sorted(bins.items())
        if len(part) >= 20
    ]


# The command


def main() -> None:
    """Fit, check, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cache", type=Path, metavar="DIR")
    parser.add_argument("--svg", type=Path, metavar="FILE")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        cache = wanted.cache or Path(made)
        cache.mkdir(parents=True, exist_ok=True)
        if wanted.fit:
            seen = list(see(labelled(wanted.data, "tune", cache), cache))
            fit(seen, "python -m benchmarks.calibration --data DIR --fit")
        if wanted.check:
            print(describe())
            words = check(list(see(labelled(wanted.data, "test", cache), cache)))
            if wanted.svg:
                wanted.svg.write_text(diagram(words), encoding="utf-8")


if __name__ == "__main__":
    main()
