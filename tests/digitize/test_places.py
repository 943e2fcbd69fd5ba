"""Where answers stand: in zones, at labels, below others, anywhere; and what is noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize.extract import Asked, extract
from digitize.form_file import parse_form
from digitize.forms import FormTemplate
from digitize.identify import as_form, identify, stands_twice
from digitize.values import Reading
from records.model import Field, FieldStatus, Line
from tests.digitize.making import line

SIZE = (1000, 1000)
US = Reading(False, "US")
HEAD = """
name = "bill"
[identify]
anchors = [
  { text = "WATER BILL", box = [0.1, 0.05, 0.24, 0.08] },
  { text = "Town of Alder Falls", box = [0.6, 0.90, 0.866, 0.93] },
]
"""
PRINTED = ((100, 50, "WATER BILL"), (600, 900, "Town of Alder Falls"))

Ask = Callable[..., Field]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask a page of some lines for one field, written as TOML."""

    def asked(
        toml: str, *texts: tuple[int, int, str] | Line, printed: bool = True, sure: float = 0.9
    ) -> Field:
        fields = f'[[fields]]\nname = "f"\n{toml}'
        form = parse_form(f"{HEAD}{fields}", tmp_path / "bill.toml", frozenset())
        lines = [t if isinstance(t, Line) else line(*t) for t in texts]
        page = (*(line(*p) for p in PRINTED if printed), *lines)
        image = np.full(SIZE, 255, np.uint8)
        for each in page:
            for word in each.words:
                cv2.rectangle(image, word.box[:2], (word.box.right, word.box.bottom), 0, 1)
        return extract(as_form(page, form, 1), page, image, 1, "test", Asked(sure, US))[-1]

    return asked


TOTAL = 'kind = "money"\nbeside = ["TOTAL ROUNDED", "TOTAL DUE", "TOTAL"]'


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        ([(100, 300, "TOTAL 12.50")], "12.50"),
        ([(100, 300, "SUB TOTAL 10.00"), (100, 350, "TOTAL 12.50")], "12.50"),
        ([(100, 300, "TOTAL 12.52"), (100, 400, "TOTAL ROUNDED 12.50")], "12.50"),
        ([(100, 250, "TOTAL QUANTITY 3"), (100, 400, "TOTAL 12.50")], "12.50"),
        ([(100, 300, "TOTAL"), (700, 302, "12.50"), (700, 340, "99.00")], "12.50"),
        ([(100, 300, "TOTAL $ 12.50 CASH 20.00")], "12.50"),
        ([(100, 300, "TOTAL BEFORE TAX 10.00"), (100, 400, "TOTAL: 12.50")], "12.50"),
    ],
    ids=[
        "plain",
        "sub total",
        "best variant",
        "another label",
        "far right",
        "more on the line",
        "longer label",
    ],
)
def test_a_sum_stands_beside_one_of_its_labels(
    ask: Ask, texts: list[tuple[int, int, str]], value: str
) -> None:
    """The first of the labels counts whose answer looks like a sum; its own row alone."""
    found = ask(TOTAL, *texts)
    assert (found.value, found.found_by) == (value, "label")


def test_the_row_of_its_label_is_the_answers_first_line(ask: Ask) -> None:
    """Of an answer of one line it is the row beside the label, not the first that is near."""
    rows = [(100, 300, "TOTAL"), (700, 272, "99.00"), (700, 304, "12.50")]
    assert ask(f"{TOTAL}\nlines = 1", *rows).value == "12.50"


def test_a_zone_comes_before_a_label(ask: Ask) -> None:
    """Where the form could be placed, what stands in the zone is the answer."""
    toml = 'zone = [0.1, 0.2, 0.5, 0.25]\nbeside = "Owner"'
    found = ask(toml, (110, 210, "Wren"), (100, 400, "Owner Finch"))
    assert (found.value, found.found_by) == ("Wren", "zone")


def test_a_label_stands_in_where_the_form_could_not_be_placed(ask: Ask) -> None:
    """Without its anchors nothing says where the zone lies, so the label is asked."""
    toml = 'zone = [0.1, 0.2, 0.5, 0.25]\nbeside = "Owner"'
    page = ((110, 210, "Wren"), (100, 400, "Owner Finch"))
    found = ask(toml, *page, printed=False)
    assert (found.value, found.found_by) == ("Finch", "label")


