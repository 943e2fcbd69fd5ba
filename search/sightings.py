"""Where words stand in one segment of an index, as arrays, and the memory that keeps some of them.

A segment never changes, so what was read of it once holds until it is merged away.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.arrays import Ints, Mask

_OF_ITSELF = 300  # bytes that an entry of the memory takes besides its arrays


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The pages of a segment that have one term, ascending, and the places on them in words.

    The places of the page at ``n`` are those from ``starts[n]`` to ``starts[n + 1]``.
    """

    pages: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int32]
    places: npt.NDArray[np.uint16]

    @property
    def size(self) -> int:
        """Return how many bytes this takes."""
        return self.pages.nbytes + self.starts.nbytes + self.places.nbytes + _OF_ITSELF

    def keys(self, wanted: Mask, offset: int, bits: int) -> Ints:
        """Return the page, counted from ``offset`` and moved by so many bits, and place of each."""
        kept = np.flatnonzero(wanted[self.pages])
        counts = self.starts[kept + 1] - self.starts[kept]
        before = np.cumsum(counts) - counts
        each = np.arange(counts.sum()) + np.repeat(self.starts[kept] - before, counts)
        pages = (self.pages[kept].astype(np.int64) + offset) << bits
        keys: Ints = np.repeat(pages, counts) + self.places[each]
        return keys


def sightings(pages: Ints, places: Sequence[bytes]) -> Sightings:
    """Put together what an index keeps of a term: its pages, and for each two bytes a place."""
    starts = np.zeros(len(places) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, places), np.int32, len(places)) // 2, out=starts[1:])
    return Sightings(pages.astype(np.int32), starts, np.frombuffer(b"".join(places), np.uint16))


NOWHERE = sightings(np.zeros(0, np.int64), ())


class Memory:
    """Sightings read lately, up to a number of bytes. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Sightings] = OrderedDict()

    def get(self, key: tuple[object, ...], read: Callable[[], Sightings]) -> Sightings:
        """Return what is kept under a key, or read it; what was asked for longest ago goes."""
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        made = read()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._left -= made.size
            while self._left < 0:
                _, gone = self._kept.popitem(last=False)
                self._left += gone.size
        return made


class Vocabulary:
    """The terms of one area of a segment, in a fraction of the memory that they take as texts."""

    def __init__(self, terms: Sequence[bytes], pages: npt.NDArray[np.uint32]) -> None:
        """Take the terms, ascending, and on how many pages each stands."""
        self._ends = np.cumsum(np.fromiter(map(len, terms), np.uint32, len(terms)))
        self._text = b"".join(terms)
        self._pages = pages
        hashes = np.fromiter(map(hash, terms), np.int64, len(terms))
        order = np.argsort(hashes)
        self._hashes: Ints = hashes[order]
        self._pages_by_hash = pages[order]

    def spread(self, hashes: Ints) -> npt.NDArray[np.uint32]:
        """Return on how many pages the term of each hash stands; rarely it is another's."""
        if not len(self._hashes):
            return np.zeros(len(hashes), np.uint32)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.where(self._hashes[places] == hashes, self._pages_by_hash[places], 0)

    def beginning(self, prefix: bytes, most: int | None = None) -> list[tuple[bytes, int]]:
        """Return the terms that begin so with the number of pages; ``most`` takes the commonest."""
        numbers = range(len(self._pages))
        first = bisect_left(numbers, prefix, key=self._term)
        end = bisect_left(numbers, prefix + b"\xff", lo=first, key=self._term)  # in no UTF-8
        chosen: Iterable[int] = range(first, end)
        if most is not None and most < end - first:
            chosen = (first + _highest(self._pages[first:end], most)).tolist()
        return [(self._term(number), int(self._pages[number])) for number in chosen]

    def _term(self, number: int) -> bytes:
        return self._text[self._ends[number - 1] if number else 0 : self._ends[number]]


def _highest(values: npt.NDArray[np.uint32], count: int) -> Ints:
    """Return where so many of the highest values are (argpartition is slow on many equal ones)."""
    least = np.partition(values, -count)[-count]
    above = np.flatnonzero(values > least)
    return np.append(above, np.flatnonzero(values == least)[: count - len(above)])
