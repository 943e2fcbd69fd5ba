"""The query language: any text a person types becomes a query, and none is an error.

Words (all are wanted), "a phrase", perm* (begins with), smyth~ (about so), field:value,
field:"a phrase", field:low..high, field:[low TO high], AND OR NOT in capitals, -word and
parentheses. Only known field names make field syntax; any other colon stands between words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from search.text import fold, tokens
from search.values import date_span, number

LONGEST_QUERY = 1000  # characters; what comes after is not looked at
DEEPEST = 20  # parentheses within parentheses; deeper ones are passed over


class Spelling(StrEnum):
    """How exactly a term's words must be met."""

    EXACT = "exact"
    PREFIX = "prefix"  # the last word may go on
    ABOUT = "about"  # each word may be one letter off


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand next to each other: anywhere, or in one field of the record.

    ``quoted`` says that a person asked for just this phrase.
    """

    tokens: tuple[str, ...]
    spelling: Spelling
    field: str | None
    quoted: bool


@dataclass(frozen=True, slots=True)
class Range:
    """A field's value from low to high, both included; None on a side is no limit.

    A value is compared as a day (ISO) or as a number, whichever the limits can be read as.
    """

    field: str
    days: tuple[str | None, str | None] | None
    numbers: tuple[float | None, float | None] | None


@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Most:
    """Nearly as much of these as any record has; not typed, but tried when none has all words."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Records without this."""

    part: Node


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record: what an empty query asks for."""


Node = Term | Range | And | Or | Most | Not | Everything


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked, as typed (at most LONGEST_QUERY characters) and as understood."""

    text: str
    root: Node


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of the typed text: ``kind`` is one of ( ) - AND OR NOT, or 'term'."""

    kind: str
    node: Node | None = None


_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02", '"'))
_PIECE = re.compile(
    r"""(?P<space>[\s\0]+)
      | (?P<minus>-+(?=[^\s\0)-]))
      | (?P<paren>[()])
      | "(?P<phrase>[^"]*)"
      | (?P<field>[^\W\d]\w*):(?:"(?P<quoted>[^"]*)"|\[(?P<range>[^\]]*)\]|(?P<value>[^\s\0()"]+))
      | (?P<word>[^\s\0()"]+)
      | (?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = frozenset({"AND", "OR", "NOT"})


def parse(text: str, fields: frozenset[str], day_first: bool = False) -> Query:
    """Understand what a person typed; ``fields`` are the names that can stand before a colon.

    ``day_first`` says that 3/4/2019 is a day in April.
    """
    kept = text[:LONGEST_QUERY]
    pieces = list(_pieces(kept.translate(_QUOTES), fields, day_first))
    root, _ = _alternatives(pieces, 0, 0)
    if root is None:
        root = _joined(And, [_term(word) for word in tokens(kept)])
    return Query(kept, root or Everything())


def terms_of(node: Node) -> Iterator[Term]:
    """Yield the terms that a record is wanted for, not those it must be without."""
    match node:
        case Term():
            yield node
        case And(parts) | Or(parts) | Most(parts):
            for part in parts:
                yield from terms_of(part)
        case _:
            return


def loosened(node: Node) -> Node | None:
    """Return a query for most of the words instead of all, or None where there is one word only.

    What was asked for by field, in quotes, or to be left out stays required.
    """
    parts = node.parts if isinstance(node, And) else (node,)
    free: dict[Term, None] = {}
    required: list[Node] = []
    for part in parts:
        if not isinstance(part, Term) or part.field is not None or part.quoted:
            required.append(part)
        elif any(character.isdigit() for token in part.tokens for character in token):
            free[part] = None  # a number stays whole: half of it is another record's
        else:
            free.update((_term(token), None) for token in part.tokens)
    if len(free) < 2:
        return None
    return _joined(And, [*required, Most(tuple(free))])


def _pieces(text: str, fields: frozenset[str], day_first: bool) -> Iterator[_Piece]:
    place = 0
    while match := _PIECE.match(text, place):
        place = match.end()
        found = match.groupdict()
        before = text[match.start() - 1 : match.start()]
        if found["paren"]:
            yield _Piece(found["paren"])
        elif found["minus"]:
            if not before or before in "(\0" or before.isspace():
                yield _Piece("-")
        elif found["phrase"] is not None:
            yield from _wrapped(_phrase(found["phrase"], None))
        elif found["field"] is not None:
            name = fold(found["field"])
            if name in fields:
                yield from _wrapped(_in_field(name, found, day_first))
            else:  # no field: go over the same text as words
                end = re.compile(r'[^\s\0()"]*').match(text, match.start())
                place = end.end() if end else place
                yield from _wrapped(_plain(text[match.start() : place]))
        elif found["word"] in _OPERATORS:
            yield _Piece(found["word"])
        elif found["word"]:
            yield from _wrapped(_plain(found["word"]))


def _wrapped(node: Node | None) -> Iterator[_Piece]:
    if node is not None:
        yield _Piece("term", node)


def _in_field(name: str, found: dict[str, str | None], day_first: bool) -> Node | None:
    """Return what field:value asks for."""
    if found["quoted"] is not None:
        return _phrase(found["quoted"], name)
    if found["range"] is not None:
        inside = found["range"]
        low, _, high = re.sub(r"\sTO\s", "..", f" {inside} ").partition("..")
        asked = (
            _range(name, low, high, day_first)
            if high or ".." in inside or " TO" in inside
            else None
        )
        return asked or _phrase(inside, name)
    value = found["value"] or ""
    if ".." in value:
        low, _, high = value.partition("..")
        return _range(name, low, high.lstrip("."), day_first) or _plain(value, name)
    asked = _range(name, value, value, day_first)
    worded = _plain(value, name)
    return Or((worded, asked)) if asked and worded else asked or worded


def _range(name: str, low: str, high: str, day_first: bool) -> Range | None:
    """Return the range between two typed limits, or None when they are neither days nor numbers."""
    low, high = low.strip(" *"), high.strip(" *")
    if not low and not high:
        return None
    spans = [date_span(side, day_first) for side in (low, high)]
    counts = [number(side) for side in (low, high)]
    days: tuple[str | None, str | None] | None = None
    numbers: tuple[float | None, float | None] | None = None
    if (spans[0] or not low) and (spans[1] or not high):
        first, last = spans
        if first and last and last[1] < first[0]:
            first, last = last, first
        days = (first[0] if first else None, last[1] if last else None)
    if (counts[0] is not None or not low) and (counts[1] is not None or not high):
        least, most = counts
        if least is not None and most is not None and most < least:
            least, most = most, least
        numbers = (least, most)
    return Range(name, days, numbers) if days or numbers else None


def _phrase(text: str, name: str | None) -> Node | None:
    words = tokens(text)
    return Term(words, Spelling.EXACT, name, quoted=True) if words else None


def _plain(text: str, name: str | None = None) -> Node | None:
    """Return what unquoted text without a space asks for."""
    parts = [text] if name else text.split(":")
    made: list[Node] = []
    for number_, part in enumerate(parts, 1):
        words = tokens(part)
        if not words:
            continue
        term = _term(*words, field=name)
        if number_ == len(parts) and part.endswith("*"):
            term = replace(term, spelling=Spelling.PREFIX)
        elif number_ == len(parts) and re.search(r"~\d?$", part):
            worded = tokens(part[: part.rindex("~")]) or words
            term = replace(term, tokens=worded, spelling=Spelling.ABOUT)
        made.append(term)
    return _joined(And, made)


def _term(*words: str, field: str | None = None) -> Term:
    return Term(words, Spelling.EXACT, field, quoted=False)


def _alternatives(pieces: list[_Piece], place: int, depth: int) -> tuple[Node | None, int]:
    """Read parts that OR stands between, up to a closing parenthesis."""
    parts: list[Node] = []
    while True:
        part, place = _together(pieces, place, depth)
        if part is not None:
            parts.append(part)
        if place < len(pieces) and pieces[place].kind == "OR":
            place += 1
        else:
            return _joined(Or, parts), place


def _together(pieces: list[_Piece], place: int, depth: int) -> tuple[Node | None, int]:
    """Read parts that are all wanted, up to an OR or a closing parenthesis."""
    parts: list[Node] = []
    without = False
    while place < len(pieces):
        piece = pieces[place]
        if piece.kind == "OR" or (piece.kind == ")" and depth):
            break
        place += 1
        part = piece.node
        if piece.kind == "(" and depth < DEEPEST:
            part, place = _alternatives(pieces, place, depth + 1)
            place += place < len(pieces)  # the closing parenthesis, where there is one
        if piece.kind in ("-", "NOT"):
            without = not without if piece.kind == "NOT" else True
        if part is not None:
            parts.append(Not(part) if without else part)
            without = False
    return _joined(And, parts), place


def _joined(kind: type[And | Or], parts: list[Node] | list[Term]) -> Node | None:
    """Return several parts as one node, a single part as itself, and no part as None."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return kind(tuple(parts))