def test_an_answer_of_several_lines_ends_where_it_says(ask: Ask, tmp_path: Path) -> None:
    """Lines below another field, up to a text that ends them, and no more than are wanted."""
    toml = (
        'zone = [0.1, 0.2, 0.9, 0.24]\n[[fields]]\nname = "address"\nbelow = "f"\n'
        'until = ["TEL", "INVOICE"]\nlines = 3'
    )
    rows = [(110, 205, "Finch and Wren"), (110, 260, "12 Elm Street"), (110, 310, "Alder Falls")]
    found = ask(toml, *rows, (110, 360, "TEL 555 0142"), (110, 410, "Pumps"))
    assert (found.value, found.found_by) == ("12 Elm Street Alder Falls", "field")


@pytest.mark.parametrize("fall", [-9, 9])
@pytest.mark.parametrize("parted", [False, True])
def test_rows_of_bent_paper_are_not_run_together(ask: Ask, fall: int, parted: bool) -> None:
    """Where each word stands lower than the one before, a row ends at the height of the next."""
    rows = (("Finch", "and", "Wren", "Pumps"), ("12", "Elm", "Street", "Alder"))
    words = [
        [line(110 + 120 * i, 300 + 40 * down + fall * i, text) for i, text in enumerate(row)]
        for down, row in enumerate(rows)
    ]
    alone = [one for row in words for one in row]
    lines = [Line(tuple(w for one in row for w in one.words)) for row in words]
    found = ask("zone = [0.1, 0.2, 0.9, 0.45]", *(alone if parted else lines))
    assert found.value == "Finch and Wren Pumps 12 Elm Street Alder"


def test_two_rows_that_were_read_as_one_line_are_two(ask: Ask) -> None:
    """The rows are told by how high their words stand."""
    one = Line((*line(110, 250, "12 Elm Street").words, *line(110, 300, "Alder Falls").words))
    found = ask("zone = [0.1, 0.19, 0.9, 0.36]", one)
    assert found.value == "12 Elm Street Alder Falls"


@pytest.mark.parametrize(
    ("toml", "value"),
    [
        ('kind = "date"\nanywhere = true', "2019-03-14"),
        ('kind = "money"\nanywhere = true', "8.20"),
        ("kind = 'identifier'\nanywhere = true\npattern = 'B-\\d{3}'", "B-412"),
    ],
)
def test_what_has_a_look_is_found_anywhere(ask: Ask, toml: str, value: str) -> None:
    """A date, a sum or a number of its pattern is found wherever it stands."""
    found = ask(toml, (300, 500, "Read on March 14, 2019 bill B-412 of 8.20"))
    assert (found.value, found.found_by) == (value, "page")


@pytest.mark.parametrize(
    ("take", "value"),
    [
        ("'^([^,\\n]+)'", "Ann Hart"),
        ("'(?s)[,\\n]\\s*(.+)'", "Town Clerk"),
        ("['^Dr\\. (.+)', '(?s)[,\\n]\\s*(.+)']", "Town Clerk"),
        ("'none of this'", ""),
    ],
)
@pytest.mark.parametrize("rows", [["Ann Hart, Town Clerk"], ["Ann Hart", "Town Clerk"]])
def test_a_part_of_what_is_written_is_taken(
    ask: Ask, take: str, value: str, rows: list[str]
) -> None:
    """Of a name and a title in one box each field takes its own, on one line or on two."""
    texts = [(110, 210 + 40 * i, row) for i, row in enumerate(rows)]
    found = ask(f"zone = [0.1, 0.19, 0.9, 0.31]\ntake = {take}", *texts)
    assert found.value == value


def test_a_signatures_strokes_are_no_typed_answer(ask: Ask) -> None:
    """What was hardly read, above a name that was read surely, is left out."""
    strokes = line(120, 200, "ry lW", 0.2)
    found = ask("zone = [0.1, 0.19, 0.9, 0.31]", strokes, (110, 260, "Ann Hart"))
    assert (found.value, found.status) == ("Ann Hart", FieldStatus.OK)


