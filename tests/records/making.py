"""Stores, files and pages for the tests of what is kept: everything real, nothing read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from records import filing
from records.archive import Archive
from records.filing import Accepted, Draft, Intake, Sighting
from records.geometry import Box, untouched
from records.model import (
    Department,
    DocumentStatus,
    Field,
    FieldStatus,
    Line,
    PageKind,
    PageResult,
    Word,
)
from records.store import Store

DEPARTMENTS = (
    Department("clerk", "City Clerk", True),
    Department("building", "Building and Safety", False),
)
KEY = "these-settings"
INTAKE = Intake("test", "Drawer 1", None, None, "")


def nobody(run: str | None) -> bool:
    """Say that no run is alive."""
    return False


def everybody(run: str | None) -> bool:
    """Say that every run is alive."""
    return bool(run)


@dataclass(frozen=True)
class Room:
    """An archive with its database, and where files are handed in."""

    archive: Archive
    store: Store
    desk: Path

    def hand_in(self, content: bytes, name: str = "a.pdf", intake: Intake = INTAKE) -> str:
        """Take a file in and enter it; return its hash."""
        source = self.desk / name
        source.write_bytes(content)
        kept = self.archive.take_in(source, self.archive.work)
        filing.accept(self.store, accepted(content, name), intake, "clerk", 3, nobody)
        return kept.sha256

    def read(self, sha256: str, pages: int = 1, image: bytes = b"a page") -> None:
        """Keep readings of all pages of a file."""
        filing.count_pages(self.store, sha256, pages)
        for number in range(1, pages + 1):
            kept = self.archive.keep_image(image + bytes([number]), self.archive.work)
            filing.save_page(self.store, "test", sha256, page(number, kept), KEY)

    def file(self, content: bytes, *fields: Field, pages: int = 1) -> int:
        """Hand in, read and file one record; return its id."""
        sha256 = self.hand_in(content)
        self.read(sha256, pages, content)
        drafts = [draft(range(1, pages + 1), *fields)]
        return filing.file_records(self.store, "test", sha256, drafts)[0]


def open_room(folder: Path) -> Room:
    """Make an archive with its database."""
    desk = folder / "desk"
    desk.mkdir(parents=True)
    archive = Archive(folder / "archive")
    archive.prepare()
    store = Store(archive.database, DEPARTMENTS)
    archive.bind(store.store_id, new=True)
    return Room(archive, store, desk)


def accepted(content: bytes, name: str = "a.pdf") -> Accepted:
    """Return what stands for a kept file of this content."""
    return Accepted(hashlib.sha256(content).hexdigest(), len(content), name, "application/pdf")


def accept(
    store: Store, content: bytes, intake: Intake = INTAKE, tries: int = 3, alive=nobody
) -> Sighting:
    """Enter a file in the database alone."""
    return filing.accept(store, accepted(content), intake, "clerk", tries, alive)


def page(number: int, image: str, word: str = "Fence") -> PageResult:
    """Return a page that was read, of one word."""
    return PageResult(
        number=number,
        key=KEY,
        kind=PageKind.SCAN,
        image=image,
        size=(850, 1100),
        dpi=100,
        geometry=untouched(850, 1100),
        steps=("deskew",),
        blank=False,
        lines=(Line((Word(word, Box(10, 20, 90, 40), 0.9),)),),
        confidence=0.9,
        form=None,
        form_page=0,
        template="",
        pairs=(),
        separator=False,
        fields=(),
        reader="tesseract",
        languages="eng",
        exit_code=0,
        seconds=0.5,
    )


def draft(
    pages: Sequence[int], *fields: Field, title: str = "Fence", department: str = "clerk"
) -> Draft:
    """Return a record to be filed."""
    return Draft(
        pages=tuple(pages),
        form=None,
        department=department,
        title=title,
        date=None,
        status=DocumentStatus.FILED,
        reasons=(),
        fields=tuple(fields),
    )


def field(name: str, value: str, status: FieldStatus = FieldStatus.OK) -> Field:
    """Return one answer."""
    return Field(
        name=name,
        label=name.title(),
        kind="text",
        raw=value,
        value=value,
        confidence=0.9,
        page=1,
        box=Box(1, 2, 3, 4),
        status=status,
        reasons=(),
        reader="tesseract",
        found_by="zone",
    )
