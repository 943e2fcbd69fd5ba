"""A template's first draft: what is printed is in it, what somebody wrote is not, and it loads."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitize.copies import ScannedPage, form_pages
from digitize.draft import draft_form, field_name, quoted
from digitize.form_file import RESERVED, parse_form
from digitize.forms import FormTemplate
from digitize.guesses import Guess, printed_texts
from records.errors import InputError
from records.geometry import Box, union
from records.model import Line, Pair, Word

SIZE = (1000, 1000)  # so that a thousandth of the page is a pixel
Rows = Sequence[tuple[int, int, str]]
PRINT: Rows = (
    (300, 50, "DOG LICENCE APPLICATION"),
    (50, 200, "Name of owner"),
    (50, 300, "Date of birth"),
    (50, 400, "Licence fee"),
    (50, 500, "Telephone"),
    (50, 900, "Return this form to the Town Clerk"),
)
LABELS = ("Name of owner", "Date of birth", "Licence fee", "Telephone")


def line(left: int, top: int, text: str, sure: float = 0.95) -> Line:
    """Return a line of words, ten pixels a letter, twenty high."""
    words = []
    for word in text.split(" "):
        words.append(Word(word, Box(left, top, left + 10 * len(word), top + 20), sure))
        left += 10 * (len(word) + 1)
    return Line(tuple(words))


def box(made: Line) -> Box:
    """Return where a line stands."""
    found = union([word.box for word in made.words])
    assert found
    return found


def page(rows: Rows = PRINT, answers: Sequence[str] = ()) -> ScannedPage:
    """Return a page with its print, and answers beside its labels, in their order."""
    lines = [line(*row) for row in rows]
    pairs = []
    for label, answer in zip(LABELS, answers, strict=False):
        printed = next(made for made in lines if made.text == label)
        written = line(400, box(printed).top + 2, answer)
        pairs.append(Pair(label, answer, box(printed), box(written), 0.9))
        lines.append(written)
    return ScannedPage(tuple(lines), SIZE, tuple(pairs))


ANN = ("Ann Hartwell", "March 14, 1961", "$12.50", "555-555-0142")
ROB = ("Rob Millbrook", "7/2/1958", "$8.00", "555-555-0177")


def drafted(*scans: ScannedPage | Sequence[ScannedPage], name: str = "dog") -> FormTemplate:
    """Return a draft from scans, loaded as a template; raises FormError when it is none."""
    pages = [[scan] if isinstance(scan, ScannedPage) else scan for scan in scans]
    return parse_form(draft_form(name, pages), Path("dog.toml"), frozenset())


# What is printed


def test_what_scans_have_in_common_is_printed() -> None:
    """Texts that stand on every copy at about the same place are print; others are answers."""
    moved = [(left + 20, top - 10, text) for left, top, text in PRINT]
    found = printed_texts(form_pages([[page(answers=ANN)], [page(moved, ROB)], [page()]]))
    assert sorted(text.text for text in found) == sorted(text for _, _, text in PRINT)


def test_what_stands_elsewhere_is_not_the_same_print() -> None:
    """The same words at another place of another copy are chance."""
    other = [row for row in PRINT if row[2] != "Telephone"] + [(50, 700, "Telephone")]
    found = printed_texts(form_pages([[page()], [page(other)]]))
    assert "Telephone" not in [text.text for text in found]


def test_answers_are_not_in_a_draft() -> None:
    """What somebody wrote into the form is nowhere in its draft: not as a label or an anchor."""
    text = draft_form("dog", [[page(answers=ANN)], [page(answers=ROB)]])
    for answer in (*ANN, *ROB):
        assert answer not in text


def test_answers_of_a_single_copy_are_not_in_a_draft() -> None:
    """With one copy what stands in the fields that were guessed is left out."""
    text = draft_form("dog", [[page(answers=ANN)]])
    assert not [answer for answer in ANN if answer in text]


@pytest.mark.parametrize("copies", [1, 2], ids=["two copies", "three copies"])
def test_a_pair_of_one_copy_alone_makes_no_field(copies: int) -> None:
    """A label stands on all copies: what was taken for one on the first may be an answer."""
    first = page(answers=ANN)
    written = [line(400, 700, "Ann Hartwell"), line(700, 700, "12 Elm Street")]
    pair = Pair("Ann Hartwell", "12 Elm Street", box(written[0]), box(written[1]), 0.9)
    first = replace(first, lines=(*first.lines, *written), pairs=(*first.pairs, pair))
    text = draft_form("dog", [[first], *([[page(answers=ROB)]] * copies)])
    assert "Ann Hartwell" not in text


# What is guessed


TICKS: Rows = (
    (300, 50, "DOG LICENCE APPLICATION"), (50, 200, "Sex of the dog"), (300, 200, "male"),
    (500, 200, "female"), (90, 300, "Rabies vaccination is enclosed"), (50, 700, "Owner signature"),
    (600, 700, "Date of signature"),
)  # fmt: skip
SQUARES = (Box(270, 202, 288, 220), Box(470, 202, 488, 220), Box(60, 301, 78, 319))


def ticked(*squares: Box, rows: Rows = TICKS) -> ScannedPage:
    """Return a page with tick boxes and a rule to sign on."""
    return replace(page(rows), squares=squares, rules=(Box(50, 690, 450, 693),))


def test_tick_boxes_are_guessed() -> None:
    """Boxes in a row behind a text are its options; one alone is a field by the text beside it."""
    form = drafted(ticked(*SQUARES), ticked(*SQUARES))
    sex, rabies = form.fields[:2]
    assert (sex.label, sex.kind) == ("Sex of the dog", "choice")
    assert [(o.value, o.zone) for o in sex.options] == [
        ("male", (0.27, 0.202, 0.288, 0.22)), ("female", (0.47, 0.202, 0.488, 0.22)),
    ]  # fmt: skip
    assert (rabies.label, rabies.kind) == ("Rabies vaccination is enclosed", "tick")
    assert rabies.zone == (0.06, 0.301, 0.078, 0.319)


@pytest.mark.parametrize(
    ("first", "others", "labels"),
    [
        (SQUARES[2:], ((), ()), []),
        (SQUARES[2:], (SQUARES[2:], ()), ["Rabies vaccination is enclosed"]),
        ((Box(200, 301, 218, 319),), ((Box(200, 301, 218, 319),),), []),
        ((Box(700, 500, 718, 518),), ((Box(700, 500, 718, 518),),), []),
    ],
    ids=["on one copy", "blacked out on one", "a letter", "nothing beside it"],
)
def test_what_is_no_tick_box_makes_no_field(
    first: Sequence[Box], others: Sequence[Sequence[Box]], labels: list[str]
) -> None:
    """A tick box stands on most copies, beside a printed text, and is no letter of a word."""
    form = drafted(ticked(*first), *(ticked(*squares) for squares in others))
    assert [f.label for f in form.fields if f.kind in ("tick", "choice")] == labels


def made(
    rows: Rows, *squares: tuple[int, int], rules: Sequence[Box] = (), pairs: Sequence[Pair] = ()
) -> ScannedPage:
    """Return a page with rows, tick boxes at their upper left corners, and what else it has."""
    boxes = tuple(Box(left, top, left + 18, top + 18) for left, top in squares)
    return replace(page(rows), squares=boxes, rules=tuple(rules), pairs=tuple(pairs))


TITLE: Rows = ((300, 50, "DOG LICENCE APPLICATION"),)


def test_each_of_several_like_questions_is_a_choice() -> None:
    """The options of all say the same; each belongs to the question on its row."""
    asked = ("Is the dog vaccinated", "Has the dog bitten", "Do you keep a kennel")
    rows: list[tuple[int, int, str]] = [*TITLE]
    squares = []
    for top, question in zip((200, 240, 600), asked, strict=True):
        rows += [(50, top, question), (430, top, "yes"), (630, top, "no")]
        squares += [(400, top), (600, top)]
    copy = made(rows, *squares)
    form = drafted(copy, copy)
    assert [(f.label, [o.value for o in f.options]) for f in form.fields] == [
        (question, ["yes", "no"]) for question in asked
    ]


@pytest.mark.parametrize("answers", [("Epilepsy", "Guarding"), ("Asthma", "Nerves", "Hunting")])
@pytest.mark.parametrize("known", [True, False], ids=["a pair", "no pair"])
def test_an_answer_behind_a_tick_box_is_not_in_a_draft(
    answers: tuple[str, ...], known: bool
) -> None:
    """A short answer behind a long text looks much like it; the box is called by its print."""
    print_ = "Other reason for keeping the dog, please tell"
    copies = []
    for answer in answers:
        label, value = line(300, 300, print_), line(310 + 10 * len(print_), 300, answer)
        pairs = [Pair(print_, answer, box(label), box(value), 0.9)] if known else []
        rows = (*TITLE, (300, 300, f"{print_} {answer}"))
        copies.append(made(rows, (270, 302), pairs=pairs))
    text = draft_form("dog", [[copy] for copy in copies])
    assert quoted(print_) in text
    assert not [answer for answer in answers if answer in text]


def test_an_answer_before_tick_boxes_is_not_in_a_draft() -> None:
    """With one copy, too: what answers a label is no label of a choice, nor is that label."""
    label, value = line(50, 200, "Owner"), line(150, 200, "Annabel Hartwell")
    pair = Pair("Owner", value.text, box(label), box(value), 0.9)
    rows = (*TITLE, (50, 200, "Owner"), (150, 200, value.text), (500, 200, "adult"))
    copy = made((*rows, (700, 200, "child")), (470, 202), (670, 202), pairs=[pair])
    text = draft_form("dog", [[copy]])
    assert "Annabel" not in text
    kinds = [(f.label, f.kind) for f in drafted(copy).fields]
    assert kinds == [("Owner", "text"), ("adult", "tick"), ("child", "tick")]


def test_a_field_and_an_option_may_have_the_same_words() -> None:
    """They stand at two places of the form, and it has both."""
    copies = []
    for number in ("555-555-0142", "555-555-0177"):
        label, value = line(50, 500, "Telephone"), line(400, 500, number)
        rows = (*TITLE, (50, 200, "Contact me by"), (300, 200, "Telephone"), (500, 200, "Letter"))
        pair = Pair("Telephone", number, box(label), box(value), 0.9)
        rows = (*rows, (50, 500, "Telephone"), (400, 500, number))
        copies.append(made(rows, (270, 202), (470, 202), pairs=[pair]))
    assert [(f.label, f.kind) for f in drafted(*copies).fields] == [
        ("Contact me by", "choice"), ("Telephone", "phone"),
    ]  # fmt: skip


def test_what_answers_a_label_alike_on_three_copies_is_printed() -> None:
    """The heading of the next column is no answer; on two copies it may be the same answer."""
    copy = page((*PRINT, (400, 200, "Town of residence")))
    label, value = copy.lines[1], copy.lines[-1]
    copy = replace(copy, pairs=(Pair("Name of owner", value.text, box(label), box(value), 0.9),))
    assert [f.label for f in drafted(copy, copy).fields] == ["Name of owner"]
    assert not drafted(copy, copy, copy).fields
    assert value.text in draft_form("dog", [[copy]] * 3)


@pytest.mark.parametrize("spilt", [0, 1, 2], ids=["first", "second", "third"])
def test_a_tick_box_may_be_spoilt_on_one_copy(spilt: int) -> None:
    """A box that is ticked over its edge is no square there; the other copies have it."""
    rows = (*TITLE, (50, 200, "Sex of the dog"), (300, 200, "male"), (500, 200, "female"))
    moved = [(left + 24, top + 24, text) for left, top, text in rows]
    copies = [made(rows, (270, 202), (470, 202)) for _ in range(2)]
    copies.append(made(moved, (294, 226), (494, 226)))
    copies[spilt] = replace(copies[spilt], squares=copies[spilt].squares[1:])
    (sex,) = drafted(*copies).fields
    assert (sex.label, [o.value for o in sex.options]) == ("Sex of the dog", ["male", "female"])


def test_a_tick_box_that_was_read_as_a_word_is_no_word() -> None:
    """It is in no text of the draft."""
    rows = (*TITLE, (60, 300, "[]"), (90, 300, "Rabies vaccination is enclosed"))
    copy = made(rows, (61, 301))
    assert "[]" not in draft_form("dog", [[copy], [copy]])


ALIKE = (
    ("555-555-0142", "555-555-0177", "555-555-0199"), ("03/14/2019", "03/22/2019", "03/07/2019"),
    ("20005", "20003", "20005"), ("D-10234", "D-10288"), ("$125.00", "$120.00", "$150.00"),
    ("1961", "1968"), ("Marianne Hartwell", "Marian Hartley"), ("Rob Millbrook", "Bob Millburn"),
)  # fmt: skip


@pytest.mark.parametrize("answers", ALIKE, ids=lambda answers: answers[0])
@pytest.mark.parametrize("known", [True, False], ids=["a pair", "no pair"])
def test_answers_that_are_much_alike_are_not_print(answers: tuple[str, ...], known: bool) -> None:
    """Numbers of one town differ in a figure or two, and names share their letters."""
    copies = []
    for answer in answers:
        label, value = line(50, 200, "Particulars"), line(400, 202, answer)
        pairs = [Pair("Particulars", answer, box(label), box(value), 0.9)] if known else []
        copies.append(made((*PRINT[:1], (50, 200, label.text), (400, 202, answer)), pairs=pairs))
    text = draft_form("dog", [[copy] for copy in copies])
    assert not [answer for answer in answers if answer in text]
    assert ('label = "Particulars"' in text) is known


def test_misread_print_is_print() -> None:
    """A letter or two that were misread on one copy make no answer of what is printed."""
    worn = [
        (left, top, text.replace("eph", "cph").replace("ence", "cnce")) for left, top, text in PRINT
    ]
    found = printed_texts(form_pages([[page()], [page(worn)]]))
    assert [text.text for text in found] == [text for _, _, text in PRINT]


def test_the_same_name_in_another_row_is_no_print() -> None:
    """Owner and witness may change places on another copy, one line further down."""
    names = ("Annabel Hartwell", "Rob Millbrook")
    copies = [
        page((*PRINT, (400, 600, first), (400, 640, then))) for first, then in (names, names[::-1])
    ]
    text = draft_form("dog", [[copy] for copy in copies])
    assert not [name for name in names if name in text]


def test_a_page_that_one_copy_lacks_is_left_out() -> None:
    """Nothing tells what is printed on it."""
    more = page(((50, 100, "Ann Hartwell lives here"),))
    form = drafted([page(), more], [page(answers=ROB)])
    assert form.pages == 1


LEFT: Rows = (
    (50, 200, "Is the dog vaccinated"), (300, 200, "Yes"), (400, 200, "No"), (470, 204, "."),
)  # fmt: skip


@pytest.mark.parametrize("copies", [1, 2])
def test_options_may_stand_left_of_their_boxes(copies: int) -> None:
    """In a row that ends with a box, "No" belongs to the box behind it, not the one before."""
    (field,) = drafted(*[made((*TITLE, *LEFT), (335, 202), (425, 202))] * copies).fields
    assert field.label == "Is the dog vaccinated"
    assert [(o.value, o.zone[0]) for o in field.options] == [("Yes", 0.335), ("No", 0.425)]


@pytest.mark.parametrize(
    ("yes", "no", "behind"),
    [(Box(300, 200, 350, 220), None, ""), (None, None, "if so when"),
     (Box(300, 200, 360, 220), Box(400, 200, 450, 220), "")],
    ids=["read with its box", "a text behind", "both read with their boxes"],
)  # fmt: skip
def test_options_left_of_their_boxes_are_not_taken_for_the_next(
    yes: Box | None, no: Box | None, behind: str
) -> None:
    """However the words were read, "No" is never the name of the box of "Yes"."""
    rows = [*LEFT[:3], (560, 200, behind)] if behind else LEFT[:3]
    copy = made((*TITLE, *rows), (335, 202), (425, 202))
    lines = list(copy.lines)
    for place, wide in ((2, yes), (3, no)):
        if wide:
            lines[place] = Line((replace(lines[place].words[0], box=wide),))
    (field,) = drafted(replace(copy, lines=tuple(lines)), copy, copy).fields
    assert [o.value for o in field.options] == ["Yes", "No"]
    assert [o.zone[0] for o in field.options] == pytest.approx([0.335, 0.425], abs=0.005)


def test_a_box_whose_first_word_is_misread_is_kept() -> None:
    """It is called by the rest of its text."""
    rows = [(*TITLE, (90, 300, f"{word} time basis of work")) for word in ("full", "fuii")]
    copies = [made(texts, (60, 302)) for texts in rows]
    assert [f.label for f in drafted(*copies).fields] == ["time basis of work"]


def test_a_misread_word_makes_no_answer_of_print() -> None:
    """A paragraph that seems to answer a label is print, though three copies differ in a word."""
    said = (
        "Statements are on view at any time at the webpage of the office of the clerk of the town"
    )
    copies = []
    for word in ("webpage", "vvebpaqe", "wehpaqe"):
        rows = (*PRINT, (400, 202, said.replace("webpage", word)))
        copy = page(rows)
        pair = Pair("Name of owner", rows[-1][2], box(copy.lines[1]), box(copy.lines[-1]), 0.9)
        copies.append(replace(copy, pairs=(pair,)))
    form = drafted(*copies)
    assert form.fields == ()
    assert any(said.startswith(text.text) for text in form.reference)


def test_tick_boxes_stand_in_the_order_of_their_row() -> None:
    """From left to right, though one lies a little higher; each on its page."""
    texts = ("Cats are kept", "Dogs are kept", "Owls are kept")
    rows = tuple((80 + 300 * n, 300, text) for n, text in enumerate(texts))
    copy = made((*TITLE, *rows), (50, 303), (350, 302), (650, 301))
    second = made(((80, 300, "Keeps bees"), (300, 50, "PAGE TWO OF THE FORM")), (50, 302))
    form = drafted([copy, second], [copy, second])
    assert [(f.label, f.pages) for f in form.fields] == [
        *((text, (1,)) for text in texts), ("Keeps bees", (2,)),
    ]  # fmt: skip


def test_an_answer_beside_a_tick_box_of_a_single_copy_is_not_in_its_draft() -> None:
    """A value with a box in it is the box's text from there on; what stands before it is not."""
    copy = made((*TITLE, (50, 200, "Owner of the dog"), (300, 200, "Rex Millbrook"),
                 (600, 200, "kept outside")), (570, 202))  # fmt: skip
    value = Box(300, 200, 720, 220)
    pair = Pair("Owner of the dog", "Rex Millbrook kept outside", box(copy.lines[1]), value, 0.9)
    text = draft_form("dog", [[replace(copy, pairs=(pair,))]])
    assert "Rex" not in text
    assert "kept outside" in text