def test_a_speck_at_an_end_is_no_letter(ask: Ask) -> None:
    """A letter that was hardly read, at the end of a row, is left out."""
    row = Line((*line(110, 210, "Ann Hart").words, *line(300, 210, "i", 0.2).words))
    assert ask("zone = [0.1, 0.19, 0.9, 0.31]", row).value == "Ann Hart"


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (["STREET", "40 Kestrel Lane"], "40 Kestrel Lane"),
        (["STREET SITE", "40 Kestrel Lane"], "40 Kestrel Lane"),
        (["Street"], "Street"),
        (["SITE 9", "Kestrel Lane"], "SITE 9 Kestrel Lane"),
        (["40 Kestrel", "Street"], "40 Kestrel Street"),
    ],
    ids=["a word", "two words", "all there is", "more than the label", "below"],
)
def test_a_part_of_the_label_above_an_answer_is_no_answer(
    ask: Ask, rows: list[str], value: str
) -> None:
    """Of a printed label sometimes one word alone is read; over an answer it is still print."""
    texts = [(110, 210 + 40 * i, row) for i, row in enumerate(rows)]
    found = ask('label = "STREET ADDRESS OF SITE"\nzone = [0.1, 0.19, 0.9, 0.31]', *texts)
    assert found.value == value


def test_an_ampersand_is_part_of_a_name(ask: Ask) -> None:
    """Signs that mean something are kept; marks that rules leave are not."""
    found = ask("zone = [0.1, 0.19, 0.9, 0.31]", (110, 210, "Finch & Wren |"))
    assert found.value == "Finch & Wren"


def test_what_is_written_by_hand_is_shown_to_a_person(ask: Ask) -> None:
    """However surely it was read."""
    found = ask('zone = [0.1, 0.19, 0.9, 0.31]\nfilled = "hand"', (110, 210, "Ann Hart"))
    assert found.status is FieldStatus.UNSURE
    assert found.reasons == ("unsure: it is written by hand",)


@pytest.mark.parametrize(("sure", "status"), [("0.99", "unsure"), ("0.1", "ok")])
def test_a_field_may_have_a_threshold_of_its_own(ask: Ask, sure: str, status: str) -> None:
    """The field's own goes before the setting."""
    words = line(110, 210, "Ann Hart", 0.9)
    found = ask(f"zone = [0.1, 0.19, 0.9, 0.31]\nsure = {sure}", words, sure=0.8)
    assert found.status == status


def test_a_number_among_noise_is_taken_whole(ask: Ask) -> None:
    """Of several words the one that has the pattern is the number; they are not run together."""
    toml = "kind = 'identifier'\npattern = '\\d{3,5}'\nzone = [0.1, 0.19, 0.9, 0.31]"
    assert ask(toml, (110, 210, "1 1643")).value == "1643"


@pytest.mark.parametrize(
    ("rule", "broken"),
    [(">= issued", False), ("> issued", False), ("= issued", True), ("< issued", True)],
)
def test_a_field_is_held_against_another(ask: Ask, rule: str, broken: bool) -> None:
    """A date that lies wrong to another is invalid, and says to which."""
    toml = (
        'label = "Issued"\nkind = "date"\nzone = [0.1, 0.2, 0.9, 0.24]\n[[fields]]\n'
        'name = "expires"\nkind = "date"\nzone = [0.1, 0.3, 0.9, 0.34]\n'
        f'compare = "{rule.replace("issued", "f")}"'
    )
    found = ask(toml, (110, 205, "3/14/2019"), (110, 305, "3/14/2020"))
    assert (found.status is FieldStatus.INVALID) == broken
    if broken:
        assert f"is not {rule[0]} Issued (2019-03-14)" in found.reasons[-1]


# Printings, and other paper

REFERENCE = (
    "Account number of the customer", "Service address in town", "Reading of the meter before",
    "Reading of the meter now", "Amount of this bill in dollars", "Pay at the counter by the date",
)  # fmt: skip


def printing(name: str, printing: str, tops: list[float], tmp_path: Path) -> FormTemplate:
    """Return a template whose printed lines stand at some heights."""
    lines = "".join(
        f'{{ text = "{text}", box = [0.1, {top}, {0.1 + 0.014 * len(text):.3f}, {top + 0.03}] }}, '
        for text, top in zip(REFERENCE, tops, strict=True)
    )
    toml = HEAD.replace('name = "bill"', f'name = "{name}"\nprinting = "{printing}"')
    return parse_form(f"{toml}[reference]\nlines = [\n{lines}]\n", tmp_path / "x.toml", frozenset())


