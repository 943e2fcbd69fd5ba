"""The text of a page put right by people: kept apart from readings, and never lost to one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from records import filing, rewriting, upkeep
from records.access import Viewer
from records.errors import InputError, NotAllowedError, StaleVersionError
from records.geometry import Box, PageGeometry, union
from records.model import Document, Line, PageResult, Pair, Role, Word
from records.rewriting import SaidLine
from tests.records.making import Room, draft, page

SURE = 0.75
LINES = (("Fense", "six", "feet"), ("of", "Ann", "Hart"))


def reading(
    room: Room, *lines: tuple[str, ...], geometry: PageGeometry | None = None
) -> PageResult:
    """Return a page of lines, as an engine might read it."""
    image = room.archive.keep_image(b"a page", room.archive.work)
    made = []
    for row, texts in enumerate(lines):
        words = [Word(t, Box(100 + 100 * n, 100 + 50 * row, 180 + 100 * n, 130 + 50 * row), 0.9)
                 for n, t in enumerate(texts)]  # fmt: skip
        made.append(Line(tuple(words)))
    return replace(page(1, image), lines=tuple(made), geometry=geometry or page(1, "").geometry)


def write_page(room: Room, result: PageResult, content: bytes = b"one") -> int:
    """Keep a reading of a file's only page, and file its record; return its id."""
    sha256 = room.hand_in(content)
    filing.count_pages(room.store, sha256, 1)
    filing.save_page(room.store, "reader", sha256, result, result.key)
    return filing.file_records(room.store, "reader", sha256, [draft([1])])[0]


def clerk(room: Room, name: str = "carl", role: Role = Role.CLERK) -> Viewer:
    names = frozenset(d.name for d in room.store.departments())
    return Viewer(name, role, names, frozenset(), names)


def document(room: Room, number: int) -> Document:
    return room.store.document(number, room.store.system_viewer("test"))


def kept() -> str:
    """Call the record as before."""
    return "Fence"


def text(room: Room, number: int) -> list[str]:
    return [line.text for line in room.store.lines(number, 1)]


def say(
    room: Room, number: int, line: int, was: str, new: str, version: int | None = None
) -> Document:
    """Correct a line as a clerk."""
    before = document(room, number)
    before = replace(before, version=version) if version else before
    return rewriting.rewrite(
        room.store, clerk(room), before, SaidLine(1, line, was, new), SURE, kept
    )


def test_a_corrected_line_is_in_the_text_and_in_the_index(room: Room) -> None:
    """What people say of a page is what everybody reads of it, and search is told of it."""
    number = write_page(room, reading(room, *LINES))
    before = room.store.revision()
    after = say(room, number, 1, "Fense six feet", "Fence six feet high")
    assert text(room, number) == ["Fence six feet high", "of Ann Hart"]
    assert after.version == 3
    (indexed,) = room.store.changed_since(before, 9)
    assert indexed.pages == ((1, "Fence six feet high\nof Ann Hart"),)


def test_lists_of_hits_read_corrected_pages(room: Room) -> None:
    """A snippet is made of the text after corrections, as the index is."""
    number = write_page(room, reading(room, *LINES))
    as_read = room.store.words([(number, 1)])[number, 1]
    assert as_read.texts == ["Fense", "six", "feet", "of", "Ann", "Hart"]
    say(room, number, 1, "Fense six feet", "Fence six feet high")
    page = room.store.words([(number, 1)])[number, 1]
    assert page.texts == ["Fence", "six", "feet", "high", "of", "Ann", "Hart"]
    assert page.ends == [4, 7]
    assert page.box(0) == as_read.box(0)


def test_a_record_is_called_by_what_it_says_now(room: Room) -> None:
    """The title is asked for once the line is written, and is the record's with it."""
    number = write_page(room, reading(room, *LINES))
    said = SaidLine(1, 1, "Fense six feet", "Fence six feet")
    titled = rewriting.rewrite(
        room.store, clerk(room), document(room, number), said, SURE,
        lambda: room.store.lines(number, 1)[0].text,
    )  # fmt: skip
    assert titled.title == "Fence six feet"


def test_labels_and_answers_follow_the_text(room: Room) -> None:
    """On paper of no known form, a corrected label or answer is what is searched and shown."""
    read = reading(room, ("Owner:", "Ann", "Hort"), ("of", "Elm", "Street"))
    boxes = [word.box for line in read.lines for word in line.words]
    pairs = (
        Pair("Owner", "Ann Hort", boxes[0], union(boxes[1:3]) or boxes[1], 0.8),
        Pair("of", "Elm Street", boxes[3], union(boxes[4:6]) or boxes[4], 0.8),
    )
    number = write_page(room, replace(read, pairs=pairs))
    say(room, number, 1, "Owner: Ann Hort", "Holder: Ann Hart")
    told = [(pair.label, pair.value) for _, pair in room.store.pairs(number)]
    assert told == [("Holder", "Ann Hart"), ("of", "Elm Street")]
    (indexed,) = room.store.changed_since(0, 9)
    assert indexed.pairs == room.store.pairs(number)


