"""Letters that a page's type or copy has made look like others, told by a dictionary.

A worn typewriter fills the gap of every c, and both readers read o; a carbon copy closes every e.
No picture tells them apart then, but the page does: where many unknown words become known ones
by the same exchange of letters, it is that exchange.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from records.model import Line, Word

# What is read for what is written, in small letters.
_EXCHANGES = (
    ("o", "c"), ("e", "c"), ("c", "e"), ("o", "e"), ("c", "o"), ("e", "o"), ("a", "o"), ("o", "a"),
    ("n", "u"), ("u", "n"), ("h", "b"), ("b", "h"), ("l", "t"), ("t", "l"), ("f", "t"), ("t", "f"),
)  # fmt: skip
# Shorter words become others by chance; those with more such letters are not tried in all ways.
_LEAST_LETTERS, _MOST_PLACES = 4, 5
# A page with fewer different words shows no habit.
_LEAST_TEXT = 30
# So many different words, and so great a share of the unknown ones that hold the letter, must
# become known. Of typescript three words or more do, of other pages at most two where both readers
# have read them (tuned half).
_LEAST_WORDS, _LEAST_SHARE = 3, 0.5
# A person is shown a word that was changed so, however surely it was read otherwise.
_MOST_SURE = 0.89
_LETTERS = re.compile(r"[^\W\d_]+")
# What is no word but a number, a code or an address: digits, or marks between letters.
_NO_WORD = re.compile(r"\d|@|\w[./:_\\]\w")


def told_apart(
    lines: Sequence[Line],
    dictionary: Callable[[], Collection[str]],
    verified: Collection[str] = frozenset(),
) -> tuple[Line, ...]:
    """Return lines with letters exchanged where the page shows that it makes them look alike.

    ``dictionary`` gives known words, in small letters; it is asked when a page has words enough.
    Only unknown words are changed, and only into known ones; ``verified`` ones, which people have
    said, never; what the readers made of them stays in their readings.
    """
    words = (w.text for line in lines for w in line.words if not _NO_WORD.search(w.text))
    written = {part.casefold() for text in words for part in _LETTERS.findall(text)}
    written = {text for text in written if len(text) >= _LEAST_LETTERS}
    if len(written) < _LEAST_TEXT:
        return tuple(lines)
    known = dictionary()
    unknown = sorted(written.difference(known, verified)) if known else []
    meant: dict[str, str] = {}
    for exchange in _EXCHANGES:
        holding = [text for text in unknown if exchange[0] in text]
        found = {text: word for text in holding if (word := _only_known(text, *exchange, known))}
        if len(found) >= _LEAST_WORDS and len(found) >= _LEAST_SHARE * len(holding):
            meant = found | meant
    if not meant:
        return tuple(lines)
    return tuple(Line(tuple(_changed(word, meant) for word in line.words)) for line in lines)


def _only_known(text: str, read: str, written: str, known: Collection[str]) -> str | None:
    """Return the one known word that a text becomes when some of a letter are another."""
    made = {word for word in _exchanged(text, read, written) if word in known}
    return made.pop() if len(made) == 1 else None


def _exchanged(text: str, read: str, written: str) -> Iterator[str]:
    places = [i for i, letter in enumerate(text) if letter == read]
    if len(places) > _MOST_PLACES:
        return
    for count in range(1, len(places) + 1):
        for chosen in itertools.combinations(places, count):
            yield "".join(written if i in chosen else letter for i, letter in enumerate(text))


def _changed(word: Word, meant: dict[str, str]) -> Word:
    if _NO_WORD.search(word.text):
        return word
    text = _LETTERS.sub(lambda part: _in_case_of(part[0], meant), word.text)
    if text == word.text:
        return word
    return replace(word, text=text, confidence=min(word.confidence, _MOST_SURE))


def _in_case_of(text: str, meant: dict[str, str]) -> str:
    """Return what a text is meant to be, each letter a capital where the text has one."""
    word = meant.get(text.casefold(), "")
    if len(word) != len(text):
        return text
    pairs = zip(text, word, strict=True)
    return "".join(new.upper() if old.isupper() else new for old, new in pairs)
