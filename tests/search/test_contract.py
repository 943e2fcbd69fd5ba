"""What every search engine must do, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from records.model import DocumentStatus, IndexedDocument
from search import whoosh_index
from search.generations import BrokenIndexError
from search.index import Answer, Beginning, Engine, Filters, Index, Request
from search.pages import RECORD_FIELDS
from search.query import parse
from tests.search.fakes import DEPARTMENTS, field, record

ENGINES: dict[str, Engine] = {"whoosh": whoosh_index}
FIELDS = RECORD_FIELDS | {"permit_number", "fee", "issued", "applicant"}

SHELF = (
    record(
        1,
        "Fence permit for Patrick O'Brien\nsix feet high",
        "inspection passed",
        form="fence-permit",
        date="2019-04-12",
        title="Fence permit O'Brien",
        fields=(
            field("permit_number", "2019-0412"),
            field("fee", "150.00", "money"),
            field("issued", "2019-05-02", "date"),
            field("applicant", "Patrick O'Brien"),
        ),
    ),
    record(
        2,
        "Noise complaint by Mary Smith against the bar",
        form="complaint",
        date="2020-11-30",
        department="police",
        fields=(field("applicant", "Mary Smith"), field("fee", "0", "money")),
    ),
    record(
        3,
        "cover sheet",
        "Variance for a garage, John Smith, fence removed",
        form="fence-permit",
        date="2021-01-05",
        department="building",
        status=DocumentStatus.NEEDS_REVIEW,
        fields=(
            field("permit_number", "2021-0007", page=2),
            field("fee", "1250.00", "money", page=2),
            field("issued", "2021-02-01", "date", page=2),
        ),
    ),
    record(4, "Minutes of the council, caf\u00e9 licence approved", department="building"),
    record(5, department="clerk", title="Not read yet", status=DocumentStatus.WAITING),
)

Find = Callable[..., Answer]


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def index(engine: Engine, tmp_path: Path) -> Iterator[Index]:
    made = engine.create(tmp_path / "g000001", "store-1")
    made.update(SHELF, 5)
    yield made
    made.close()


def find(
    index: Index,
    text: str,
    departments: Sequence[str] = DEPARTMENTS,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    limit: int = 20,
    offset: int = 0,
    sort: str = "best",
) -> Answer:
    request = Request(parse(text, FIELDS), frozenset(departments), filters, limit, offset, sort)
    return index.search(request)


def ids(answer: Answer) -> list[int]:
    return sorted(match.document_id for match in answer.matches)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fence", [1, 3]),
        ("FENCE", [1, 3]),
        ("fence permit", [1]),
        ("permit inspection", [1]),  # on two pages of one record
        ('"fence permit"', [1]),
        ('"permit fence"', []),
        ('"high inspection"', []),  # not across pages
        ("perm*", [1]),
        ("smyth~", [2, 3]),
        ("smith fence", [3]),
        ("fence OR complaint", [1, 2, 3]),
        ("fence AND smith", [3]),
        ("fence NOT smith", [1]),
        ("fence -smith", [1]),
        ("fence -inspection", [3]),  # a word on another page of the record counts
        ("-fence", [2, 4, 5]),
        ("smith (noise OR garage)", [2, 3]),
        ("cafe", [4]),
        ("CAF\u00c9", [4]),
        ("O'Brien", [1]),
        ("o\u2019brien", [1]),
        ("2019-0412", [1]),
        ("permit_number:2019-0412", [1]),
        ("permit_number:2019*", [1]),
        ("applicant:smith", [2]),
        ('applicant:"mary smith"', [2]),
        ('applicant:"smith mary"', []),
        ("form:fence-permit", [1, 3]),
        ("department:police", [2]),
        ("status:needs-review", [3]),
        ("title:fence", [1]),
        ("source:scan-4.pdf", [4]),
        ("batch:drawer-1 noise", [2]),
        ("id:3", [3]),
        ("id:2..3", [2, 3]),
        ("year:2019", [1]),
        ("year:2019..2020", [1, 2]),
        ("date:2019", [1]),
        ("date:2019-04", [1]),
        ("date:4/12/2019", [1]),
        ("date:2019-01-01..2020-12-31", [1, 2]),
        ("date:..2019", [1]),
        ("date:2020-11-30..", [2, 3]),
        ("issued:2019-05-02", [1]),
        ("issued:2021..2022", [3]),
        ("fee:100..500", [1]),
        ("fee:[1000 TO *]", [3]),
        ("fee:1,250", [3]),
        ("fee:150 smith", []),
        ("not read", [5]),
        ("", [1, 2, 3, 4, 5]),
    ],
)
def test_finds(index: Index, text: str, found: list[int]) -> None:
    """Exact words, phrases, prefixes, fields, ranges and operators find just what they say."""
    answer = find(index, text)
    assert ([] if answer.near else ids(answer)) == found
    if not answer.near:
        assert answer.total == len(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("compliant", [2]),  # swapped
        ("varience", [3]),  # exchanged
        ("garrage", [3]),  # doubled
        ("councl", [4]),  # dropped
        ("mence", [1, 3]),  # the first letter
        ("O'Brein", [1]),
        ("fense permitt", [1]),
        ("noise zzzzzz", [2]),  # a word that is nowhere
        ("applicant:smoth", [2]),
        ("applicant:smith zzzzzz noise", [2]),
    ],
)
def test_one_wrong_letter(index: Index, text: str, found: list[int]) -> None:
    """A slip, or a word that is nowhere, still finds what was meant, and says that it is near."""
    answer = find(index, text)
    assert (ids(answer), answer.near) == (found, True)


def test_a_whole_sentence(index: Index) -> None:
    """A sentence of which no record has all words finds those with the most telling ones."""
    answer = find(index, "where is the garage variance of mister smith")
    assert (answer.matches[0].document_id, answer.near) == (3, True)


@pytest.mark.parametrize("text", ["2019-0413", "permit_number:2019-0413", "zzzzzz", '"xxxx yyyy"'])
def test_nothing_is_nothing(index: Index, text: str) -> None:
    """Another number is not offered in place of the one asked for, nor any record for nonsense."""
    answer = find(index, text)
    assert (answer.total, answer.matches, answer.near) == (0, (), False)


@pytest.mark.parametrize(
    "text", ["reg:1", '"unclosed', "(((", "'", "\0", "a" * 10_000, "a* " * 400, "((a OR"]
)
def test_any_text_is_answered(index: Index, text: str) -> None:
    """Nothing that a person types makes a search fail."""
    assert find(index, text).total >= 0


def test_the_best_page_and_its_words(index: Index) -> None:
    """A record is found once, with the page that fits best and the words met there."""
    (match,) = find(index, "smith garage variance").matches
    assert (match.document_id, match.page) == (3, 2)
    assert match.terms == {"smith", "garage", "variance"}
    (match,) = find(index, "permit_number:2021-0007").matches
    assert match.page == 2


def test_near_words_are_told_as_they_stand_on_the_page(index: Index) -> None:
    """What a page was found by is the page's spelling, so that it can be marked there."""
    (match,) = find(index, "varience").matches
    assert match.terms == {"variance"}


