"""The vocabulary: Batch > Document > Page > Line > Word, and a form's Fields.

Boxes are integer pixels with a top-left origin in the stored, cleaned page image;
``PageGeometry`` maps them back to the original scan. Zones are fractions of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any, NamedTuple

from records.geometry import Box, PageGeometry


class DocumentStatus(StrEnum):
    """Where a record stands."""

    WAITING = "waiting"  # accepted and durable, not yet read
    NEEDS_REVIEW = "needs-review"  # read, and a person must look at something
    FILED = "filed"  # read, and nothing is in doubt
    FAILED = "failed"  # the file is kept, but could not be read


class FieldStatus(StrEnum):
    """How far a field's value can be trusted."""

    OK = "ok"
    MISSING = "missing"
    UNSURE = "unsure"
    INVALID = "invalid"  # breaks a rule of the form
    CORRECTED = "corrected"  # a person has said what it is


class PageKind(StrEnum):
    """Where a page's words come from."""

    SCAN = "scan"  # pixels, read by an engine
    TEXT = "text"  # born digital: the file's own text and boxes


class Role(StrEnum):
    """What a person may do; see ``records.access``."""

    VIEWER = "viewer"
    CLERK = "clerk"
    VERIFIER = "verifier"
    RECORDS_OFFICER = "records-officer"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class WordReading:
    """What one reader made of a word's place; ``confidence`` is 0 to 1 as that reader reports it.

    ``text`` may hold blanks: where one reader sees a word, another may see two.
    """

    reader: str
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a page; ``confidence`` is the calibrated probability (0 to 1) that it is right.

    ``readings`` are what each reader that looked made of it, with its own score.
    """

    text: str
    box: Box
    confidence: float
    readings: tuple[WordReading, ...] = ()

    @property
    def alternatives(self) -> tuple[str, ...]:
        """What else it may be: the readings that differ from its text.

        A reading of several words is kept with the first of them, and begins with it.
        """
        others = (reading.text for reading in self.readings)
        differ = (t for t in others if t and t != self.text and not t.startswith(f"{self.text} "))
        return tuple(dict.fromkeys(differ))


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand on one line, in reading order."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class PageWords:
    """The words of a page, without what takes time to make: what a list of many pages needs.

    A cell is a word's text and the four edges of its box, whatever comes after them; ``ends`` tells
    for each line how many words stand up to its end.
    """

    cells: Sequence[Sequence[Any]]
    ends: Sequence[int]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> PageWords:
        """Return the words of lines that are made already."""
        cells = [(word.text, *word.box) for line in lines for word in line.words]
        return cls(cells, list(accumulate(len(line.words) for line in lines)))

    @property
    def texts(self) -> list[str]:
        """Return the words in reading order."""
        return [cell[0] for cell in self.cells]

    def box(self, place: int) -> Box:
        """Return the box of a word, counted over all lines."""
        return Box(*self.cells[place][1:5])


@dataclass(frozen=True, slots=True)
class Pair:
    """A printed label and the answer beside or under it, on paper that is no known form.

    ``confidence`` (0 to 1) is that both belong together and are read rightly.
    """

    label: str
    value: str
    label_box: Box
    value_box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Field:
    """One answer of a form, with its place on the page and how sure its reader was.

    ``found_by`` says how its place was found: by the form's zone, a printed label, another field,
    or anywhere on the page.
    """

    name: str
    label: str
    kind: str
    raw: str
    value: str
    confidence: float
    page: int
    box: Box | None
    status: FieldStatus
    reasons: tuple[str, ...]
    reader: str
    found_by: str

    @property
    def by_person(self) -> bool:
        return self.status is FieldStatus.CORRECTED


@dataclass(frozen=True, slots=True)
class PageFailure:
    """Why one page (or a whole file, ``number`` 0) could not be read; a value, not an exception."""

    number: int
    stage: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """All that is kept of one page that was read.

    ``image`` is the SHA-256 of the stored cleaned image (PNG), ``size`` its (width, height)
    in pixels, ``key`` the digest of the settings that shaped the reading. ``template`` is
    the digest of the form's template, empty without one; ``pairs`` are of paper without a form.
    """

    number: int
    key: str
    kind: PageKind
    image: str
    size: tuple[int, int]
    dpi: int
    geometry: PageGeometry
    steps: tuple[str, ...]
    blank: bool
    lines: tuple[Line, ...]
    confidence: float
    form: str | None
    form_page: int
    template: str
    pairs: tuple[Pair, ...]
    separator: bool
    fields: tuple[Field, ...]
    reader: str
    languages: str
    exit_code: int
    seconds: float

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Original:
    """One kept file, named by its SHA-256; equal bytes are one original."""

    sha256: str
    name: str
    size: int
    media_type: str
    page_count: int | None
    state: str
    tries: int
    accepted_at: str


@dataclass(frozen=True, slots=True)
class Document:
    """One filed record: a run of pages of one original, ``part`` the number of the first."""

    id: int
    sha256: str
    source: str
    part: int
    batch: str
    department: str
    form: str | None
    title: str
    date: str | None
    status: DocumentStatus
    reasons: tuple[str, ...]
    version: int
    rev: int
    created_at: str


class PageKey(NamedTuple):
    """What names a page for good: the SHA-256 of its file, and its number there, from 1."""

    sha256: str
    number: int


@dataclass(frozen=True, slots=True)
class Page:
    """A stored page as the database has it, without its words.

    ``number`` is what its record's fields and links call it: its number in its file, or, once a
    person has arranged the record's pages, its place there. ``key`` names it for good. ``turned``
    is the turn that a person gave it, as ``PageGeometry.turn``; None where the machine found it.
    """

    id: int
    document_id: int
    number: int
    position: int
    key: PageKey
    turned: int | None
    state: str
    kind: PageKind
    image: str | None
    width: int
    height: int
    dpi: int
    geometry: PageGeometry
    steps: tuple[str, ...]
    blank: bool
    separator: bool
    confidence: float
    form: str | None
    reader: str
    failure: PageFailure | None

    @property
    def to_turn(self) -> int:
        """Return by how many degrees clockwise its picture is yet to be turned, as a person said.

        It is 0 once the page has been read again so.
        """
        return 0 if self.turned is None else (self.turned - self.geometry.turn) % 360


@dataclass(frozen=True, slots=True)
class TemplateText:
    """One version of a form's template; its ``digest`` names it on the pages read with it."""

    digest: str
    form: str
    printing: str
    text: str
    first_used_at: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One link of the audit chain."""

    id: int
    at: str
    actor: str
    action: str
    document_id: int | None
    version: int | None
    change: Mapping[str, object]
    values: Mapping[str, object]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Department:
    """A unit of the city hall; a shared one is seen by all who are signed in."""

    name: str
    title: str
    shared: bool


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """What the search index is told of one record; ``pages`` are (number, text) in order, ``pairs``
    (number of the page, pair), ``notes`` and ``tags`` what people have put on it.

    ``rev`` grows with every change of any record; an index that has seen all records up to a
    ``rev`` is current as of it.
    """

    id: int
    rev: int
    title: str
    department: str
    form: str | None
    status: DocumentStatus
    date: str | None
    batch: str
    source: str
    fields: tuple[Field, ...]
    pages: tuple[tuple[int, str], ...]
    pairs: tuple[tuple[int, Pair], ...]
    notes: tuple[str, ...]
    tags: tuple[str, ...]