def test_no_field_lies_over_tick_boxes() -> None:
    """What seems to answer a label, and has boxes in it, is their texts: they are print."""
    texts = ("first licence of a dog", "renewal of a licence")
    rows = ((50, 200, "Purpose of this form"), (80, 240, texts[0]), (80, 280, texts[1]))
    copy = made((*TITLE, *rows), (55, 242), (55, 282))
    value = Box(55, 240, 310, 300)
    pair = Pair(rows[0][2], " ".join(texts), box(copy.lines[1]), value, 0.9)
    form = drafted(*[replace(copy, pairs=(pair,))] * 2)
    assert [(f.label, f.kind) for f in form.fields] == [(text, "tick") for text in texts]
    assert set(texts) < {printed.text for printed in form.reference}


@pytest.mark.parametrize(
    ("word", "label"), [("Commission", "Commission at a rate of"), ("O", "at a rate of")]
)
def test_what_was_read_at_the_place_of_a_box(word: str, label: str) -> None:
    """A word that was read there is a word; a letter is the box itself."""
    copy = made((*TITLE, (90, 300, "at a rate of")), (60, 301))
    read = Line((Word(word, copy.squares[0], 0.9), *copy.lines[1].words))
    copy = replace(copy, lines=(copy.lines[0], read))
    assert [f.label for f in drafted(copy, copy).fields] == [label]


