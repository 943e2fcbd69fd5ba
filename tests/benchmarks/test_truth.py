"""benchmarks.truth: the labelled pages, and the figures that are made of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import truth
from benchmarks.truth import Counts, LabelledPage, TrueWord
from records.geometry import Box
from records.model import Word

HERE, THERE = Box(0, 0, 50, 20), Box(100, 0, 150, 20)
PAGE = LabelledPage("funsd", "a", Path("a.png"), 1, (), None, False, (), False)

ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Layout><Page><PrintSpace>
<TextBlock><TextLine HPOS="10" VPOS="20" WIDTH="30" HEIGHT="8">
<String CONTENT="Dear Sir:" HPOS="10" VPOS="20" WIDTH="30" HEIGHT="8"/></TextLine>
<TextLine HPOS="10" VPOS="40" WIDTH="30" HEIGHT="8"><String CONTENT="I have"/></TextLine>
</TextBlock></PrintSpace></Page></Layout></alto>"""

PAGE_XML = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"><Page>
<TextRegion><TextLine><Coords points="10,28 10,20 40,20"/>
<TextEquiv><Unicode>Dear Sir:</Unicode></TextEquiv></TextLine>
<TextEquiv><Unicode>All of the region again</Unicode></TextEquiv></TextRegion></Page></PcGts>"""

HOCR = """<html xmlns="http://www.w3.org/1999/xhtml"><body><div class='ocr_page'>
<span class='ocr_line' title="bbox 1 2 60 12">
<span class='ocrx_word' title='bbox 1 2 30 12;x_wconf 100'><strong>New</strong></span>
<span class='ocrx_word' title='bbox 32 2 60 12;x_wconf 100'>Account</span></span>
</div></body></html>"""


def words(*texts: str, box: Box = HERE) -> list[Word]:
    return [Word(text, box, 0.9) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Mrs. Schmolka,", ["dear", "mrs", "schmolka"]),
        ("No.___A-438", ["no", "a", "438"]),
        ("ÉMILE's 12,50 €", ["émile", "s", "12", "50"]),
        ("-- ... |", []),
    ],
)
def test_tokens_are_letters_and_digits(text: str, expected: list[str]) -> None:
    """Neither case nor punctuation tells two readings apart."""
    assert truth.tokens(text) == expected


def test_tokens_are_counted_as_often_as_they_stand_there() -> None:
    """A word that stands there twice must be read twice."""
    assert truth.count_tokens("Yes yes no", "no yes maybe") == Counts(2, 3, 3)


def test_averages_weigh_pages_by_their_tokens() -> None:
    """Precision, recall and F1 of several pages are those of their sums."""
    whole = truth.total([Counts(1, 1, 1), Counts(0, 1, 3)])
    assert (whole.precision, whole.recall, whole.f1) == (0.5, 0.25, pytest.approx(1 / 3))


def test_a_page_with_nothing_to_read_divides_by_nothing() -> None:
    """A blank page has figures too."""
    nothing = truth.total([])
    assert (nothing.precision, nothing.recall, nothing.f1) == (0, 0, 0)


def test_character_errors_do_not_see_how_white_space_is_written() -> None:
    """A line's end is as good as a blank."""
    assert truth.character_errors(" Dear\n  Sir", "Dear Sir") == (0, 8)
    assert truth.character_errors("", "Sir") == (3, 3)


def test_the_error_rate_may_pass_one() -> None:
    """Invented text is not capped away."""
    assert truth.character_errors("abcdef", "x")[0] > 1


def test_a_word_is_right_at_its_own_place_only() -> None:
    """The same word elsewhere on the page proves nothing where the truth has boxes."""
    page = replace(PAGE, words=(TrueWord("Sir", HERE), TrueWord("Dear", THERE)))
    assert truth.matched_words(words("sir,", "Dear"), page) == [True, False]
    assert truth.matched_words(words("DEAR", box=THERE), page) == [True]


