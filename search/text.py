"""One way to cut text into words, for pages, queries and the words on a page image alike."""

from __future__ import annotations

import re
import unicodedata

LONGEST_TOKEN = 64
_RUN = re.compile(r"[^\W_]+")


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
        if len(typed) > 1 and typed.isupper():
            return replacement.upper()
        return replacement.capitalize() if typed[0].isupper() else replacement

    return _RUN.sub(exchanged, text)
