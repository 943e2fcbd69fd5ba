"""Which words of a page are what was asked for."""

from __future__ import annotations

import random

import pytest

from records.model import PageWords
from search.query import parse
from search.snippets import hit_words
from search.text import LONGEST_TOKEN, tokens
from tests.search.fakes import lines_of

ODD = [
    "Café",
    "CAFE\u0301",
    "café-bar",
    "bar",
    "a_bar",
    "a-bar.",
    "barn",
    "-",
    "\u2014",
    "2019-0412",
]
LONG = "x" * (LONGEST_TOKEN + 6)


@pytest.mark.parametrize("seed", range(20))
def test_words_are_hits_however_they_are_written(seed: int) -> None:
    """Case, accents, signs around a word and between two of them make no difference."""
    chance = random.Random(seed)
    words = chance.choices([*ODD, LONG, "0412", "Bar,", "(bar)", "rebar"], k=30)
    page = PageWords.of(lines_of(" ".join(words[:15]) + "\n" + " ".join(words[15:])))
    for asked in ("bar", "cafe", "0412", LONG):
        [token] = tokens(asked)
        wanted = {place for place, word in enumerate(words) if token in tokens(word)}
        assert hit_words(page, parse(asked, frozenset()).root, frozenset()) == wanted