def test_a_word_read_twice_is_right_once() -> None:
    """A word of the truth serves one word that was read."""
    page = replace(PAGE, words=(TrueWord("Sir", HERE),))
    assert truth.matched_words(words("Sir", "Sir"), page) == [True, False]


def test_a_word_of_the_truth_may_be_read_in_two_and_two_in_one() -> None:
    """Where words part is not what is asked, as long as their tokens are whole."""
    page = replace(PAGE, words=(TrueWord("555-0142", HERE),))
    assert truth.matched_words(words("555", "0142"), page) == [True, True]
    apart = replace(PAGE, words=(TrueWord("Name", HERE), TrueWord("Phone", THERE)))
    assert truth.matched_words(words("Name/Phone", box=Box(0, 0, 150, 20)), apart) == [True]


def test_without_boxes_the_page_is_one_bag() -> None:
    """Samples tell the text and not where it stands."""
    page = replace(PAGE, words=(TrueWord("Dear", None), TrueWord("Sir", None)))
    assert truth.matched_words(words("Sir", "Bear", box=THERE), page) == [True, False]


def test_what_the_truth_does_not_tell_is_not_judged() -> None:
    """Marks without letters, unknown words and what lies beside a partial truth are no errors."""
    page = replace(PAGE, words=(TrueWord("Sir", HERE),), unjudged=(THERE,))
    read = [*words("--", "Sir"), *words("scrawl", box=THERE)]
    assert truth.matched_words(read, page) == [None, True, None]
    partial = replace(PAGE, words=(TrueWord("Sir", HERE),), partial=True)
    assert truth.matched_words(words("label", box=THERE), partial) == [None]
    assert truth.matched_words(words("Air"), partial) == [False]


def test_a_partial_truth_counts_inside_its_boxes() -> None:
    """What was read beside a known field is neither right nor wrong."""
    true = [TrueWord("Guy", HERE), TrueWord("Poliquin", HERE)]
    read = [*words("Guy"), *words("Poliquin", "Delegate", box=THERE)]
    assert truth.count_in_boxes(read, true) == Counts(1, 1, 2)


def test_alto_gives_lines_with_boxes(tmp_path: Path) -> None:
    """A word has the box of its line, and lines that go down have a reading order."""
    (page,) = one_of(tmp_path, "typewritten", "EHRI-1_02.xml", ALTO)
    assert page.lines == ("Dear Sir:", "I have")
    assert page.words is not None
    assert page.words[1] == TrueWord("Sir:", Box(10, 20, 40, 28))
    assert page.reading_order


def test_jumbled_lines_have_no_reading_order(tmp_path: Path) -> None:
    """Where labels stand in the order in which they were drawn, characters are not compared."""
    jumbled = ALTO.replace('VPOS="20"', 'VPOS="70"', 1)
    (page,) = one_of(tmp_path, "typewritten", "EHRI-1_02.xml", jumbled)
    assert not page.reading_order


def test_page_xml_gives_the_text_of_lines_once(tmp_path: Path) -> None:
    """The text of a region repeats that of its lines."""
    (page,) = one_of(tmp_path, "handwriting", "letter.xml", PAGE_XML)
    assert page.lines == ("Dear Sir:",)
    assert page.words is not None
    assert page.words[0].box == Box(10, 20, 40, 28)


def test_hocr_gives_words_with_boxes(tmp_path: Path) -> None:
    """Also words that are set in bold."""
    (page,) = one_of(tmp_path, "office", "form.hocr", HOCR)
    assert page.words == (
        TrueWord("New", Box(1, 2, 30, 12)), TrueWord("Account", Box(32, 2, 60, 12)),
    )  # fmt: skip
    assert page.lines == ("New Account",)


def test_funsd_leaves_unknown_words_out(tmp_path: Path) -> None:
    """A word that nobody could read is not asked for, and not held against a reader."""
    rows = [{"text": "Name", "box": list(HERE)}, {"text": "<unk>", "box": list(THERE)}]
    (tmp_path / "funsd" / "jsons").mkdir(parents=True)
    truths = json.dumps({"document": [{"words": rows}]})
    (tmp_path / "funsd" / "jsons" / "1.json").write_text(truths)
    (page,) = truth.load(tmp_path, ["funsd"], None, 0, "all")
    assert page.words == (TrueWord("Name", HERE),)
    assert page.unjudged == (THERE,)


