"""benchmarks.pairs: when a found pair is right, and how the truth is put together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import pairs
from benchmarks.pairs import PairCounts, TruePair
from benchmarks.readings import Reading
from benchmarks.truth import Counts, LabelledPage
from records.geometry import Box, untouched
from records.model import Line, Pair, Word

LABEL, VALUE, ELSEWHERE = Box(0, 0, 50, 20), Box(100, 0, 200, 20), Box(0, 500, 50, 520)
TRUE = TruePair("Date of burial:", "22 Aug. 1974", LABEL, VALUE)
FOUND = Pair("Date of burial", "22 Aug 1974", LABEL, VALUE, 0.9)


def counts(found: list[Pair], true: list[TruePair]) -> tuple[int, int, int]:
    """Return how many are right by place, in lenient and in strict reading."""
    made = pairs.count_pairs(found, true)
    return made.places.right, made.lenient.right, made.strict.right


def entity(number: int, label: str, *texts: tuple[str, Box]) -> tuple[dict[str, Any], list[Any]]:
    """Return an entity as FUNSD has it, and its words."""
    words = [
        {"id": 10 * number + i, "text": text, "box": list(box)}
        for i, (text, box) in enumerate(texts)
    ]
    of_entity = {"entity_id": number, "label": label, "word_idx": [w["id"] for w in words]}
    return of_entity, words


def annotation(links: list[list[int]], *made: tuple[dict[str, Any], list[Any]]) -> dict[str, Any]:
    return {
        "document": [{"words": words} for _, words in made],
        "label_entities": [of_entity for of_entity, _ in made],
        "label_linkings": links,
    }


QUESTION = entity(0, "question", ("Lots:", LABEL))
LOWER = entity(1, "answer", ("31", Box(100, 40, 120, 60)))
RIGHT = entity(2, "answer", ("23", Box(150, 3, 170, 23)))
LEFT = entity(3, "answer", ("17", Box(100, 5, 120, 25)))


def test_a_question_and_all_its_answers_are_one_pair() -> None:
    """Several answers of one question are joined row by row, each row from left to right."""
    links = [[0, 1], [0, 2], [0, 3]]
    (pair,) = pairs.true_pairs(annotation(links, QUESTION, LOWER, RIGHT, LEFT))
    assert (pair.label, pair.value) == ("Lots:", "17 23 31")
    assert pair.value_box == Box(100, 3, 170, 60)


def test_each_link_can_be_counted_on_its_own() -> None:
    """A link that is told twice is one link."""
    links = pairs.true_links(annotation([[0, 1], [0, 2], [0, 1]], QUESTION, LOWER, RIGHT))
    assert [link.value for link in links] == ["31", "23"]


def test_what_nobody_could_read_makes_no_pair() -> None:
    """Words <unk> are left out, and a question or answer of nothing else has no pair."""
    unknown = entity(4, "answer", ("<unk>", VALUE))
    partly = entity(5, "answer", ("<unk>", VALUE), ("12", Box(300, 0, 320, 20)))
    page = annotation([[0, 4], [0, 5]], QUESTION, unknown, partly)
    assert [(p.value, p.value_box) for p in pairs.true_links(page)] == [
        ("12", Box(300, 0, 320, 20))
    ]


def test_only_a_question_with_an_answer_is_a_pair() -> None:
    """A header's link to its questions is none."""
    header = entity(6, "header", ("CEMETERY", ELSEWHERE))
    assert pairs.true_pairs(annotation([[6, 0], [0, 6]], header, QUESTION)) == ()


def test_case_blanks_and_punctuation_do_not_count() -> None:
    """The same letters and digits at the same places are right in every meaning."""
    assert counts([replace(FOUND, label="DATE OF BURIAL")], [TRUE]) == (1, 1, 1)


def test_a_misread_letter_is_forgiven_but_not_in_strict() -> None:
    """Lenient is for how well pairs are found, strict for what a person would have to correct."""
    assert counts([replace(FOUND, label="Date of buriel")], [TRUE]) == (1, 1, 0)


def test_another_text_is_right_by_place_alone() -> None:
    """Both label and value must read alike."""
    assert counts([replace(FOUND, value="Casket")], [TRUE]) == (1, 0, 0)
    assert counts([replace(FOUND, label="Charges")], [TRUE]) == (1, 0, 0)


@pytest.mark.parametrize(
    "found", [replace(FOUND, label_box=ELSEWHERE), replace(FOUND, value_box=ELSEWHERE)]
)
def test_the_right_words_at_another_place_are_wrong(found: Pair) -> None:
    """A form asks for a date more than once."""
    assert counts([found], [TRUE]) == (0, 0, 0)


def test_a_true_pair_is_found_once() -> None:
    """A second finding of the same pair is one too many."""
    made = pairs.count_pairs([FOUND, FOUND], [TRUE])
    assert made.lenient == Counts(1, 2, 1)


def test_the_pair_that_reads_more_alike_is_served_first() -> None:
    """Of two that overlap both true pairs, each gets the one that it reads like."""
    other = replace(TRUE, value="23 Aug. 1974")
    found = [FOUND, replace(FOUND, value="23 Aug 1974")]
    assert counts(found, [other, TRUE]) == (2, 2, 2)


def test_pages_are_added_up() -> None:
    """Totals are micro-averages; no page at all divides by nothing."""
    one = PairCounts(Counts(1, 1, 1), Counts(1, 1, 1), Counts(0, 1, 1))
    assert pairs.total([one, one]).strict == Counts(0, 2, 2)
    assert pairs.total([]).lenient.f1 == 0


def test_boxes_are_brought_to_the_original() -> None:
    """The truth lies in the original, what was found in the cleaned page."""
    doubled = replace(untouched(300, 600), scale=2.0)
    (pair,) = pairs.on_original([FOUND], doubled)
    assert (pair.label_box, pair.value_box) == (Box(0, 0, 25, 10), Box(50, 0, 100, 10))


@pytest.fixture
def page(tmp_path: Path) -> LabelledPage:
    """A page of FUNSD's layout with one pair."""
    for name in ("images", "jsons"):
        (tmp_path / name).mkdir()
    answer = entity(1, "answer", ("17", VALUE))
    told = annotation([[0, 1]], QUESTION, answer)
    (tmp_path / "jsons" / "a.json").write_text(json.dumps(told), encoding="utf-8")
    image = tmp_path / "images" / "a.png"
    return LabelledPage("funsd", "a", image, 1, (), None, False, (), False)


LINES = (Line((Word("Lots:", LABEL, 0.9), Word("17", VALUE, 0.9))),)
READING = Reading(LINES, b"", untouched(300, 600), "test", False, 0.0)


def test_a_page_is_scored_from_its_files(page: LabelledPage) -> None:
    """The truth of an image is the JSON of its name."""
    score = pairs.score_page(page, READING)
    assert score.whole.strict == score.links.strict == Counts(1, 1, 1)
    assert score.milliseconds > 0


def test_the_table_tells_every_meaning(
    page: LabelledPage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Questions and links are told apart, and each by place, lenient and strict."""
    pairs.print_scores([pairs.score_page(page, READING)])
    said = capsys.readouterr().out
    assert all(word in said for word in ("questions", "links", "lenient", "strict", "places"))
    assert "1.000" in said
