"""One way to cut text into words, for pages, queries and the words on a page image alike."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST_TOKEN = 64
_RUN = re.compile(r"[^\W_]+")
_AT_THE_END = re.compile(r"(?:(?<!\w)(?P<field>[^\W\d]\w*):\"?)?(?P<word>[^\W_]+)\Z")


def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text: lower case, without accents, split at all but letters and digits.

    ``2019-0412`` and ``O'Brien`` are two tokens each. A token longer than ``LONGEST_TOKEN``
    characters is cut, in pages and in queries alike.
    """
    return tuple(run[:LONGEST_TOKEN] for run in _RUN.findall(fold(text)))


def fold(text: str) -> str:
    """Return the text in the form in which two spellings of one word are equal."""
    if text.isascii():
        return text.lower()
    compatible = unicodedata.normalize("NFKC", text).casefold()
    apart = unicodedata.normalize("NFKD", compatible)
    bare = "".join(character for character in apart if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", bare)


def replace_token(text: str, token: str, replacement: str) -> str:
    """Return what a person typed with one word exchanged, its capitals kept.

    A word that a colon follows is a field's name and stays.
    """

    def exchanged(match: re.Match[str]) -> str:
        typed = match.group()
        if tokens(typed) != (token,) or text[match.end() : match.end() + 1] == ":":
            return typed
        return _with_capitals_of(typed, replacement)

    return _RUN.sub(exchanged, text)


@dataclass(frozen=True, slots=True)
class LastWord:
    """The word at the end of what a person typed: the text before it, and the word as typed.

    ``field`` is what stands before a colon right before it, None without.
    """

    before: str
    typed: str
    field: str | None

    def finished(self, word: str) -> str:
        """Return the whole text with the last word exchanged for a longer one."""
        return self.before + _with_capitals_of(self.typed, word)


def last_word(text: str) -> LastWord | None:
    """Return the word that a text ends with, None when it ends with something else."""
    match = _AT_THE_END.search(text)
    if match is None:
        return None
    name = match.group("field")
    return LastWord(text[: match.start("word")], match.group("word"), name and fold(name))


def _with_capitals_of(typed: str, word: str) -> str:
    if len(typed) > 1 and typed.isupper():
        return word.upper()
    return word.capitalize() if typed[0].isupper() else word
