"""Values to the words that a clerk uses: pure functions, most of them template filters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from digitize.desk import TakenBack, Tally
from records.filing import Sighting
from records.model import AuditRow, DocumentStatus, Field, FieldStatus


@dataclass(frozen=True, slots=True)
class Tag:
    """A status as a person meets it: a word, a shape and a tone, so that colour is never alone."""

    word: str
    shape: str
    tone: str


_DOCUMENT_TAGS = {
    DocumentStatus.WAITING: Tag("Waiting to be read", "clock", "calm"),
    DocumentStatus.NEEDS_REVIEW: Tag("Needs a look", "alert", "warn"),
    DocumentStatus.FILED: Tag("Filed", "tick", "good"),
    DocumentStatus.FAILED: Tag("Could not be read", "cross", "bad"),
}
_FIELD_TAGS = {
    FieldStatus.OK: Tag("Read", "tick", "good"),
    FieldStatus.MISSING: Tag("Missing", "gap", "warn"),
    FieldStatus.UNSURE: Tag("Not sure", "question", "warn"),
    FieldStatus.INVALID: Tag("Breaks a rule", "alert", "bad"),
    FieldStatus.CORRECTED: Tag("Checked by a person", "person", "good"),
}
_SIGHTINGS = {
    Sighting.NEW: ("Accepted", "It is safe in the archive and will be read in a moment."),
    Sighting.RESUMED: ("Accepted", "It was here already, unread; it will be read now."),
    Sighting.DUPLICATE: ("Already here", "The same file was handed in before; it is kept once."),
    Sighting.BUSY: ("Already here", "The same file is being read at this moment."),
    Sighting.SET_ASIDE: (
        "Already here",
        "The same file could not be read before; ask your technician to look at it.",
    ),
}
_ACTIONS = {
    "accepted": "took the file in",
    "filed": "filed the record",
    "failed": "could not read the file",
    "looked over": "looked at the record, and found it in order",
    "corrected": "corrected",
    "handed pages in": "handed pages in for this record",
    "note added": "wrote a note",
}
_ARRANGED = {
    "put in order": "put the pages in another order",
    "split": "made a record of its own of some pages",
    "moved": "moved pages from one record to another",
    "joined": "joined the pages of two records",
    "laid aside": "laid pages aside",
    "brought back": "brought pages back that were laid aside",
    "put in": "put pages in",
    "replaced": "put a page in the place of another",
}
_TAGGED = {"tag added": "added the tag", "tag taken away": "took away the tag"}
# What people do to a line of a page's text.
_ON_THE_TEXT = {
    "text corrected": "corrected a line of page {}",
    "text put back": "put back what was read in a line of page {}",
}
# What people do to one field.
_ON_A_FIELD = {
    "keyed alike": "keyed {} a second time, and alike",
    "keyed otherwise": "keyed {} a second time, and differently",
    "could not tell": "could not tell what {} says",
}
# Why a field waits for a person: what a tag says, its shape and its tone.
REASONS = {
    "missing": Tag("Missing", "gap", "warn"),
    "unsure": Tag("Please look", "question", "warn"),
    "sample": Tag("Please look", "question", "warn"),  # nobody is told which are samples
    "breaks a rule": Tag("Breaks a rule", "alert", "bad"),
    "readers disagree": Tag("Readers disagree", "fork", "warn"),
    "keyed twice": Tag("Keyed twice", "person", "calm"),
    "picked out": Tag("Picked out of its group", "box", "warn"),
}
VERY_SURE = 0.97


def status_tag(status: DocumentStatus | FieldStatus | str) -> Tag:
    """Return how a record's or a field's status is shown."""
    if isinstance(status, FieldStatus):
        return _FIELD_TAGS[status]
    return _DOCUMENT_TAGS[DocumentStatus(status)]


def sighting_words(sighting: Sighting) -> tuple[str, str]:
    """Return what became of a file that was handed in: a word, and a sentence."""
    return _SIGHTINGS[sighting]


def confidence_words(field: Field, sure: float) -> str:
    """Say how sure the reader was; ``sure`` is the setting below which a person must look."""
    if field.by_person:
        return "checked by a person"
    if field.status is FieldStatus.MISSING and not field.raw:
        return ""
    word = "unsure"
    if field.confidence >= sure:
        word = "very sure" if field.confidence >= max(VERY_SURE, sure) else "sure"
    return f"{word}, {round(field.confidence * 100)} %"


def day(iso: str | None, day_first: bool) -> str:
    """Write an ISO date in words; what is no whole date stays as it is."""
    if not iso:
        return ""
    try:
        found = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    month = found.strftime("%B")
    return (
        f"{found.day} {month} {found.year}" if day_first else f"{month} {found.day}, {found.year}"
    )


def moment(iso: str, day_first: bool) -> str:
    """Write a time from the store in words, in the server's own time zone."""
    found = datetime.fromisoformat(iso).astimezone()
    return f"{day(found.date().isoformat(), day_first)}, {found:%H:%M}"


