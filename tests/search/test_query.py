"""The query language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import (
    LONGEST_QUERY,
    And,
    Everything,
    Most,
    Node,
    Not,
    Or,
    Range,
    Spelling,
    Term,
    loosened,
    parse,
    terms_of,
)

FIELDS = frozenset({"permit_number", "fee", "date", "form", "year", "title"})


def word(
    *tokens: str,
    field: str | None = None,
    spelling: Spelling = Spelling.EXACT,
    quoted: bool = False,
) -> Term:
    return Term(tokens, spelling, field, quoted)


def root(text: str) -> Node:
    return parse(text, FIELDS).root


A, B, C = word("a"), word("b"), word("c")


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", Everything()),
        ("  \0 \n", Everything()),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a and b", And((A, word("and"), B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a NOT b", And((A, Not(B)))),
        ("a -b", And((A, Not(B)))),
        ("-b", Not(B)),
        ("-(a b)", Not(And((A, B)))),
        ("a-b", word("a", "b")),
        ("a - b", And((A, B))),
        ('"a b"', word("a", "b", quoted=True)),
        ("\u201ca b\u201d", word("a", "b", quoted=True)),
        ('-"a b"', Not(word("a", "b", quoted=True))),
        ("perm*", word("perm", spelling=Spelling.PREFIX)),
        ("smyth~", word("smyth", spelling=Spelling.ABOUT)),
        ("smyth~2", word("smyth", spelling=Spelling.ABOUT)),
        ("2019-04*", word("2019", "04", spelling=Spelling.PREFIX)),
        ("O'Brien", word("o", "brien")),
        ("form:permit", word("permit", field="form")),
        ("FORM:permit", word("permit", field="form")),
        ('form:"building permit"', word("building", "permit", field="form", quoted=True)),
        ("form:perm*", word("perm", field="form", spelling=Spelling.PREFIX)),
        ("-form:permit", Not(word("permit", field="form"))),
        ("date:2019-01-01..2019-12-31", Range("date", ("2019-01-01", "2019-12-31"), None)),
        ("date:2019..2021", Range("date", ("2019-01-01", "2021-12-31"), (2019.0, 2021.0))),
        ("date:2021..2019", Range("date", ("2019-01-01", "2021-12-31"), (2019.0, 2021.0))),
        ("date:..2019-05", Range("date", (None, "2019-05-31"), None)),
        ("date:2019-05..", Range("date", ("2019-05-01", None), None)),
        ("fee:100..500", Range("fee", None, (100.0, 500.0))),
        ("fee:[100 TO 500]", Range("fee", None, (100.0, 500.0))),
        ("fee:[100 TO *]", Range("fee", None, (100.0, None))),
        ("fee:$1,000..$2,500.50", Range("fee", None, (1000.0, 2500.5))),
        ("fee:150", Or((word("150", field="fee"), Range("fee", None, (150.0, 150.0))))),
        ("reg:1", And((word("reg"), word("1")))),
        ('reg:"a b"', And((word("reg"), word("a", "b", quoted=True)))),
        ("form:", word("form")),
    ],
)
def test_meaning(text: str, node: Node) -> None:
    """What is documented of the language means what it says."""
    assert root(text) == node


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("'", Everything()),
        ('"', Everything()),
        ('"a b', And((A, B))),
        ('a "', A),
        ("(((", Everything()),
        (")))", Everything()),
        ("((a)", A),
        ("a))b", And((A, B))),
        ("() a", A),
        ("a AND", A),
        ("OR a", A),
        ("AND", word("and")),
        ("NOT", word("not")),
        ("a OR OR b", Or((A, B))),
        ("--a", Not(A)),
        ("*", Everything()),
        ("~", Everything()),
        ("..", Everything()),
        ("date:..", word("date")),
        ("date:[", word("date")),
        ("fee:[]", word("fee")),
        ("date:a..b", word("a", "b", field="date")),
        ("a\0b", And((A, B))),
        ("\U0001f600", Everything()),
    ],
)
def test_slips(text: str, node: Node) -> None:
    """Half-typed and mistyped syntax still asks for the words in it."""
    assert root(text) == node


@given(st.text(alphabet=st.sampled_from("ab\"'()[]:*~-. \0\tANDORTNO1feorm\u201c\u00e9\U0001f600")))
def test_syntax_soup_is_never_an_error(text: str) -> None:
    """Whatever is made of the language's own signs, it is a query."""
    list(terms_of(root(text)))
    loosened(root(text))


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    """Whatever a person types, it is a query, and its words are in it or left out on purpose."""
    assert parse(text, FIELDS).text == text[:LONGEST_QUERY]


@pytest.mark.parametrize("sign", ["(", "-(", '"', "a ", "a OR ", "NOT ", "form:", "[", "a:", "~"])
def test_ten_thousand_characters(sign: str) -> None:
    """A pasted page is no danger: it is cut, and nests no deeper than is looked at."""
    parse(sign * 10_000, FIELDS)


def test_day_first() -> None:
    """An archive that writes the day first reads typed dates so."""
    day = parse("date:13/1/2019", FIELDS, day_first=True).root
    assert isinstance(day, Or)
    assert Range("date", ("2019-01-13", "2019-01-13"), None) in day.parts


def test_loosened_keeps_what_was_asked_for_outright() -> None:
    """Field, quote and exclusion stay required when the words are no longer all wanted."""
    node = loosened(root('x y-z form:permit "a b" -c'))
    assert node == And(
        (
            word("permit", field="form"),
            word("a", "b", quoted=True),
            Not(C),
            Most((word("x"), word("y"), word("z"))),
        )
    )
    assert loosened(root("fence 2019-0412")) == Most((word("fence"), word("2019", "0412")))
    assert loosened(root("one")) is None
    assert loosened(root('"a b"')) is None
