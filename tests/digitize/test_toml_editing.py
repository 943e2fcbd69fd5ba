"""A TOML file changed in one place: the value is what was meant, and all else stays as it was."""

from __future__ import annotations

import tomllib

import pytest

from digitize.toml_editing import quoted, with_items, with_numbers, with_value

TEXT = """\
# a form
name = "bill"

[[fields]]
name = "one"     # the first
sure = 0.9       # as measured
zone = [0.10, 0.200,  # left, top
        0.3, 0.4]
values = ["a # b", 'c ] d']  # two

[[fields]]
  name = "two"
  values = [
    "a",  # the first
    "b"   # the last
  ]
  beside = "No."
"""
ONE, TWO = ("fields", 0), ("fields", 1)


def test_a_value_is_exchanged() -> None:
    """What stands behind it stays."""
    made = with_value(TEXT, ONE, "sure", "0.95")
    assert made == TEXT.replace("sure = 0.9  ", "sure = 0.95  ")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_key_that_is_not_there_follows_the_name(end: str) -> None:
    """It is indented as the name is, and its line ends as the others do."""
    made = with_value(TEXT.replace("\n", end), TWO, "sure", "0.95")
    assert made == TEXT.replace('"two"\n', '"two"\n  sure = 0.95\n').replace("\n", end)


def test_a_key_is_put_behind_a_name_at_the_end() -> None:
    """A file whose last line has no end gets one."""
    made = with_value('[[fields]]\nname = "one"', ONE, "sure", "0.5")
    assert made == '[[fields]]\nname = "one"\nsure = 0.5\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('v = ["a"]  # c', 'v = ["a", "x", "y"]  # c'),
        ('v = ["a", ]', 'v = ["a", "x", "y", ]'),
        ('v = "a"  # c', 'v = ["a", "x", "y"]  # c'),
        ("v = 'a ] b'", 'v = [\'a ] b\', "x", "y"]'),
        ('v = [\n  "a",\n]', 'v = [\n  "a",\n  "x",\n  "y",\n]'),
        ('v = [\n  "a"  # c\n]', 'v = [\n  "a",  # c\n  "x",\n  "y",\n]'),
        ('v = [\n  "a",  # c\n  # d\n]', 'v = [\n  "a",  # c\n  "x",\n  "y",\n  # d\n]'),
        ('v = ["a",\n  "b"]', 'v = ["a",\n  "b", "x", "y"]'),
    ],
)
def test_items_are_added_in_the_lists_own_layout(before: str, after: str) -> None:
    """On lines of their own where the list has them; a comment stays with its item."""
    text = f'[[fields]]\nname = "one"\n{before}\nw = 1\n'
    made = with_items(text, ONE, "v", ("x", "y"))
    assert made == text.replace(before, after)
    assert tomllib.loads(made)["fields"][0]["v"][-2:] == ["x", "y"]


def test_texts_with_quotes_are_what_they_were() -> None:
    """Whatever a person typed is read back letter by letter."""
    for odd in ('5" pipe', "back\\slash", "Łódź", "tab\there", "# no comment", "]"):
        made = with_items(TEXT, TWO, "values", (odd,))
        assert made is not None
        assert tomllib.loads(made)["fields"][1]["values"] == ["a", "b", odd]
        assert tomllib.loads(f"v = {quoted(odd)}") == {"v": odd}


def test_numbers_are_exchanged_one_by_one() -> None:
    """The others are written as they were, on the line where they were."""
    made = with_numbers(TEXT, ONE, "zone", {1: "0.190", 3: "0.39"})
    assert made == TEXT.replace("0.200,", "0.190,").replace("0.4]", "0.39]")


@pytest.mark.parametrize(
    "text",
    [
        'fields = [{ name = "one", v = ["a"] }]\n',
        '[[fields]]\n"name" = "one"\n"v" = ["a"]\n',
        '[[fields]]\nname = "one"\nv = []\n',
    ],
    ids=["inline", "quoted keys", "empty"],
)
def test_what_is_written_otherwise_is_left_to_a_person(text: str) -> None:
    """Nothing is guessed of a table in one line, of quoted keys, or of an empty list."""
    assert with_items(text, ONE, "v", ("x",)) is None
    assert with_numbers(text, ONE, "v", {3: "1"}) is None


def test_a_place_that_is_not_there() -> None:
    """Nothing is changed where there is no such table or key."""
    assert with_value(TEXT, ("fields", 7), "sure", "1") is None
    assert with_items(TEXT, ONE, "under", ("x",)) is None
    assert with_numbers(TEXT, TWO, "zone", {0: "1"}) is None
