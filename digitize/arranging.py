"""What people do to the pages of records: put in order, split, join, move, turn, lay aside, put in.

The readings of pages and the files they come from stay as they are: a record is put together anew
from the pages that it has then, and what people said of a field goes with the field's page.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from digitize.assemble import Reading, as_corrected, as_settled, put_together
from digitize.installation import Installation
from records import arranging, arrivals, filing, people
from records.access import Action, Viewer, require
from records.arranging import Arranged, Change, Sheet
from records.arrivals import Arrival
from records.errors import (
    BusyError,
    DigitizeError,
    InputError,
    NotAllowedError,
    StaleVersionError,
)
from records.filing import Draft
from records.model import Document, DocumentStatus, Field, PageKey, PageResult

_TRIES = 20
# A reason that is one of a page, not of a page of the form.
_OF_A_PAGE = re.compile(r"page (\d+) (?!of the form)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as it is, with its pages in order and those laid aside."""

    document: Document
    pages: tuple[Sheet, ...]
    aside: tuple[Sheet, ...]


def reorder(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    version: int,
    order: Sequence[PageKey],
) -> None:
    """Put a record's pages in another order; ``order`` names each of them once."""
    record = _record(installation, viewer, document_id, version)
    pages = _chosen(record, order)
    if len(pages) != len(record.pages) or len(set(order)) != len(pages):
        raise InputError("Give every page of the record a place of its own.")
    _rearrange(installation, viewer, "put in order", record, pages, record.aside)


def lay_aside(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    version: int,
    keys: Sequence[PageKey],
) -> None:
    """Take pages out of a record's view, text and downloads; they are kept with it."""
    record = _record(installation, viewer, document_id, version)
    chosen = _chosen(record, keys)
    pages = _but(record.pages, chosen)
    if not pages:
        raise InputError("A record keeps one page at least; leave one that is not laid aside.")
    _rearrange(installation, viewer, "laid aside", record, pages, (*record.aside, *chosen))


def bring_back(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    version: int,
    keys: Sequence[PageKey],
) -> None:
    """Put pages that were laid aside at the end of their record."""
    record = _record(installation, viewer, document_id, version)
    chosen = _chosen(record, keys)
    if any(sheet.place for sheet in chosen):
        raise StaleVersionError("Someone else has brought the page back meanwhile.")
    pages, left = (*record.pages, *chosen), _but(record.aside, chosen)
    _rearrange(installation, viewer, "brought back", record, pages, left)


def split(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    version: int,
    keys: Sequence[PageKey],
) -> int:
    """Make a new record of some of a record's pages; return its number."""
    record = _record(installation, viewer, document_id, version)
    chosen = _chosen(record, keys)
    left = _but(record.pages, chosen)
    if not left:
        raise InputError("A record keeps one page at least; leave one out of the new record.")
    after = _after(installation, record, left, record.aside)
    fresh = _after(installation, replace(record, pages=()), chosen, ())
    made = arranging.arrange(
        installation.store, viewer, "split", [Change(record.document, after)], fresh
    )
    assert made is not None
    return made


def move(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    version: int,
    keys: Sequence[PageKey],
    target_id: int,
    place: int,
) -> None:
    """Put pages into another record, before the page that now stands at ``place`` there.

    Raises NotFoundError for a record that the person may not see, NotAllowedError for one that they
    may not change.
    """
    record = _record(installation, viewer, document_id, version)
    chosen = _chosen(record, keys)
    target = _target(installation, viewer, record, target_id)
    left = _but(record.pages, chosen)
    _move(installation, viewer, "moved", record, left, target, _put_in(target, chosen, place))


def join(
    installation: Installation, viewer: Viewer, document_id: int, version: int, other_id: int
) -> None:
    """Put all pages of another record at the end of this one."""
    record = _record(installation, viewer, document_id, version)
    other = _target(installation, viewer, record, other_id)
    if not other.pages:
        raise InputError(f"Record {other_id} has no pages; give the number of another.")
    pages = _put_in(record, other.pages, len(record.pages) + 1)
    everything = replace(record, aside=(*record.aside, *other.aside))
    other = replace(other, aside=())
    _move(installation, viewer, "joined", other, [], everything, pages)


def turn(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    version: int,
    key: PageKey,
    clockwise: int,
) -> None:
    """Turn a page by so many degrees more (90, 180, 270), and have it read again so.

    Raises BusyError while its file is being read.
    """
    record = _record(installation, viewer, document_id, version)
    sheet = _chosen(record, [key])[0]
    given = filing.turns(installation.store, key.sha256).get(key.number)
    found = sheet.reading.geometry.turn if isinstance(sheet.reading, PageResult) else 0
    degrees = ((found if given is None else given) + clockwise) % 360
    alive = installation.archive.alive
    arranging.turn(installation.store, viewer, record.document, key, degrees, alive)