def test_signatures_are_guessed() -> None:
    """A text that asks for a signature has it on the rule above; the day of one is no signature."""
    form = drafted(ticked(), ticked())
    signed = [(f.label, f.zone) for f in form.fields if f.kind == "signature"]
    assert signed == [("Owner signature", (0.05, 0.65, 0.45, 0.69))]


@pytest.mark.parametrize(
    ("rows", "rules", "zones"),
    [
        (((50, 700, "Owner signature"), (700, 700, "Date signed")), (Box(50, 690, 950, 693),),
         [(0.05, 0.65, 0.695, 0.69)]),
        (((50, 700, "Date"), (400, 700, "Owner signature")), (Box(50, 690, 950, 693),),
         [(0.4, 0.65, 0.95, 0.69)]),
        (((60, 640, "Address"), (60, 700, "Owner signature")),
         (Box(50, 630, 950, 632), Box(50, 692, 950, 694)), [(0.212, 0.69, 0.98, 0.73)]),
        (((50, 700, "Signature of candidate"),), (Box(50, 690, 450, 693),),
         [(0.05, 0.65, 0.45, 0.69)]),
        (((50, 700, "Signature"), (60, 668, "X")), (Box(50, 690, 450, 693),),
         [(0.05, 0.65, 0.45, 0.69)]),
        (((50, 700, "(Signatüre)"),), (Box(50, 690, 450, 693),), [(0.05, 0.65, 0.45, 0.69)]),
        (((50, 690, "Signature"),), (Box(50, 690, 450, 693),), [(0.05, 0.65, 0.45, 0.69)]),
        (((50, 700, "Signature"),), (Box(50, 690, 450, 693), Box(20, 670, 900, 672)),
         [(0.142, 0.69, 0.98, 0.73)]),
        (((50, 700, "(Dafe of signature)"),), (Box(50, 690, 450, 693),), []),
        (((50, 700, "Day on which it was dated and signed"),), (), []),
    ],
    ids=["a date on its rule", "a date before it", "in a cell", "candidate", "an X", "misread",
         "touching its rule", "a rule through it", "of a misread date", "of a date"],
)  # fmt: skip
@pytest.mark.parametrize("copies", [1, 2])
def test_the_place_to_sign(
    rows: Rows, rules: tuple[Box, ...], zones: list[tuple[float, ...]], copies: int
) -> None:
    """A rule over two texts is parted between them, and a cell's label has its answer beside it."""
    form = drafted(*[made((*TITLE, *rows), rules=rules)] * copies)
    signed = [f.zone for f in form.fields if f.kind == "signature"]
    assert signed == [pytest.approx(zone, abs=0.002) for zone in zones]


