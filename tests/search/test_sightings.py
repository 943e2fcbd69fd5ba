"""What is remembered of an index: it stays within its bytes, and says what was put in."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from search.sightings import Memory, Sightings, Vocabulary, sightings

TERMS = sorted(word.encode() for word in ("fence", "fences", "permit", "pérmit", "perm", "zoo"))


def of_pages(*pages: int) -> Sightings:
    return sightings(np.array(pages), [np.array([3, 5], np.uint16).tobytes()] * len(pages))


def test_places_of_the_wanted_pages() -> None:
    """A key is a page, counted over all segments, and a place; other pages have none."""
    wanted = np.array([False, True, False, True])
    keys = of_pages(0, 1, 3).keys(wanted, offset=10, bits=8)
    assert [(key >> 8, key & 255) for key in keys.tolist()] == [(11, 3), (11, 5), (13, 3), (13, 5)]


def test_the_memory_keeps_what_was_asked_for_last() -> None:
    """It never holds more bytes than it may, and forgets what nobody asked for the longest."""
    read: list[int] = []

    def reading(number: int) -> Sightings:
        read.append(number)
        return of_pages(number)

    memory = Memory(3 * of_pages(0).size)
    for number in (1, 2, 3, 1, 4, 1, 3, 2):
        assert memory.get((number,), partial(reading, number)).pages.tolist() == [number]
    assert read == [1, 2, 3, 4, 2]


def test_what_is_too_big_is_not_kept() -> None:
    """Sightings larger than the whole memory are given, and not kept."""
    memory = Memory(of_pages(0).size)
    big = of_pages(*range(1000))
    assert memory.get(("big",), lambda: big) is big
    other = of_pages(0)
    assert memory.get(("big",), lambda: other) is other


@pytest.mark.parametrize(
    ("prefix", "most", "found"),
    [
        ("perm", None, {"perm", "permit"}),
        ("perm", 1, {"permit"}),
        ("pér", 5, {"pérmit"}),
        ("", 1, {"zoo"}),
        ("", 3, {"zoo", "fences", "permit"}),
        ("fences", None, {"fences"}),
        ("zz", None, set()),
        ("a", 3, set()),
    ],
)
def test_terms_by_their_beginning(prefix: str, most: int | None, found: set[str]) -> None:
    """The terms that begin so, or those of them that stand on most pages."""
    pages = [len(term) if term != b"zoo" else 99 for term in TERMS]
    pages[TERMS.index("pérmit".encode())] = 1
    vocabulary = Vocabulary(TERMS, np.array(pages, np.uint32))
    assert {term.decode() for term, _ in vocabulary.beginning(prefix.encode(), most)} == found


def test_a_vocabulary_knows_its_terms() -> None:
    """Of each of its terms it says on how many pages it stands, of others that on none."""
    vocabulary = Vocabulary(TERMS, np.arange(1, len(TERMS) + 1, dtype=np.uint32))
    asked = [*TERMS, b"fenc", b"", b"permits"]
    hashes = np.array([hash(term) for term in asked], np.int64)
    assert vocabulary.spread(hashes).tolist() == [1, 2, 3, 4, 5, 6, 0, 0, 0]
    assert not Vocabulary([], np.zeros(0, np.uint32)).spread(hashes).any()