def test_a_title_counts_for_more(index: Index) -> None:
    """Of two records with the word, the one that has it in its title comes first."""
    assert [match.document_id for match in find(index, "fence").matches] == [1, 3]


def test_an_empty_query_lists_the_newest_first(index: Index) -> None:
    """All records, the newest first, in pages that neither repeat nor miss one."""
    assert [m.document_id for m in find(index, "").matches] == [5, 4, 3, 2, 1]
    first, second = find(index, "", limit=2), find(index, "", limit=2, offset=2)
    assert [m.document_id for m in (*first.matches, *second.matches)] == [5, 4, 3, 2]
    assert first.total == second.total == 5


def facet(answer: Answer, name: str) -> dict[str, int]:
    return {entry.value: entry.count for entry in answer.facets[name]}


def test_facets_count_records(index: Index) -> None:
    """Facets count records, not pages; a record without a form or date counts under ''."""
    answer = find(index, "")
    assert facet(answer, "form") == {"fence-permit": 2, "complaint": 1, "": 2}
    assert facet(answer, "year") == {"2021": 1, "2020": 1, "2019": 1, "": 2}
    assert facet(answer, "department") == {"clerk": 2, "building": 2, "police": 1}
    assert facet(answer, "status") == {"filed": 3, "needs-review": 1, "waiting": 1}


def test_filters(index: Index) -> None:
    """A filter narrows total and matches; its own facet still shows the other choices."""
    answer = find(index, "", filters=Filters(form=("fence-permit",)))
    assert (answer.total, ids(answer)) == (2, [1, 3])
    assert facet(answer, "form") == {"fence-permit": 2, "complaint": 1, "": 2}
    assert facet(answer, "department") == {"clerk": 1, "building": 1}
    both = find(index, "", filters=Filters(form=("", "complaint"), year=("2020",)))
    assert ids(both) == [2]
    assert find(index, "", filters=Filters(form=("no-such",))).total == 0


def test_departments_bound_everything(index: Index) -> None:
    """Matches, totals and facets know only the departments that the person may see."""
    answer = find(index, "smith OR fence", departments=["building"])
    assert (ids(answer), answer.total) == ([3], 1)
    assert facet(answer, "department") == {"building": 1}
    assert facet(answer, "form") == {"fence-permit": 1}
    assert find(index, "", departments=[]).total == 0
    assert find(index, "-fence", departments=["clerk"]).total == 1
    assert find(index, "department:police", departments=["clerk"]).total == 0
    asked = Filters(department=("police",))
    assert find(index, "", departments=["clerk"], filters=asked).total == 0