def test_printings_are_told_apart_by_where_their_lines_stand(tmp_path: Path) -> None:
    """Two printings say the same; the one whose lines stand as on the page is it."""
    old = printing("bill", "1990", [0.2, 0.25, 0.3, 0.35, 0.4, 0.45], tmp_path)
    new = printing("bill", "2004", [0.2, 0.4, 0.45, 0.6, 0.7, 0.8], tmp_path)
    forms = {form.key: form for form in (old, new)}
    for wanted, tops in (
        ("1990", [200, 250, 300, 350, 400, 450]),
        ("2004", [200, 400, 450, 600, 700, 800]),
    ):
        page = [line(*p) for p in PRINTED]
        page += [line(100, top, text) for top, text in zip(tops, REFERENCE, strict=True)]
        found = identify(tuple(page), forms)
        assert found is not None
        assert (found.form.name, found.form.printing) == ("bill", wanted)


def test_paper_with_nothing_of_the_forms_print_is_no_such_form(tmp_path: Path) -> None:
    """A page that carries the anchors, and no other line of the form, is not it."""
    many = [*REFERENCE, *(f"Line of print number {n}" for n in range(30))]
    lines = ", ".join(
        f'{{ text = "{text}", box = [0.1, {0.2 + 0.02 * n:.2f}, 0.6, {0.22 + 0.02 * n:.2f}] }}'
        for n, text in enumerate(many)
    )
    toml = f"{HEAD}[reference]\nlines = [{lines}]\n"
    form = parse_form(toml, tmp_path / "y.toml", frozenset())
    letter = [line(*PRINTED[0]), line(300, 500, "Town of Alder Falls"), line(100, 400, "Dear Ann")]
    assert identify(tuple(letter), {"bill": form}) is None