def test_sroie_keeps_the_commas_of_a_line(tmp_path: Path) -> None:
    """Only the first eight commas part columns."""
    (tmp_path / "sroie" / "box").mkdir(parents=True)
    row = "100,243,324,243,324,261,100,261,81100 JOHOR BAHRU,JOHOR.\n"
    (tmp_path / "sroie" / "box" / "1.csv").write_text(row)
    (page,) = truth.load(tmp_path, ["sroie"], None, 0, "all")
    assert page.lines == ("81100 JOHOR BAHRU,JOHOR.",)
    assert page.words is not None
    assert page.words[0].box == Box(100, 243, 324, 261)


def test_fara_knows_its_legible_typed_fields_only(tmp_path: Path) -> None:
    """Handwriting and what cannot be read are not asked for; boxes are fractions of the page."""
    folder = tmp_path / "fara"
    (folder / "scans").mkdir(parents=True)
    Image.new("1", (200, 100)).save(folder / "scans" / "s.tif")
    fields = {
        name: {"text": text, "page": 1, "box": [0.1, 0.2, 0.5, 0.4], "how": how, "legible": legible}
        for name, text, how, legible in (
            ("a", "Guy Poliquin", "typed", True),
            ("b", "blurred", "typed", False),
            ("c", "scrawl", "handwritten", True),
        )
    }
    (folder / "labels.jsonl").write_text(json.dumps({"scan": "s", "fields": fields}) + "\n")
    (page,) = truth.load(tmp_path, ["fara"], None, 0, "all")
    box = Box(20, 20, 100, 40)
    assert page.words == (TrueWord("Guy", box), TrueWord("Poliquin", box))
    assert page.partial
    assert page.name == "s#1"


def test_the_samples_are_labelled() -> None:
    """The project's own scans need no folder; pages with their own text are not read."""
    pages = truth.load(Path("nowhere"), ["samples"], None, 0, "all")
    assert all(page.image.exists() for page in pages)
    assert not any("Council Minutes" in page.name for page in pages)
    assert any(page.reading_order for page in pages)


def test_the_halves_part_the_documents() -> None:
    """Every page is in one half, all pages of a document in the same, and it stays so."""
    parts = {
        split: {page.name for page in truth.load(Path(), ["samples"], None, 0, split)}
        for split in ("tune", "test", "all")
    }
    assert parts["tune"] | parts["test"] == parts["all"]
    assert not parts["tune"] & parts["test"]
    assert not {n.split("#")[0] for n in parts["tune"]} & {n.split("#")[0] for n in parts["test"]}
    page = replace(PAGE, set="typewritten", image=Path("EHRI-ET-YV3549264_07.xml"))
    assert truth.document(page) == "EHRI-ET-YV3549264"
    assert truth.half(replace(PAGE, image=Path("a.png"))) == "tune"  # its SHA-256 begins with ca
    assert truth.half(replace(PAGE, image=Path("f.png"))) == "test"  # 25


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    """Two people who name a seed measure on the same pages."""
    drawn = [truth.load(Path(), ["samples"], 5, seed, "all") for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 5


def test_what_is_not_there_is_told() -> None:
    """A set that is misspelt or missing gives no figure of nothing."""
    with pytest.raises(ValueError, match="no set 'fundsd'"):
        truth.load(Path(), ["fundsd"], None, 0, "all")
    with pytest.raises(FileNotFoundError):
        truth.load(Path("nowhere"), ["funsd"], None, 0, "all")


def one_of(folder: Path, name: str, file: str, text: str) -> list[LabelledPage]:
    """Write one truth file with a picture beside it, and load its set."""
    (folder / name).mkdir()
    (folder / name / file).write_text(text)
    Image.new("L", (10, 10)).save((folder / name / file).with_suffix(".png"))
    return truth.load(folder, [name], None, 0, "all")
