"""How right label-value pairs are that are found on forms without a template (FUNSD).

    python -m benchmarks.pairs --data DIR [--split tune|test|all] [--cache DIR] [--mode MODE]

DIR holds ``funsd`` as ``benchmarks.truth`` tells of it. Pairs are found among the words that we
read ourselves, the whole way from the file, with ``read.mode`` = MODE; ``--cache`` keeps each
page's reading in a file of its own, so that another run need not read again. Halves are those of
``benchmarks.truth``: what is tuned is tuned on ``tune``.

A true pair is a question with the answers that are linked to it, both with text once the words
``<unk>`` are left out. Several answers of one question are one value, joined in reading order;
``links`` are each link on its own, as others count. A found pair is right when it stands for a
true one that no other stands for:

========  ========================================================================================
places    label and value each overlap the true one: three tenths of the smaller box
lenient   and both read alike: without case, blanks and punctuation, a rapidfuzz ratio of 80 or
          more. A letter or two that were misread are forgiven, a missing word of many too
strict    and both are equal without case, blanks and punctuation
========  ========================================================================================
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from benchmarks import truth
from benchmarks.machine import describe
from benchmarks.readings import Reading, readings
from benchmarks.truth import Counts, LabelledPage
from digitize.identify import letters
from digitize.pairs import find_pairs
from records.geometry import Box, PageGeometry, union
from records.model import Pair

_UNKNOWN = "<unk>"
# How like a true text its reading must be (rapidfuzz ratio, 0 to 100).
_ALIKE = 80.0
# Of the smaller of two boxes so much must lie in the other for them to be at one place.
_SAME_PLACE = 0.3


@dataclass(frozen=True, slots=True)
class TruePair:
    """A question and its answer as people have written them down; pixels of the original."""

    label: str
    value: str
    label_box: Box
    value_box: Box


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many pairs were right, were found and are true, by each meaning of right."""

    places: Counts
    lenient: Counts
    strict: Counts

    def __add__(self, other: PairCounts) -> PairCounts:
        return PairCounts(
            self.places + other.places, self.lenient + other.lenient, self.strict + other.strict
        )


@dataclass(frozen=True, slots=True)
class PageScore:
    """One page: its pairs counted by question and by link, and how long finding them took."""

    name: str
    whole: PairCounts
    links: PairCounts
    milliseconds: float


# The truth


def true_pairs(annotation: dict[str, Any]) -> tuple[TruePair, ...]:
    """Return the questions of a FUNSD page, each with all that is linked to it as one value."""
    answers: dict[int, list[_Entity]] = {}
    questions: dict[int, _Entity] = {}
    for question, answer in _links(annotation):
        questions[question.id] = question
        answers.setdefault(question.id, []).append(answer)
    return tuple(
        TruePair(
            question.text,
            " ".join(answer.text for answer in in_reading_order(answers[question.id])),
            question.box,
            union([answer.box for answer in answers[question.id]]) or question.box,
        )
        for question in questions.values()
    )


def true_links(annotation: dict[str, Any]) -> tuple[TruePair, ...]:
    """Return every link of a question with one of its answers as a pair of its own."""
    return tuple(
        TruePair(question.text, answer.text, question.box, answer.box)
        for question, answer in _links(annotation)
    )


@dataclass(frozen=True, slots=True)
class _Entity:
    """A labelled run of words."""

    id: int
    label: str
    text: str
    box: Box


def _links(annotation: dict[str, Any]) -> Iterator[tuple[_Entity, _Entity]]:
    """Yield the questions and answers that are linked, where both have known words."""
    words = {word["id"]: word for part in annotation["document"] for word in part["words"]}
    entities: dict[int, _Entity] = {}
    for labelled in annotation["label_entities"]:
        of_entity = [words[i] for i in labelled["word_idx"] if words[i]["text"] != _UNKNOWN]
        text = " ".join(word["text"] for word in of_entity).strip()
        box = union([Box(*word["box"]) for word in of_entity])
        if text and box:
            number = labelled["entity_id"]
            entities[number] = _Entity(number, labelled["label"], text, box)
    for start, end in dict.fromkeys(tuple(link) for link in annotation["label_linkings"]):
        if start in entities and end in entities:
            question, answer = entities[start], entities[end]
            if (question.label, answer.label) == ("question", "answer"):
                yield question, answer


def in_reading_order(parts: Iterable[_Entity]) -> list[_Entity]:
    """Return parts by rows, each from left to right; a row is what overlaps its first by half."""
    rows: list[list[_Entity]] = []
    for part in sorted(parts, key=lambda p: p.box.top):
        if rows and _in_row(part.box, rows[-1][0].box):
            rows[-1].append(part)
        else:
            rows.append([part])
    return [part for row in rows for part in sorted(row, key=lambda p: p.box.left)]