def test_the_machines_reading_is_kept(room: Room) -> None:
    """What learns from readings still sees what was read."""
    read = reading(room, *LINES)
    number = write_page(room, read)
    say(room, number, 1, "Fense six feet", "Fence six feet")
    assert filing.read_page(room.store, document(room, number).sha256, 1) == read


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_it_outlives_another_reading(room: Room, turn: int) -> None:
    """A page read anew, straightened otherwise and in other words, says what people said."""
    upright = (850, 1100) if turn in (0, 180) else (1100, 850)
    one = PageGeometry(upright, turn, 0.0, (850, 1100), Box(0, 0, 850, 1100), 1.0)
    number = write_page(room, reading(room, *LINES, geometry=one))
    say(room, number, 1, "Fense six feet", "Fence six feet")
    say(room, number, 2, "of Ann Hart", "of Ann Harte")
    # Cut 40 from the left and 20 from the top, and drawn twice as large.
    two = replace(one, crop=Box(40, 20, 850, 1100), scale=2.0)
    again = reading(room, ("Pense", "slx", "feet"), ("ot", "Ann", "Hort"), geometry=two)
    moved = [
        Line(
            tuple(
                replace(
                    w,
                    box=Box(
                        *(
                            2 * (edge - cut)
                            for edge, cut in zip(w.box, (40, 20, 40, 20), strict=True)
                        )
                    ),
                )
                for w in line.words
            )
        )
        for line in again.lines
    ]
    sha256 = document(room, number).sha256
    filing.save_page(room.store, "reader", sha256, replace(again, lines=tuple(moved)), "k2")
    filing.file_records(room.store, "reader", sha256, [draft([1])])
    assert text(room, number) == ["Fence slx feet", "ot Ann Harte"]
    assert room.store.lines(number, 1)[0].words[0].box == Box(120, 160, 280, 220)
    assert upkeep.check(room.store, room.archive, full=True) == []


def test_a_page_that_fails_then_shows_nothing(room: Room) -> None:
    """Where a page can no longer be read, nothing is made of what people said of it."""
    number = write_page(room, reading(room, *LINES))
    say(room, number, 1, "Fense six feet", "Fence")
    sha256 = document(room, number).sha256
    failure = filing.PageFailure(1, "read", "timeout", "No.")
    filing.save_page(room.store, "reader", sha256, failure, "k2")
    assert room.store.lines(number, 1) == ()


def test_each_correction_is_in_the_history(room: Room) -> None:
    """Who, which page, from what to what; and the version counts it."""
    number = write_page(room, reading(room, *LINES))
    say(room, number, 2, "of Ann Hart", "of Ann Harte")
    last = room.store.history(number)[-1]
    assert (last.actor, last.action, last.version) == ("carl", "text corrected", 3)
    assert last.change == {"page": 1, "from": "of Ann Hart", "to": "of Ann Harte"}


def test_what_was_read_is_put_back(room: Room) -> None:
    """All that was said of a line goes, also where it was emptied; the history keeps both."""
    number = write_page(room, reading(room, *LINES))
    say(room, number, 1, "Fense six feet", "Fence six")
    say(room, number, 1, "Fence six", "")
    assert text(room, number) == ["of Ann Hart"]
    rewriting.put_back(
        room.store, clerk(room), document(room, number), SaidLine(1, 1, "", ""), kept
    )
    assert text(room, number) == ["Fense six feet", "of Ann Hart"]
    last = room.store.history(number)[-1]
    assert (last.action, last.change) == (
        "text put back", {"page": 1, "from": "", "to": "Fense six feet"}
    )  # fmt: skip
    gone = room.store.db.conn.execute("SELECT taken_back_by FROM text_corrections").fetchall()
    assert {row[0] for row in gone} == {"carl"}


def test_saying_what_stands_there_changes_nothing(room: Room) -> None:
    """No version, no history."""
    number = write_page(room, reading(room, *LINES))
    assert say(room, number, 1, "Fense six feet", "  Fense  six feet ").version == 2
    rewriting.put_back(
        room.store, clerk(room), document(room, number), SaidLine(1, 1, "Fense six feet", ""), kept
    )
    assert document(room, number).version == 2


@pytest.mark.parametrize(
    ("line", "was", "version"),
    [(1, "Fense six feet", 7), (1, "Fence six feet", None), (3, "", None), (0, "", None)],
    ids=["another version", "another text", "no such line", "no line"],
)
def test_nobody_writes_over_what_they_have_not_seen(
    room: Room, line: int, was: str, version: int | None
) -> None:
    """Where the record or the line is no longer what the person saw, nothing is written."""
    number = write_page(room, reading(room, *LINES))
    with pytest.raises(StaleVersionError, match="changed by someone else"):
        say(room, number, line, was, "other", version)
    assert text(room, number) == ["Fense six feet", "of Ann Hart"]


def test_who_may_not_correct_may_not(room: Room) -> None:
    """A viewer writes nothing, and takes nothing back."""
    number = write_page(room, reading(room, *LINES))
    line = SaidLine(1, 1, "Fense six feet", "x")
    viewer = clerk(room, "vera", Role.VIEWER)
    with pytest.raises(NotAllowedError):
        rewriting.rewrite(room.store, viewer, document(room, number), line, SURE, kept)
    with pytest.raises(NotAllowedError):
        rewriting.put_back(room.store, viewer, document(room, number), line, kept)


def test_what_no_format_holds_is_left_out(room: Room) -> None:
    """Control characters are dropped, and a line that is far too long is refused."""
    number = write_page(room, reading(room, *LINES))
    say(room, number, 1, "Fense six feet", "Fen\x00ce\tsix\x07 feet")
    assert text(room, number)[0] == "Fence six feet"
    with pytest.raises(InputError, match="at most 2000 characters"):
        say(room, number, 1, "Fence six feet", "x" * 2001)