def test_near_and_suggestion_do_not_leak(index: Index) -> None:
    """A misspelt word is put right only with words of records that this person may see."""
    seen = find(index, "complant")
    assert (seen.suggestion, seen.near, ids(seen)) == ("complaint", True, [2])
    unseen = find(index, "complant", departments=["clerk", "building"])
    assert (unseen.suggestion, unseen.near, unseen.total) == (None, False, 0)
    hidden = find(index, "noise", departments=["clerk"])
    assert (hidden.suggestion, hidden.near, hidden.total) == (None, False, 0)
    assert find(index, "nois*", departments=["clerk"]).total == 0


def test_suggestion_is_what_one_would_type(index: Index) -> None:
    """The suggestion is the typed text with its misspelt words put right, and finds something."""
    answer = find(index, 'Fense "PERMIT" form:fence-permit')
    assert answer.suggestion == 'Fence "PERMIT" form:fence-permit'
    assert find(index, answer.suggestion or "").total == 1
    assert find(index, "fence").suggestion is None


def test_a_common_spelling_is_suggested_for_a_rare_one(index: Index) -> None:
    """A misreading that is on one page does not hide the many pages with the word itself."""
    index.update([record(n, "zoning appeal") for n in range(10, 30)], 6)
    index.update([record(30, "zonimg appeal")], 7)
    answer = find(index, "zonimg")
    assert (answer.total, answer.near, answer.suggestion) == (1, False, "zoning")


def finish(
    index: Index,
    token: str,
    field: str | None = None,
    departments: Sequence[str] = DEPARTMENTS,
    limit: int = 8,
) -> tuple[str, ...]:
    return index.completions(Beginning(token, field, frozenset(departments), limit))


def test_words_are_finished_with_the_commonest(index: Index) -> None:
    """A beginning is finished with words of pages, titles and values, the commonest first."""
    assert set(finish(index, "c")) == {"complaint", "cover", "council", "cafe"}
    assert finish(index, "pat") == ("patrick",)
    assert finish(index, "permit") == ()  # nothing longer begins so
    assert finish(index, "zz") == ()
    index.update([record(n, "parking") for n in range(10, 13)], 6)
    index.update([record(n, "parks") for n in range(13, 15)], 7)
    assert finish(index, "pa") == ("parking", "parks", "passed", "patrick")
    assert finish(index, "pa", limit=1) == ("parking",)


def test_words_of_a_field_are_finished_with_those_of_its_values(index: Index) -> None:
    """Behind a field's name only what stands in that field finishes a word."""
    assert finish(index, "p", "applicant") == ("patrick",)
    assert finish(index, "s", "applicant") == ("smith",)
    assert finish(index, "fen", "form") == ("fence",)
    assert finish(index, "fen", "applicant") == ()


def test_words_of_others_are_never_told(index: Index) -> None:
    """A word that stands only in records of other departments finishes nothing, nor counts."""
    assert finish(index, "compl", departments=["police"]) == ("complaint",)
    assert finish(index, "compl", departments=["clerk", "building"]) == ()
    assert (
        finish(index, "mary", departments=["clerk"]) == finish(index, "mar", departments=[]) == ()
    )
    assert finish(index, "s", "applicant", departments=["clerk"]) == ()
    index.update([record(n, "parks", department="police") for n in range(10, 20)], 6)
    index.update([record(n, "parking") for n in range(20, 22)], 7)
    assert finish(index, "park") == ("parks", "parking")
    assert finish(index, "park", departments=["clerk"]) == ("parking",)


@pytest.mark.parametrize("others", [60, 300])
def test_common_words_of_others_hide_no_word(index: Index, others: int) -> None:
    """However many commoner words other departments have, one's own are offered."""
    words = " ".join(f"qua{number:03}" for number in range(others))
    index.update([record(n, words, department="police") for n in (10, 11)], 6)
    index.update([record(12, "quadrangle", title="Quarry")], 7)
    assert set(finish(index, "qua", departments=["clerk"])) == {"quadrangle", "quarry"}
    assert finish(index, "qua", departments=["building"]) == ()
    assert len(finish(index, "qua", departments=["police"])) == 8


def test_words_that_are_no_more_finish_nothing(index: Index) -> None:
    """A word that was corrected away is not offered."""
    index.update([record(2, "Noise complaint by Mary Brown", department="police")], 6)
    assert finish(index, "sm") == ("smith",)  # of record 3
    index.update([record(3, "Variance", department="building")], 7)
    assert finish(index, "sm") == ()