def _in_row(box: Box, other: Box) -> bool:
    shared = min(box.bottom, other.bottom) - max(box.top, other.top)
    return shared > 0.5 * min(box.height, other.height)


# What was found, held against it


def on_original(pairs: Iterable[Pair], geometry: PageGeometry) -> tuple[Pair, ...]:
    """Bring the boxes of pairs from the cleaned page to the original."""
    place = geometry.box_on_original
    return tuple(
        replace(pair, label_box=place(pair.label_box), value_box=place(pair.value_box))
        for pair in pairs
    )


def count_pairs(found: Sequence[Pair], true: Sequence[TruePair]) -> PairCounts:
    """Hold pairs against the true ones, all in pixels of the original; see this module's head."""
    near = [
        (i, j)
        for i, one in enumerate(found)
        for j, other in enumerate(true)
        if _same_place(one.label_box, other.label_box)
        and _same_place(one.value_box, other.value_box)
    ]
    like = {(i, j): likeness(found[i], true[j]) for i, j in near}

    def count(least: float) -> Counts:
        able = sorted((n for n in near if like[n] >= least), key=lambda n: -like[n])
        return Counts(_one_to_one(able), len(found), len(true))

    return PairCounts(count(0.0), count(_ALIKE), count(100.0))


def likeness(found: Pair, true: TruePair) -> float:
    """Return how alike (0 to 100) two pairs read: the less alike of their labels and values."""
    texts = ((found.label, true.label), (found.value, true.value))
    return min(fuzz.ratio(letters(one), letters(other)) for one, other in texts)


def _one_to_one(able: Sequence[tuple[int, int]]) -> int:
    """Return how many pairs get a partner when the first of ``able`` are served first."""
    taken: dict[int, int] = {}
    for i, j in able:
        if i not in taken and j not in taken.values():
            taken[i] = j
    return len(taken)


def _same_place(box: Box, other: Box) -> bool:
    smaller = min(box.width * box.height, other.width * other.height)
    return smaller > 0 and box.overlap(other) >= _SAME_PLACE * smaller


def total(counts: Iterable[PairCounts]) -> PairCounts:
    """Add up the counts of pages; precision, recall and F1 of the sum are micro-averages."""
    nothing = Counts(0, 0, 0)
    return sum(counts, PairCounts(nothing, nothing, nothing))


# The pages


def score_page(page: LabelledPage, reading: Reading) -> PageScore:
    """Find the pairs of a page of FUNSD and hold them against its truth."""
    path = page.image.parent.parent / "jsons" / f"{page.image.stem}.json"
    annotation = json.loads(path.read_text(encoding="utf-8"))
    started = time.perf_counter()
    pairs = find_pairs(reading.lines)
    taken = (time.perf_counter() - started) * 1000
    found = on_original(pairs, reading.geometry)
    return PageScore(
        page.name,
        count_pairs(found, true_pairs(annotation)),
        count_pairs(found, true_links(annotation)),
        taken,
    )


# The table


def print_scores(scores: Sequence[PageScore]) -> None:
    """Print precision, recall and F1 by each meaning of right, and how long a page takes."""
    print(f"\n{len(scores)} pages\n                true  found  right  precision  recall     F1")
    for name, counts in (
        ("questions", total(score.whole for score in scores)),
        ("links", total(score.links for score in scores)),
    ):
        for meaning in ("lenient", "strict", "places"):
            made: Counts = getattr(counts, meaning)
            title = f"{name if meaning == 'lenient' else '':<9} {meaning}"
            print(
                f"{title:<17}{made.true:>6} {made.read:>6} {made.right:>6}"
                f"  {made.precision:>9.3f}  {made.recall:>6.3f}  {made.f1:.3f}"
            )
    taken = sorted(score.milliseconds for score in scores)
    if taken:
        print(f"finding them: {sum(taken) / len(taken):.1f} ms a page, {taken[-1]:.1f} at most")


def main() -> None:
    """Read the pages of one half, find their pairs, print the table."""
    wanted = _arguments()
    pages = truth.load(wanted.data, ["funsd"], None, 0, wanted.split)
    print(describe())
    print(f"funsd, split {wanted.split}, mode {wanted.mode}")
    read = readings(((page.image, page.page) for page in pages), wanted.cache, mode=wanted.mode)
    print_scores([score_page(p, r) for p, r in zip(pages, read, strict=True) if r])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--split", choices=("tune", "test", "all"), default="tune")
    parser.add_argument("--cache", type=Path, metavar="DIR")
    parser.add_argument("--mode", default="both")
    return parser.parse_args()


if __name__ == "__main__":
    main()