def actor_words(actor: str) -> str:
    """Say who did something: a person of the site, or one at the server's command line."""
    name = actor.removeprefix("cli:")
    return name if name == actor else f"{name}, at the command line,"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun, such as '1 record' or '1,204 records'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def tallied(tally: Tally) -> str:
    """Say what became of the fields of a group, as sentences."""
    said = f"{counted(tally.taken, 'field')} confirmed"
    said += f", {tally.picked} picked out to be looked at one by one" if tally.picked else ""
    said += f", {tally.before} that you had decided before" if tally.before else ""
    if tally.others:
        said += f", {tally.others} left alone: someone else has decided or holds them, or they no"
        said += " longer are what was shown"
    if not tally.left:
        return f"{said}."
    return f"{said}. {counted(tally.left, 'field')} not: the archive is busy; confirm them again."


def taken_back(taken: TakenBack) -> str:
    """Say what was taken back, as sentences."""
    first, count = taken.decisions[0], len(taken.decisions)
    where = f"record {first.document_id}" if count == 1 else counted(count, "record")
    said = f"Taken back: {first.field.label} of {where}."
    if taken.hindered:
        stay = counted(len(taken.hindered), "other")
        said += f" {stay} not: {taken.hindered[0]}"
    return said


def sentence(text: str) -> str:
    """Begin a reason with a capital, as a line of its own does."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a record's history; ``old`` and ``new`` only where a value was changed.

    ``field`` is the name of the field that can be given its old value back.
    """

    at: str
    actor: str
    what: str
    old: str | None = None
    new: str | None = None
    field: str | None = None


def happenings(
    rows: Sequence[AuditRow], labels: Mapping[str, str], blind: Collection[str] = ()
) -> list[Happening]:
    """Return a record's history, newest first, with runs of pages that were read as one line.

    What was said of fields that are to be keyed ``blind`` is left out.
    """
    made: list[Happening] = []
    first_page: int | None = None
    for row in rows:
        if row.action == "page read" and "failed" not in row.change:
            number = int(str(row.change.get("page", 0)))
            if first_page is None:
                made.append(Happening(row.at, row.actor, f"read page {number}"))
                first_page = number
            else:
                made[-1] = Happening(row.at, row.actor, f"read pages {first_page} to {number}")
            continue
        first_page = None
        named = str(row.change.get("field", ""))
        if named in blind:
            made.append(Happening(row.at, row.actor, f"keyed {labels.get(named, named)}"))
        else:
            made.append(_happening(row, labels))
    return made[::-1]


def arranged(what: str) -> str:
    """Return what was done to pages, as what a person did."""
    return _ARRANGED.get(what, what)


def _happening(row: AuditRow, labels: Mapping[str, str]) -> Happening:
    if row.action == "page read":
        return Happening(row.at, row.actor, f"could not read page {row.change.get('page')}")
    what = arranged(str(row.change.get("what", "")))
    if row.action == "arranged":
        return Happening(row.at, row.actor, what)
    if row.action == "put pages back":
        return Happening(row.at, row.actor, f"took this back: {what}")
    if row.action == "turned":
        return Happening(row.at, row.actor, f"turned page {row.change.get('page')}")
    if row.action in _ON_THE_TEXT:
        return _about_text(row)
    if row.action == "note deleted":
        return Happening(row.at, row.actor, f"deleted a note of {row.change.get('of')}")
    if row.action in ("tag added", "tag taken away"):
        return Happening(row.at, row.actor, f"{_TAGGED[row.action]} {row.change.get('tag')}")
    name = str(row.change.get("field", ""))
    label = labels.get(name, name)
    if row.action in _ON_A_FIELD:
        return Happening(row.at, row.actor, _ON_A_FIELD[row.action].format(label))
    if row.action in ("corrected", "took back"):
        old, new = (str(row.change.get(k) or "") for k in ("from", "to"))
        if row.action == "took back":
            said = f"took back what was said of {label}"
            return Happening(row.at, row.actor, said, old, new, name)
        if old == new:
            return Happening(row.at, row.actor, f"confirmed {label}", None, new)
        return Happening(row.at, row.actor, f"corrected {label}", old, new, name)
    return Happening(row.at, row.actor, _ACTIONS.get(row.action, row.action))


def _about_text(row: AuditRow) -> Happening:
    old, new = (str(row.change.get(k) or "") for k in ("from", "to"))
    page = row.change.get("page")
    if old == new:
        return Happening(row.at, row.actor, f"confirmed a line of page {page}", None, new)
    return Happening(row.at, row.actor, _ON_THE_TEXT[row.action].format(page), old, new)