def test_update_replaces(index: Index) -> None:
    """A record that changed is found by what it says now, once, and no longer by what it said."""
    index.update([record(1, "pool permit", department="building")], 6)
    assert ids(find(index, "pool")) == [1]
    assert find(index, '"o\'brien"').total == 0
    assert find(index, "").total == 5
    assert find(index, "", departments=["clerk"]).total == 1
    assert index.revision == 6


def test_many_small_updates(engine: Engine, tmp_path: Path) -> None:
    """A hundred commits lose and double nothing, and do not leave a hundred files."""
    index = engine.create(tmp_path / "g", "store-1")
    for number in range(1, 101):
        index.update([record(number % 40 + 1, f"sheet {number}", "back page")], number)
    assert (find(index, "sheet").total, find(index, "back").total) == (40, 40)
    assert find(index, "sheet 100").total == 1
    assert not any(
        m.document_id for m in find(index, '"sheet 5"').matches
    )  # 45 and 85 came after it
    assert len(list((tmp_path / "g").iterdir())) < 40
    again = engine.open_index(tmp_path / "g", "store-1")
    assert (find(again, "sheet").total, again.revision) == (40, 100)


def test_a_word_on_very_many_pages(engine: Engine, tmp_path: Path) -> None:
    """However many pages have a word, all are found, alone and in a phrase."""
    index = engine.create(tmp_path / "g", "store-1")
    index.update([record(n, *[f"city of oaks {n % 7}"] * 5) for n in range(1, 301)], 300)
    assert find(index, "oaks").total == find(index, '"of oaks"').total == 300
    assert find(index, '"oaks 3"').total == len(range(3, 301, 7))


def test_commits_of_another_opener_are_seen(engine: Engine, index: Index, tmp_path: Path) -> None:
    """What one process commits, another that has the index open finds at once."""
    other = engine.open_index(tmp_path / "g000001", "store-1")
    assert find(other, "pool").total == 0
    index.update([record(6, "swimming pool")], 6)
    assert (find(other, "pool").total, other.revision) == (1, 6)
    other.update([record(7, "another pool")], 7)
    assert (find(index, "pool").total, index.revision) == (2, 7)


def test_another_store_is_refused(engine: Engine, index: Index, tmp_path: Path) -> None:
    """An index of another archive is never taken for this one's."""
    with pytest.raises(BrokenIndexError, match="another archive"):
        engine.open_index(tmp_path / "g000001", "store-2")


def test_odd_records(engine: Engine, tmp_path: Path) -> None:
    """Huge pages, empty pages, odd field values and the same page twice in a chunk are taken."""
    index = engine.create(tmp_path / "g", "store-1")
    odd: list[IndexedDocument] = [
        record(1, "word " * 70_000 + "end", ""),
        record(2, "x" * 5000, fields=(field("fee", "9" * 400), field("odd name", "\0\x1f\ud83d"))),
        record(3, "\x1f fee \x1f 5", date="not-a-date", title="\U0001f600"),
    ]
    index.update(odd[:1], 1)
    index.update(odd, 3)
    assert find(index, "end").total == 1
    assert find(index, "x" * 5000).total == 1
    assert find(index, "").total == 3


def test_records_are_sorted_by_their_dates(index: Index) -> None:
    """Newest or oldest first; those without a date come last, page after page."""
    dates = {r.id: r.date for r in SHELF}
    for sort, newest in (("newest", True), ("oldest", False)):
        found = [m.document_id for m in find(index, "", sort=sort).matches]
        dated = [n for n in found if dates[n]]
        assert dated == sorted(dated, key=lambda n: dates[n] or "", reverse=newest)
        assert found[: len(dated)] == dated
        assert sorted(found) == ids(find(index, ""))
        second = find(index, "", sort=sort, limit=1, offset=1)
        assert [m.document_id for m in second.matches] == found[1:2]


def test_notes_and_tags_are_found(engine: Engine, tmp_path: Path) -> None:
    """What people have put on a record is found by its name, and by plain words."""
    made = engine.create(tmp_path / "put-on", "store-1")
    pages = ("first page", "second page")
    made.update(
        [
            record(
                1, *pages, notes=("Owner called on Monday", "No answer since"), tags=("urgent",)
            ),
            record(2, *pages, tags=("call-back", "very-urgent")),
            record(3, "an urgent letter of the owner"),
        ],
        3,
    )
    expected = {
        "note:owner": [1], 'note:"called on monday"': [1], "note:urgent": [], "monday": [1],
        "tag:urgent": [1, 2], "tag:call-back": [2], "tag:owner": [], "call-back": [2],
        "urgent NOT tag:urgent": [3], 'note:"monday no"': [],
    }  # fmt: skip
    found = {text: sorted(m.document_id for m in find(made, text).matches) for text in expected}
    made.close()
    assert found == expected
