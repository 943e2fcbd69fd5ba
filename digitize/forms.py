"""Form templates: how a form is known, where its answers stand and what they must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Zone = tuple[float, float, float, float]
Forms = Mapping[str, "FormTemplate"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A printed text by which a form is known or placed; ``box`` is where it stands, if known."""

    text: str
    page: int
    box: Zone | None


@dataclass(frozen=True, slots=True)
class Option:
    """One tick box of a choice."""

    value: str
    zone: Zone


@dataclass(frozen=True, slots=True)
class Comparison:
    """A rule between two fields: ``operator`` is one of < <= > >= = and ``other`` a field."""

    operator: str
    other: str


@dataclass(frozen=True, slots=True)
class FieldTemplate:
    """One field: what it is, where it stands and its rules.

    It stands on one of ``pages``, the first of them that has it.
    The place is a ``zone``, ``beside`` or ``under`` one of some labels, ``below`` another field,
    or ``anywhere`` on the page; a zone comes first, labels stand in where it cannot be trusted.
    ``take`` are patterns for the part of what is written there that is the answer: the first that
    is found counts.
    ``columns`` are the headings of a table.
    ``until`` are texts that end an answer of several lines, ``lines`` is the most it has (0: any).
    What is checked ``twice`` is keyed by two people, the second of whom does not see the first's.
    """

    name: str
    label: str
    kind: str
    pages: tuple[int, ...]
    zone: Zone | None
    beside: tuple[str, ...]
    under: tuple[str, ...]
    below: str | None
    anywhere: bool
    until: tuple[str, ...]
    lines: int
    options: tuple[Option, ...]
    columns: tuple[str, ...]
    filled: str
    required: bool
    pattern: str | None
    take: tuple[str, ...]
    minimum: str | None
    maximum: str | None
    values: tuple[str, ...]
    compare: tuple[Comparison, ...]
    sure: float | None
    max_error: float | None
    twice: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """The printed labels that the answer may stand at."""
        return self.beside + self.under


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """One form in one of its printings; ``role`` is form, or separator for a sheet between records.

    ``size`` is the paper's (width, height) in inches, where it is known. ``reference`` are the
    printed lines of a blank form, by which its place on a scan is found exactly. ``sample`` is the
    share (0 to 1) of fields that passed unseen and are shown to a person all the same; None is the
    setting's. ``digest`` names the ``text`` of the template's file.
    """

    name: str
    printing: str
    title: str
    department: str | None
    series: str | None
    role: str
    pages: int
    size: tuple[float, float] | None
    date: str | None
    record_title: str | None
    sample: float | None
    minimum: float
    anchors: tuple[Anchor, ...]
    barcode: str | None
    reference: tuple[Anchor, ...]
    fields: tuple[FieldTemplate, ...]
    digest: str = field(default="", repr=False, compare=False)
    text: str = field(default="", repr=False, compare=False)
    path: Path | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """What tells this template from all others: its name, and its printing if it has one."""
        return f"{self.name}@{self.printing}" if self.printing else self.name

    def fields_on(self, page: int) -> tuple[FieldTemplate, ...]:
        """Return the fields that stand on one page of the form, in their order."""
        return tuple(f for f in self.fields if page in f.pages)

    def field(self, name: str) -> FieldTemplate | None:
        """Return the field of this name."""
        return next((f for f in self.fields if f.name == name), None)


def printings(forms: Forms, name: str | None) -> tuple[FormTemplate, ...]:
    """Return the templates of one form, a printing each; none where there is no such form."""
    return tuple(form for form in forms.values() if form.name == name)


def form_named(forms: Forms, name: str | None, digest: str = "") -> FormTemplate | None:
    """Return the template of a form whose file is named by ``digest``, or its first printing."""
    found = printings(forms, name)
    return next((form for form in found if form.digest == digest), found[0] if found else None)


def names(forms: Iterable[FormTemplate]) -> tuple[str, ...]:
    """Return the names of forms, each once, in order."""
    return tuple(dict.fromkeys(form.name for form in forms))