def test_a_tick_box_about_a_signature_is_no_place_to_sign() -> None:
    """That something signed is enclosed is ticked, not signed."""
    copy = made((*TITLE, (300, 300, "Signed lease is enclosed")), (270, 302))
    assert [f.kind for f in drafted(copy, copy).fields] == ["tick"]


@pytest.mark.parametrize("names", [("Annabel Hartwell",), ("Annabel Hartwell", "Rob Millbrook")])
def test_the_name_of_a_signer_is_not_in_a_draft(names: tuple[str, ...]) -> None:
    """What stands on the rule to sign on is no print."""
    signed = [(*TITLE, (80, 665, name), (50, 700, "Owner signature")) for name in names]
    copies = [made(rows, rules=[Box(50, 690, 450, 693)]) for rows in signed]
    text = draft_form("dog", [[copy] for copy in copies])
    assert "zone = [0.05, 0.65, 0.45, 0.69]" in text
    assert not [name for name in names if name in text]


@pytest.mark.parametrize(
    ("rows", "rules", "zones"),
    [
        (((50, 10, "Owner signature"),), (Box(50, 0, 400, 1),), []),
        (((850, 700, "Owner signature"),), (), [(0.85, 0.66, 1.0, 0.7)]),
        (((50, 2, "Owner signature"),), (), [(0.202, 0.0, 0.98, 0.032)]),
    ],
    ids=["a rule at the top edge", "no room to the right", "at the top edge"],
)
def test_a_signature_at_an_edge_keeps_within_the_page(
    rows: Rows, rules: tuple[Box, ...], zones: list[tuple[float, ...]]
) -> None:
    """A draft with a place that no page has could not be loaded."""
    copy = replace(page((*PRINT, *rows)), rules=rules)
    signed = [f.zone for f in drafted(copy, copy).fields if f.kind == "signature"]
    assert signed == [pytest.approx(zone, abs=0.011) for zone in zones]