def test_a_place_whose_ink_gave_no_words_is_looked_at_closer(tmp_path: Path) -> None:
    """The second reader is shown the place alone, without the print; a person still looks."""
    toml = f'{HEAD}[[fields]]\nname = "age"\nlabel = "Age"\nkind = "number"\n'
    form = parse_form(f"{toml}zone = [0.1, 0.2, 0.4, 0.26]\n", tmp_path / "a.toml", frozenset())
    sheet = Image.new("L", SIZE, 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(34)
    for left, top, text in (*PRINTED, (250, 208, "85")):
        pen.text((left, top), text, 0, font)
    page = tuple(line(*p) for p in PRINTED)
    for second, value in ((("eng",), "85"), ((), "")):
        asked = Asked(0.9, US, second)
        (age,) = extract(as_form(page, form, 1), page, np.array(sheet), 1, "test", asked)
        assert (age.value, age.status) == (value, FieldStatus.UNSURE)


TABLE = 'kind = "table"\nzone = [0.05, 0.2, 0.95, 0.6]\ncolumns = ["Item", "Count", "Amount"]'
HEADINGS = [(100, 210, "Item"), (500, 210, "Count"), (800, 210, "Amount")]


def test_a_tables_rows_are_read_under_their_headings(ask: Ask) -> None:
    """A row a line, and each word in the column whose heading is nearest; an empty cell stays."""
    rows = [
        (100, 260, "Elm logs"), (520, 262, "2"), (810, 259, "5.00"),
        (100, 310, "Fence posts"), (800, 311, "12.50"),
    ]  # fmt: skip
    found = ask(TABLE, *HEADINGS, *rows)
    assert found.value == "Elm logs | 2 | 5.00\nFence posts |  | 12.50".replace("  ", " ")
    assert found.status is FieldStatus.OK


@pytest.mark.parametrize(
    ("texts", "status"),
    [(HEADINGS, FieldStatus.OK), (HEADINGS[:2], FieldStatus.UNSURE)],
    ids=["no rows", "a heading that was not read"],
)
def test_a_table_without_rows_or_headings(
    ask: Ask, texts: list[tuple[int, int, str]], status: FieldStatus
) -> None:
    """An empty table is empty; one whose headings cannot be found is for a person."""
    found = ask(TABLE, *texts)
    assert (found.value, found.status) == ("", status)


def test_a_label_that_stands_there_twice_with_two_answers_is_in_doubt(ask: Ask) -> None:
    """Which total is meant, a person must say; where both say the same, nobody is asked."""
    twice = ask(TOTAL, (100, 300, "TOTAL 12.50"), (100, 500, "TOTAL 99.00"))
    assert (twice.value, twice.status) == ("12.50", FieldStatus.UNSURE)
    assert twice.reasons == ("unsure: it may also be '99.00'",)
    same = ask(TOTAL, (100, 300, "TOTAL 12.50"), (100, 500, "TOTAL 12.50"))
    assert same.status is FieldStatus.OK


def test_a_reason_names_what_stood_in_the_way(ask: Ask) -> None:
    """A pattern that takes nothing, and a box that is not there, are told as such."""
    taken = ask("zone = [0.1, 0.19, 0.9, 0.31]\ntake = 'none'", (110, 210, "Ann Hart"))
    assert taken.reasons == ("unsure: none of 'take' matches 'Ann Hart'",)
    tick = ask('kind = "tick"\nzone = [0.3, 0.6, 0.33, 0.63]')
    assert tick.reasons == ("unsure: no box was found here",)


def test_print_in_an_empty_zone_is_no_writing(ask: Ask, tmp_path: Path) -> None:
    """A label that fills its zone is the form's own ink: the field is empty, and that is sure."""
    label = "Names of all owners"
    toml = f"{HEAD}[[fields]]\nname = 'f'\nlabel = '{label}'\nzone = [0.1, 0.2, 0.5, 0.26]\n"
    lines = "{ text = 'Names of all owners', box = [0.11, 0.21, 0.376, 0.24] }"
    form = parse_form(f"{toml}[reference]\nlines = [{lines}]\n", tmp_path / "b.toml", frozenset())
    page = tuple(line(*p) for p in (*PRINTED, (110, 210, "Names of all owners")))
    image = np.full(SIZE, 255, np.uint8)
    for word in page[-1].words:
        image[212:238, word.box.left + 1 : word.box.right - 1 : 3] = 0
    (owners,) = extract(as_form(page, form, 1), page, image, 1, "test", Asked(0.9, US))
    assert (owners.value, owners.status) == ("", FieldStatus.OK)


def test_two_forms_on_one_sheet_are_told(tmp_path: Path) -> None:
    """A page that carries the form's print once more is seen to hold it twice."""
    form = parse_form(HEAD, tmp_path / "bill.toml", frozenset())
    once = tuple(line(*p) for p in PRINTED)
    twice = (*once, *(line(left, top + 40, text) for left, top, text in PRINTED))
    told = (*once, line(100, 500, "the WATER BILL of last year"))
    assert [stands_twice(page, form, 1) for page in (once, twice, told)] == [False, True, False]


def test_what_was_hardly_read_beside_an_answer_leaves_it_in_doubt(ask: Ask) -> None:
    """A number that was left out as noise may be a part of the answer."""
    row = Line((*line(110, 210, "7", 0.45).words, *line(138, 210, "Elm Street").words))
    found = ask("zone = [0.1, 0.19, 0.9, 0.31]", row)
    assert (found.value, found.status) == ("Elm Street", FieldStatus.UNSURE)
    assert found.reasons == ("unsure: '7' beside it was hardly read",)


def test_a_label_that_contradicts_the_zone_is_in_doubt(ask: Ask) -> None:
    """What stands at a label elsewhere does not pass for a place that says something else."""
    toml = 'kind = "date"\nzone = [0.1, 0.2, 0.5, 0.25]\nbeside = "Issued"'
    found = ask(toml, (110, 210, "13/31/2020"), (100, 400, "Issued 3/4/2019"))
    assert (found.value, found.status) == ("2019-03-04", FieldStatus.UNSURE)
    assert found.reasons == ("unsure: its place holds '13/31/2020'",)


def test_words_of_a_label_within_an_answer_stay(ask: Ask) -> None:
    """Only a label that stands before its answer is taken off."""
    for label, answer in (("Street", "14 Main Street"), ("Park name", "Park Avenue Green")):
        found = ask(f'label = "{label}"\nzone = [0.1, 0.19, 0.9, 0.31]', (110, 210, answer))
        assert found.value == answer or found.status is FieldStatus.UNSURE


def test_what_stands_beside_a_date_at_its_label_is_no_doubt(ask: Ask) -> None:
    """The hour behind a date is another thing, and was not dropped for being hardly read."""
    found = ask('kind = "date"\nbeside = "Received"', (100, 300, "Received 3/4/2019 5:53:11 PM"))
    assert (found.value, found.status) == ("2019-03-04", FieldStatus.OK)
