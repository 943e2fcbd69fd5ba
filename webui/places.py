"""Where the words of a search stand on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from records.geometry import Box
from records.model import Line, PageWords
from search.pages import RECORD_FIELDS
from search.query import Node, Spelling, parse, terms_of
from search.snippets import boxes_of, hit_words
from search.spelling import is_near
from search.text import tokens

if TYPE_CHECKING:
    from digitize.installation import Installation


def hit_boxes(installation: Installation, text: str, lines: Sequence[Line]) -> tuple[Box, ...]:
    """Return the boxes of the words on a page that a search is about.

    Words that are like those asked for count only when none of these stand on the page.
    """
    root = parse(text, installation.store.field_names() | RECORD_FIELDS).root
    page = PageWords.of(lines)
    here = frozenset(token for text in page.texts for token in tokens(text))
    for met in (_meant(root, here), here):
        if hits := hit_words(page, root, met):
            return boxes_of(page, hits)
    return ()


def _meant(root: Node, here: frozenset[str]) -> frozenset[str]:
    """Return the words of a page that were asked for by their beginning or their likeness."""
    met: set[str] = set()
    for term in terms_of(root):
        last = term.tokens[-1]
        if term.spelling is Spelling.PREFIX:
            met.update(word for word in here if word.startswith(last))
        elif term.spelling is Spelling.ABOUT:
            met.update(word for word in here if any(is_near(word, t) for t in term.tokens))
    return frozenset(met)