def test_options_are_all_different() -> None:
    """Two boxes with the same text are two fields: a choice of them would say nothing."""
    rows = (*TICKS[:2], (300, 200, "yes"), (355, 200, "yes"), *TICKS[4:])
    squares = (Box(280, 202, 294, 216), Box(337, 202, 351, 216))
    form = drafted(ticked(*squares, rows=rows), ticked(*squares, rows=rows))
    assert [(f.label, f.kind) for f in form.fields][:2] == [("yes", "tick")] * 2


def test_a_signature_without_a_rule_stands_beside_its_text() -> None:
    """It reaches to the next printed text."""
    copies = [replace(ticked(), rules=()) for _ in range(2)]
    (signed,) = (f for f in drafted(*copies).fields if f.kind == "signature")
    assert signed.zone is not None
    left, top, right, bottom = signed.zone
    assert 0.2 < left < 0.22
    assert right == pytest.approx(0.595)
    assert top < 0.7
    assert bottom > 0.72


def test_fields_and_kinds_are_guessed() -> None:
    """A label with answers becomes a field in a zone that holds them all, of their kind."""
    form = drafted(page(answers=ANN), page(answers=ROB))
    assert [(f.label, f.kind) for f in form.fields] == [
        ("Name of owner", "text"), ("Date of birth", "date"), ("Licence fee", "money"),
        ("Telephone", "phone"),
    ]  # fmt: skip
    for field, top in zip(form.fields, (200, 300, 400, 500), strict=True):
        assert field.zone
        left, upper, right, lower = field.zone
        assert 0.25 < left <= 0.4
        assert right >= 0.54
        assert upper <= (top + 2) / 1000 < (top + 22) / 1000 <= lower
    assert form.title == "DOG LICENCE APPLICATION"


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (("12", "1,400"), "number"),
        (("$12.00", "14.50"), "money"),
        (("12", "Ann"), "text"),
        (("12 Elm St", "14 Oak St"), "text"),
        (("March 14, 2019", "3/14/19"), "date"),
        (("March 14, 2019", "Ann"), "text"),
        (("(555) 555-0142",), "phone"),
        ((), "text"),
    ],
)
def test_a_kind_is_what_all_answers_are(answers: tuple[str, ...], kind: str) -> None:
    """One answer that is not of a kind makes the field a text."""
    assert Guess("A label", 1, (0, 0, 1, 1), (0, 0, 1, 1), answers).kind == kind


