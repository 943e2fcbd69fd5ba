"""Paper of no known form: which records look alike, so that a template for them would pay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from digitize.identify import letters
from records.access import Viewer
from records.model import Document, DocumentStatus
from records.store import Store

# So many of two pages' labels, to all that either has, must be the same (Jaccard index).
_ALIKE = 0.5
# With fewer labels a page looks like too many others.
_LEAST_LABELS = 4
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """Records that look alike: their numbers, and the labels that most of them have."""

    records: tuple[int, ...]
    labels: tuple[str, ...]


def kinds(store: Store, viewer: Viewer, least: int) -> tuple[Kind, ...]:
    """Return kinds of unknown paper with ``least`` records or more, the commonest first.

    A record is of the first kind whose first record its labels are like enough.
    """
    found: list[tuple[frozenset[str], list[int], Counter[str]]] = []
    for document in _unknown(store, viewer):
        first = min((page for page, _ in store.pairs(document.id)), default=0)
        told = [pair.label for page, pair in store.pairs(document.id) if page == first]
        labels = frozenset(letters(label) for label in told) - {""}
        if len(labels) < _LEAST_LABELS:
            continue
        for of_first, records, counted in found:
            if len(labels & of_first) >= _ALIKE * len(labels | of_first):
                records.append(document.id)
                counted.update(set(told))
                break
        else:
            found.append((labels, [document.id], Counter(set(told))))
    of_many = [
        Kind(tuple(records), _of_most(counted, len(records)))
        for _, records, counted in found
        if len(records) >= least
    ]
    return tuple(sorted(of_many, key=lambda kind: -len(kind.records)))


def _of_most(counted: Counter[str], records: int) -> tuple[str, ...]:
    return tuple(label for label, count in counted.most_common() if 2 * count > records)


def _unknown(store: Store, viewer: Viewer) -> Iterable[Document]:
    """Give the records that were read and are no known form."""
    after = 0
    while some := store.documents(viewer, after=after, limit=_PAGE):
        yield from (
            d for d in some if d.form is None and d.status in _READ
        )  # fmt: skip
        after = some[-1].id


_READ = (DocumentStatus.FILED, DocumentStatus.NEEDS_REVIEW)