def take_back(
    installation: Installation, viewer: Viewer, document_id: int, arrangement_id: int
) -> str:
    """Undo the last arrangement of a record's pages, which a person has seen; return what it was.

    Raises StaleVersionError when another is the last by now, or a record was changed since.
    """
    installation.store.document(document_id, viewer)
    last = arranging.last_arrangement(installation.store, document_id)
    if last is None or last.id != arrangement_id:
        raise StaleVersionError("The pages were arranged otherwise meanwhile; look at them again.")
    arranging.take_back(installation.store, viewer, last)
    return last.what


def hold_ready(installation: Installation, viewer: Viewer, document_id: int) -> None:
    """Hold that pages can be put into a record; raises InputError or BusyError with the reason."""
    version = installation.store.document(document_id, viewer).version
    _record(installation, viewer, document_id, version)


def drafts(installation: Installation, sha256: str) -> dict[int, tuple[int, Draft]]:
    """Return (version, draft) of each record that holds pages of a file, as people arranged it."""
    made = {}
    store = installation.store
    viewer = store.system_viewer("reading")
    for number in store.holders(sha256):
        record = _load(installation, viewer, number)
        if record.pages:
            draft = _draft(installation, record.document, record.pages)
            draft = as_settled(draft, store.settled(number))
            said = store.fields(number)
            made[number] = (record.document.version, as_corrected(draft, said, installation.forms))
    return made


def let_in(installation: Installation, sha256: str) -> None:
    """Put the pages of a file that has just been read where a person wanted them.

    Where that can no longer be done they stay a record of their own, and an event says why.
    """
    store = installation.store
    arrival = arrivals.arrival(store, sha256)
    if arrival is None:
        return
    why = "the record was being changed by many at once"
    for _ in range(_TRIES):
        try:
            _let_in(installation, arrival)
        except StaleVersionError:
            continue
        except BusyError:  # the next run tries it again
            return
        except DigitizeError as error:
            why = str(error)
        else:
            why = ""
        break
    if why:
        with store.write() as db:
            store.note(db, arrival.person, "stays a record", sha256, None, why=why)
    arrivals.arrived(store, sha256)


def _let_in(installation: Installation, arrival: Arrival) -> None:
    store = installation.store
    person = people.by_name(store, arrival.person)
    if person.disabled:
        raise NotAllowedError(f"The account of {person.name} is disabled.")
    viewer = people.viewer(store, person)
    version = store.document(arrival.document_id, viewer).version
    target = _record(installation, viewer, arrival.document_id, version)
    made = [
        _load(installation, viewer, d.id) for d in store.documents(viewer, sha256=arrival.sha256)
    ]
    made = [record for record in made if record.pages and record.document != target.document]
    coming = [sheet for record in made for sheet in record.pages]
    if not coming:
        return
    replaced = [sheet for sheet in target.pages if sheet.key == arrival.replaces]
    place = target.pages.index(replaced[0]) + 1 if replaced else arrival.place
    pages = _but(_put_in(target, coming, place), replaced)
    after = _after(installation, target, pages, (*target.aside, *replaced))
    emptied = [Change(r.document, _after(installation, r, (), r.aside)) for r in made]
    what = "replaced" if replaced else "put in"
    arranging.arrange(store, viewer, what, [Change(target.document, after), *emptied])


def _load(installation: Installation, viewer: Viewer, document_id: int) -> _Record:
    document = installation.store.document(document_id, viewer)
    sheets = arranging.sheets(installation.store, document_id)
    return _Record(
        document,
        tuple(sheet for sheet in sheets if sheet.place),
        tuple(sheet for sheet in sheets if not sheet.place),
    )


def _record(installation: Installation, viewer: Viewer, document_id: int, version: int) -> _Record:
    """Return the record whose page a person has on the screen, at the version that they saw."""
    record = _load(installation, viewer, document_id)
    require(viewer, Action.CORRECT, record.document.department)
    if record.document.status is DocumentStatus.WAITING:
        raise InputError(f"Record {document_id} is not read yet; wait until it is.")
    if record.document.status is DocumentStatus.FAILED and not record.pages:
        raise InputError(
            f"The file of record {document_id} could not be read, so it has no pages; "
            "hand in a better scan of it."
        )
    if arranging.is_being_read(installation.store, document_id):
        raise BusyError(f"A file of record {document_id} is being read; try again in a minute.")
    return replace(record, document=replace(record.document, version=version))


def _target(installation: Installation, viewer: Viewer, record: _Record, target_id: int) -> _Record:
    if target_id == record.document.id:
        raise InputError("That is this record; give the number of another.")
    document = installation.store.document(target_id, viewer)
    return _record(installation, viewer, target_id, document.version)