def test_a_blank_form_has_print_and_no_fields() -> None:
    """One blank form gives anchors and a reference, each with its box."""
    form = drafted(page())
    assert form.fields == ()
    assert len(form.reference) == len(PRINT)
    assert 3 <= len(form.anchors) <= 6
    assert all(anchor.box for anchor in form.anchors)


def test_several_pages() -> None:
    """Each page has anchors of its own, and a field says on which it stands."""
    second = [(50, 100, "Second page of two"), (50, 900, "Form L-7 page two")]
    form = drafted(
        [page(answers=ANN[:1]), page([*second, *PRINT[1:5]], ANN)],
        [page(answers=ROB[:1]), page([*second, *PRINT[1:5]], ROB)],
    )
    assert form.pages == 2
    assert {a.page for a in form.anchors} == {1, 2}
    assert [f.pages for f in form.fields] == [(1,), (2,), (2,), (2,), (2,)]
    assert form.fields[1].name == "name_of_owner_2"


def test_an_answer_may_stand_off_its_labels_line() -> None:
    """An answer typed a line's height above its label has a zone, and the draft loads."""
    made, label = page(), line(50, 600, "Name of dog")
    answer = line(400, 574, "Rex the second")
    pair = Pair("Name of dog", "Rex the second", box(label), box(answer), 0.9)
    form = drafted(replace(made, lines=(*made.lines, label, answer), pairs=(pair,)))
    assert form.fields[0].zone


