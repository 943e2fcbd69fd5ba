"""Random searches of small archives, compared with a search of the plainest kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from whoosh.util.numeric import byte_to_length, length_to_byte

from records.model import DocumentStatus, IndexedDocument
from search import whoosh_index
from search.index import SORTS, Answer, Filters, Request
from search.pages import RECORD_FIELDS
from search.query import parse
from tests.search.fakes import DEPARTMENTS, field, record
from tests.search.plain import Expected, Plain

WORDS = [
    "fence", "fense", "fences", "fencing", "permit", "permits", "permti", "park", "parks",
    "parking", "smith", "smyth", "smithe", "2019", "0412", "2o19", "street", "streets", "stret",
    "the", "the", "the", "of", "of", "a", "brien", "o'brien", "pool", "zoning", "zonimg",
]  # fmt: skip
FIELDS = RECORD_FIELDS | {"fee", "issued", "applicant"}
FORMS = (None, "fence-permit", "complaint")
DATES = (None, "2019-04-12", "2019-05-01", "2020-11-30", "2021-01-05")


def a_record(number: int, chance: random.Random) -> IndexedDocument:
    pages = [" ".join(chance.choices(WORDS, k=chance.randint(0, 30))) for _ in range(3)]
    told = (
        field("fee", str(chance.randint(0, 300)), page=chance.randint(1, 3)),
        field("issued", chance.choice(DATES) or "never", page=chance.randint(1, 3)),
        field("applicant", " ".join(chance.choices(WORDS, k=2)), page=chance.randint(1, 3)),
    )
    return record(
        number,
        *pages[: chance.randint(0, 3)],
        department=chance.choice(DEPARTMENTS),
        form=chance.choice(FORMS),
        date=chance.choice(DATES),
        title=" ".join(chance.choices(WORDS, k=chance.randint(0, 3))),
        status=chance.choice([DocumentStatus.FILED, DocumentStatus.NEEDS_REVIEW]),
        fields=told[: chance.randint(0, 3)],
    )


def a_text(chance: random.Random) -> str:
    def part() -> str:
        one, other = chance.choices([*WORDS, "zzzzz", "fance"], k=2)
        kinds = [
            one, one, one, f"{one} {other}", f'"{one} {other}"', f"{one[:3]}*", f"{one}~",
            f"-{one}", f"({one} OR {other})", f"applicant:{one}", f'applicant:"{one} {other}"',
            f"applicant:{one[:2]}*", f"fee:{chance.randint(0, 150)}..200", "fee:100..",
            "issued:2019", "issued:2019-05..2020", "date:..2020-01-01", "form:fence-permit",
            f"title:{one}",
        ]  # fmt: skip
        return chance.choice(kinds)

    return " ".join(part() for _ in range(chance.choice([0, 1, 1, 2, 2, 3])))


def a_request(chance: random.Random) -> Request:
    def some(values: tuple[str, ...]) -> tuple[str, ...]:
        return chance.choice([(), (), (), tuple(chance.sample(values, 2))])

    return Request(
        query=parse(a_text(chance), FIELDS),
        departments=frozenset(chance.sample(DEPARTMENTS, chance.choice([1, 2, 3, 3]))),
        filters=Filters(
            form=some(("", "fence-permit", "complaint")),
            year=some(("", "2019", "2020")),
            status=some(("filed", "failed", "needs-review")),
        ),
        limit=chance.choice([1, 5, 100]),
        offset=chance.choice([0, 0, 3]),
        sort=chance.choice(SORTS),
    )


def stretch(request: Request) -> slice:
    return slice(request.offset, request.offset + request.limit)


def told(answer: Answer) -> dict[str, dict[str, int]]:
    return {name: {f.value: f.count for f in facets} for name, facets in answer.facets.items()}


def searches(seed: int, documents: list[IndexedDocument]) -> Iterator[tuple[Request, Expected]]:
    chance = random.Random(seed)
    plain = Plain(documents, kept=lambda words: byte_to_length(length_to_byte(words)))
    for _ in range(150):
        request = a_request(chance)
        yield request, plain.search(request)


@pytest.mark.parametrize("seed", range(4))
def test_an_index_equals_the_plain_search(seed: int, tmp_path: Path) -> None:
    """Records, pages, scores, words met, order, totals, facets: all as the plain search has them.

    Words, phrases, prefixes, near words, fields, ranges, filters, sorts; in several segments.
    """
    chance = random.Random(seed)
    documents = [a_record(number, chance) for number in range(1, 41)]
    index = whoosh_index.create(tmp_path / "g", "store-1")
    for begin in range(0, 40, 8):
        index.update(documents[begin : begin + 8], begin + 8)
    for request, expected in searches(seed + 100, documents):
        answer = index.search(request)
        found = [(m.document_id, m.page, m.terms) for m in answer.matches]
        wanted = expected.matches[stretch(request)]
        assert found == [(r, page, terms) for r, page, _, terms in wanted], request
        assert [m.score for m in answer.matches] == pytest.approx([m[2] for m in wanted])
        assert (answer.total, answer.near) == (len(expected.matches), expected.near), request
        assert told(answer) == expected.facets, request


@pytest.mark.parametrize("seed", range(2))
def test_records_that_changed_leave_nothing_behind(seed: int, tmp_path: Path) -> None:
    """After records were put in again, some of them twice, all is found as they are now."""
    chance = random.Random(seed)
    documents = {number: a_record(number, chance) for number in range(1, 41)}
    index = whoosh_index.create(tmp_path / "g", "store-1")
    index.update(list(documents.values()), 40)
    for rev in range(41, 81):
        changed = {number: a_record(number, chance) for number in chance.sample(range(1, 41), 2)}
        documents |= changed
        index.update(list(changed.values()), rev)
    for request, expected in searches(seed, list(documents.values())):
        answer = index.search(request)
        assert (answer.total, answer.near) == (len(expected.matches), expected.near), request
        assert told(answer) == expected.facets, request
        if request.sort != "best":  # the scores know of pages that are no more
            found = [m.document_id for m in answer.matches]
            assert found == [m[0] for m in expected.matches[stretch(request)]], request