def _chosen(record: _Record, keys: Iterable[PageKey]) -> list[Sheet]:
    known = {sheet.key: sheet for sheet in (*record.pages, *record.aside)}
    wanted = list(keys)
    if not wanted:
        raise InputError("Tick the pages that you mean.")
    if any(key not in known for key in wanted):
        raise arranging.other_pages()
    return [known[key] for key in wanted]


def _but(sheets: Iterable[Sheet], chosen: Collection[Sheet]) -> list[Sheet]:
    return [sheet for sheet in sheets if sheet not in chosen]


def _rearrange(
    installation: Installation,
    viewer: Viewer,
    what: str,
    record: _Record,
    pages: Sequence[Sheet],
    aside: Sequence[Sheet],
) -> None:
    after = _after(installation, record, pages, aside)
    arranging.arrange(installation.store, viewer, what, [Change(record.document, after)])


def _put_in(target: _Record, coming: Sequence[Sheet], place: int) -> list[Sheet]:
    at = max(place - 1, 0)
    return [*target.pages[:at], *coming, *target.pages[at:]]


def _move(
    installation: Installation,
    viewer: Viewer,
    what: str,
    source: _Record,
    left: Sequence[Sheet],
    target: _Record,
    pages: Sequence[Sheet],
) -> None:
    changes = [
        Change(target.document, _after(installation, target, pages, target.aside)),
        Change(source.document, _after(installation, source, left, source.aside)),
    ]
    arranging.arrange(installation.store, viewer, what, changes)


def _after(
    installation: Installation, record: _Record, pages: Sequence[Sheet], aside: Sequence[Sheet]
) -> Arranged:
    """Return a record as it will be with these pages.

    What a person has found in order of a page is not asked again, wherever it stands now.
    """
    document = record.document
    placed = [replace(sheet, leaf=place) for place, sheet in enumerate(pages, 1)]
    draft = _draft(installation, document, placed)
    if record.pages:
        before = set(_draft(installation, document, record.pages).reasons)
        settled = before - set(document.reasons)
        moved = {sheet.key: sheet.leaf for sheet in placed}
        leaves = {sheet.leaf: moved.get(sheet.key) for sheet in record.pages}
        draft = as_settled(draft, {_of_page_now(reason, leaves) for reason in settled})
    said, waiting = carried(draft.fields, pages, aside)
    draft = as_corrected(draft, said, installation.forms)
    keys = tuple(sheet.key for sheet in pages), tuple(sheet.key for sheet in aside)
    return Arranged(*keys, draft, waiting)


def _of_page_now(reason: str, leaves: Mapping[int, int | None]) -> str:
    """Return a reason as it is said of its page's new place; empty where the page has gone."""
    found = _OF_A_PAGE.match(reason)
    if found is None:
        return reason
    leaf = leaves.get(int(found[1]))
    return f"page {leaf} {found[2]}" if leaf else ""


def _draft(installation: Installation, document: Document, pages: Sequence[Sheet]) -> Draft:
    """Put a record together from its pages; one without any keeps its name.

    Its department stays, whatever its form says: a person has put the pages there.
    """
    if not pages:
        name = document.form, document.department, document.title, document.date
        return Draft((), *name, DocumentStatus.FILED, (), ())
    readings = [_called(sheet.reading, sheet.leaf) for sheet in pages]
    return put_together(
        readings, document.source, document.department, installation.forms, installation.settings
    )


def _called(reading: Reading, leaf: int) -> Reading:
    """Return a reading whose page is called as its record calls it."""
    if not isinstance(reading, PageResult):
        return replace(reading, number=leaf)
    fields = tuple(replace(field, page=leaf) for field in reading.fields)
    return replace(reading, number=leaf, fields=fields)


def carried(
    fields: Sequence[Field], pages: Sequence[Sheet], aside: Sequence[Sheet]
) -> tuple[tuple[Field, ...], dict[PageKey, tuple[Field, ...]]]:
    """Return what people said of a record's ``fields``, and what waits with its page.

    What was said of a field goes with the field's page. It holds where the record's field is that
    page's, and where no page has an answer for it; else, and on a page laid aside, it waits.
    """
    known = {field.name: field for field in fields}
    said: dict[str, Field] = {}
    waiting: dict[PageKey, tuple[Field, ...]] = {sheet.key: sheet.said for sheet in aside}
    for place, sheet in enumerate(pages, 1):
        for field in sheet.said:
            mine = known.get(field.name)
            holds = mine is not None and (mine.page == place or not mine.value)
            if holds and field.name not in said:
                said[field.name] = replace(field, page=place)
            else:
                waiting[sheet.key] = (*waiting.get(sheet.key, ()), field)
    return tuple(said.values()), waiting