def test_a_blank_back_does_no_harm() -> None:
    """Paper that was scanned on both sides gives a draft, though its back has nothing on it."""
    assert drafted([page(answers=ANN), page(())], [page(answers=ROB), page(())]).anchors


def test_a_text_that_is_printed_twice_does_no_harm() -> None:
    """A sheet of two equal halves gives a draft."""
    halves = [(50, 100, "Town of Alder Falls"), (50, 600, "Town of Alder Falls")]
    assert drafted(page(halves)).anchors


# Any paper gives a template that loads


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Name of owner", "name_of_owner"),
        ("Title", "title_2"),
        ("1. Name", "field_1_name"),
        ("???", "field"),
        ("\u540d\u524d", "field"),
        ("Stra\u00dfe", "strasse"),
        ("One two three four five six", "one_two_three_four"),
    ],
)
def test_a_field_has_a_good_name(label: str, name: str) -> None:
    """A label becomes a name that a template may have, and none that means something else."""
    assert field_name(label, RESERVED) == name
    assert field_name(label, [*RESERVED, name]) not in (name, *RESERVED)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written(text: str) -> None:
    """Quotes, backslashes and control characters come back out of TOML as they went in."""
    assert tomllib.loads(f"a = {quoted(text)}")["a"] == text


WORDS = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=14)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
PLACES = st.tuples(st.integers(0, 950), st.integers(0, 980), TEXTS)


