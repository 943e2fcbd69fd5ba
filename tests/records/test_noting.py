"""Notes and tags on records: who may put them there and take them away, and who is told."""

from __future__ import annotations

import pytest

from records import noting, upkeep
from records.access import Viewer
from records.errors import InputError, NotAllowedError
from records.model import Document, Role
from tests.records.making import Room


def person(room: Room, name: str, role: Role = Role.CLERK, department: str = "clerk") -> Viewer:
    every = room.store.departments()
    shared = frozenset(d.name for d in every if d.shared)
    return Viewer(name, role, frozenset({department}), shared, frozenset(d.name for d in every))


@pytest.fixture
def document(room: Room) -> Document:
    """A filed record of the clerk's department, which is shared."""
    return room.store.document(room.file(b"one"), room.store.system_viewer("test"))


def test_a_note_says_who_and_when(room: Room, document: Document) -> None:
    """A note is kept as it was typed, and the index and the history are told."""
    rev = room.store.revision()
    noting.add_note(room.store, person(room, "carl"), document, " Called the owner.\r\nNo answer. ")
    (note,) = noting.notes(room.store, document.id)
    assert (note.text, note.person) == ("Called the owner.\nNo answer.", "carl")
    assert note.at
    (indexed,) = room.store.changed_since(rev, 9)
    assert indexed.notes == (note.text,)
    last = room.store.history(document.id)[-1]
    assert (last.actor, last.action, last.change["text"]) == ("carl", "note added", note.text)
    assert last.version == document.version


@pytest.mark.parametrize(
    ("who", "role", "gone"),
    [
        ("carl", Role.CLERK, True),
        ("dora", Role.CLERK, False),
        ("vic", Role.VERIFIER, True),
        ("vera", Role.VIEWER, False),
    ],
)
def test_who_deletes_a_note(
    room: Room, document: Document, who: str, role: Role, gone: bool
) -> None:
    """One's own, or as a senior anybody's; and what was deleted is told without its words."""
    noting.add_note(room.store, person(room, "carl"), document, "Private matter")
    (note,) = noting.notes(room.store, document.id)
    viewer = person(room, who, role)
    assert noting.may_remove(viewer, document, note) == gone
    if not gone:
        with pytest.raises(NotAllowedError):
            noting.remove_note(room.store, viewer, document, note.id)
        assert noting.notes(room.store, document.id) == (note,)
        return
    rev = room.store.revision()
    noting.remove_note(room.store, viewer, document, note.id)
    assert noting.notes(room.store, document.id) == ()
    last = room.store.history(document.id)[-1]
    assert (last.action, last.change) == ("note deleted", {"note": note.id, "of": "carl"})
    noting.remove_note(room.store, viewer, document, note.id)  # twice is no error
    assert room.store.changed_since(rev, 9)[0].notes == ()


def test_a_note_of_another_record_is_not_reached(room: Room, document: Document) -> None:
    """A note is deleted by way of its own record alone."""
    other = room.store.document(room.file(b"two"), room.store.system_viewer("test"))
    noting.add_note(room.store, person(room, "carl"), other, "Mine")
    (note,) = noting.notes(room.store, other.id)
    noting.remove_note(room.store, person(room, "carl"), document, note.id)
    assert noting.notes(room.store, other.id) == (note,)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001])
def test_what_is_no_note(room: Room, document: Document, text: str) -> None:
    """An empty note, and one that is too long, are refused with what to do."""
    with pytest.raises(InputError, match=r"; (write what|shorten it)"):
        noting.add_note(room.store, person(room, "carl"), document, text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("urgent", "urgent"), (" Call  Back ", "call-back"), ("2019", "2019"), ("Grün", "grün"),
        ("a-b-c", "a-b-c"), ("x" * 30, "x" * 30),
    ],
)  # fmt: skip
def test_tags_are_written_one_way(typed: str, kept: str) -> None:
    """Small letters, with hyphens for blanks, so that one tag has one spelling."""
    assert noting.tag_of(typed) == kept


@pytest.mark.parametrize("typed", ["", "-", "a--b", "-a", "a_b", "a,b", "a:b", "<b>", "x" * 31])
def test_what_is_no_tag(typed: str) -> None:
    """Signs, hyphens at an end, and long words are refused with what a tag is."""
    with pytest.raises(InputError, match="letters, digits and hyphens"):
        noting.tag_of(typed)


def test_tags_come_and_go(room: Room, document: Document) -> None:
    """Each is on a record once; the index and the history are told of both."""
    carl, rev = person(room, "carl"), room.store.revision()
    for typed in ("urgent", "Urgent", "call back"):
        noting.add_tag(room.store, carl, document, typed)
    assert noting.tags(room.store, [document.id, 99]) == {document.id: ("call-back", "urgent")}
    assert room.store.changed_since(rev, 9)[0].tags == ("call-back", "urgent")
    for _ in range(2):
        noting.remove_tag(room.store, carl, document, "urgent")
    assert noting.tags(room.store, [document.id])[document.id] == ("call-back",)
    told = [(r.action, r.change) for r in room.store.history(document.id)[-3:]]
    assert told == [
        ("tag added", {"tag": "urgent"}), ("tag added", {"tag": "call-back"}),
        ("tag taken away", {"tag": "urgent"}),
    ]  # fmt: skip
    assert upkeep.check(room.store, room.archive, full=True) == []


def test_a_record_has_so_many_tags(room: Room, document: Document) -> None:
    """Twenty, and the next is refused with what to do."""
    for number in range(20):
        noting.add_tag(room.store, person(room, "carl"), document, f"t{number}")
    noting.add_tag(room.store, person(room, "carl"), document, "t3")
    with pytest.raises(InputError, match="take one away first"):
        noting.add_tag(room.store, person(room, "carl"), document, "one-more")


def test_tags_of_hidden_records_are_not_offered(room: Room, document: Document) -> None:
    """What stands on records of another department is told to nobody who may not see these."""
    noting.add_tag(room.store, person(room, "carl"), document, "urgent")
    hidden = room.store.document(room.file(b"two"), room.store.system_viewer("test"))
    noting.add_tag(room.store, person(room, "carl"), hidden, "urgent")
    noting.add_tag(room.store, person(room, "carl"), hidden, "secret")
    with room.store.write() as db:
        db.execute("UPDATE documents SET department = 'building' WHERE id = ?", [hidden.id])
    assert noting.tags_in_use(room.store, person(room, "carl")) == ["urgent"]
    builder = person(room, "bob", department="building")
    assert noting.tags_in_use(room.store, builder) == ["urgent", "secret"]


def test_who_may_not_correct_puts_nothing_on_a_record(room: Room, document: Document) -> None:
    """A viewer reads notes and tags, and neither adds nor takes away."""
    vera = person(room, "vera", Role.VIEWER)
    with pytest.raises(NotAllowedError):
        noting.add_note(room.store, vera, document, "Hello")
    with pytest.raises(NotAllowedError):
        noting.add_tag(room.store, vera, document, "urgent")
    with pytest.raises(NotAllowedError):
        noting.remove_tag(room.store, vera, document, "urgent")