def _may_answer(label: Line, answer: Line) -> bool:
    """Say whether a line lies beside or under another, up to 1.4 of its height off its line."""
    one, other = box(label), box(answer)
    beside = other.left > one.right and abs(other.top - one.top) <= 28
    return beside or other.top >= one.bottom


@st.composite
def pages(draw: st.DrawFn) -> ScannedPage:
    """Draw a page with a title, any lines, and pairs between any two of them."""
    rows = draw(st.lists(PLACES, max_size=6))
    lines = [line(300, 40, "A form with a title"), *(line(*row) for row in rows)]
    some = st.sampled_from(lines)
    found = draw(st.lists(st.tuples(some, some), max_size=4))
    pairs = [Pair(a.text, b.text, box(a), box(b), 0.5) for a, b in found if _may_answer(a, b)]
    return ScannedPage(tuple(lines), SIZE, tuple(pairs))


@settings(deadline=None)
@given(st.lists(pages(), min_size=1, max_size=2), st.booleans())
def test_a_draft_of_any_pages_is_a_good_template(scanned: list[ScannedPage], twice: bool) -> None:
    """Whatever was read, the draft loads: a person mends what it says, not how it is written."""
    copies = [scanned, scanned] if twice else [scanned]
    try:
        form = drafted(*copies)
    except InputError:  # too little print in common
        return
    assert form.pages <= len(scanned)
    assert all(a.box for a in (*form.anchors, *form.reference))


def test_pages_with_nothing_in_common_are_told() -> None:
    """Scans of two different forms give a sentence about the scans, and no broken template."""
    other = [(50, 100, "Something else altogether"), (50, 900, "Of another office, too")]
    with pytest.raises(InputError):
        draft_form("dog", [[page()], [page(other)]])
