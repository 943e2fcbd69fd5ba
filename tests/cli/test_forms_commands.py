"""The commands about forms, on real scans: a draft, a trial, and a parcel for another city."""

from __future__ import annotations

import shutil
import signal
import zipfile
from pathlib import Path

import pytest

from digitize.cli import forms
from digitize.form_file import load_form
from tests.cli.conftest import SAMPLES, Call
from tests.docs.markdown import blocks, read
from tests.faults import engines
from tests.faults.house import ROOT, House, Ran, end, until

CARD = SAMPLES / "Library card.pdf"
TEMPLATE = next(b for b in blocks(read("docs/forms.md"), "toml") if "library-card" in b)
SAID = {"value", "raw", "confidence", "status", "reasons", "found_by", "page", "box"}


def _house(folder: Path) -> House:
    """Return an installation with templates of its own, and no archive yet."""
    house = House(folder, {"read.mode": "tesseract"})
    shutil.copytree(ROOT / "forms", folder / "forms")
    house.set({"forms.folder": str(folder / "forms")})
    return house


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """Return an installation of its own; what is made for a while lies in its folder ``while``."""
    made = _house(tmp_path / "house")
    (made.folder / "while").mkdir()
    monkeypatch.setenv("TMPDIR", str(made.folder / "while"))
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def quick(house: House) -> House:
    """Return an installation whose reading engine takes no time, with a template to try."""
    house.engine(engines.FAST)
    (house.folder / "library-card.toml").write_text(TEMPLATE, encoding="utf-8")
    return house


def fits(ran: Ran) -> bool:
    """Say whether all that was printed is at most 80 columns wide."""
    return all(len(line) <= 80 for line in (ran.out + ran.err).splitlines())


def left(house: House) -> list[str]:
    """Return what lies in the installation's folder beside what it began with."""
    began = {"config.toml", "forms", "while", "programs"}
    assert list((house.folder / "while").iterdir()) == []
    return sorted(p.name for p in house.folder.iterdir() if p.name not in began)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, dict[str, Ran]]:
    """Draft a template from a card, and try it and a good one on it. Tests do not change it."""
    made = _house(tmp_path_factory.mktemp("forms") / "house")
    (made.folder / "while").mkdir()
    (made.folder / "good.toml").write_text(TEMPLATE, encoding="utf-8")
    one = ("--workers", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(made.folder / "while"))
        ran = {
            "new": made.run("forms", "new", CARD, "--name", "library-card", *one),
            "test": made.run("forms", "test", "library-card.toml", CARD, *one),
            "json": made.run("forms", "test", "good.toml", CARD, "--json", "--out", "a.html", *one),
        }
    return made, ran


Worked = tuple[House, dict[str, Ran]]


# forms new and forms test


def test_a_draft_is_written_from_a_scan(worked: Worked) -> None:
    """The draft is a good template that knows the form, and says what to do next."""
    house, ran = worked
    assert (ran["new"].code, ran["new"].err) == (0, "")
    form = load_form(house.folder / "library-card.toml", frozenset())
    assert form.title == "ALDER FALLS FREE LIBRARY"
    kinds = {field.name: field.kind for field in form.fields}
    assert {"name_in_full", "home_address"} <= set(kinds)
    assert {kinds.get(name) for name in ("adult", "child", "teacher")} == {"tick"}
    assert kinds["signature_of_borrower"] == "signature"
    assert "digitize forms test" in ran["new"].out


def test_a_draft_of_one_filled_in_copy_says_so(worked: Worked) -> None:
    """Nothing tells print from answers on a single copy, so a person is told to look for them."""
    assert "answers" in worked[1]["new"].out


def test_what_a_template_reads_is_shown(worked: Worked) -> None:
    """The draft reads the card it was made from; the page with boxes lies beside it."""
    house, ran = worked
    assert (ran["test"].code, ran["test"].err) == (0, "")
    assert "this form, page(s) 1" in ran["test"].out
    assert "Quillby" in ran["test"].out
    made = (house.folder / "library-card.html").read_text(encoding="utf-8")
    assert "Quillby" in made
    assert made.count("<rect ") >= 2


def test_a_trial_prints_json(worked: Worked) -> None:
    """With --json, all that is printed is a list of files with their records and fields."""
    house, ran = worked
    assert (ran["json"].code, ran["json"].err) == (0, "")
    [file] = ran["json"].json
    assert (file["name"], file["message"]) == ("Library card.pdf", None)
    [record] = file["records"]
    assert set(record) == {"form", "reasons", "fields"}
    assert record["form"] == "library-card"
    assert list(record["fields"]) == [
        "name", "address", "phone", "birth_date", "borrower", "signature", "card_number",
    ]  # fmt: skip
    assert all(set(field) == SAID for field in record["fields"].values())
    assert {f["found_by"] for f in record["fields"].values()} <= {"zone", "label", "field", "page"}
    assert record["fields"]["borrower"]["value"] == "Child"
    assert (house.folder / "a.html").exists()


def test_nothing_is_kept_of_a_trial(worked: Worked) -> None:
    """No archive is made, and no picture of the scan is left in a temporary folder."""
    wanted = ["a.html", "good.toml", "library-card.html", "library-card.toml"]
    assert left(worked[0]) == wanted


@pytest.mark.parametrize("command", ["new", "test"])
def test_lines_fit_80_columns(worked: Worked, command: str) -> None:
    """What is printed fits a terminal."""
    assert fits(worked[1][command]), worked[1][command].out


def test_an_archive_is_not_touched(filed: House, call: Call, monkeypatch: pytest.MonkeyPatch,
                                   tmp_path: Path) -> None:  # fmt: skip
    """A trial beside a full archive writes no row of it."""
    monkeypatch.chdir(tmp_path)
    before = filed.rows("SELECT max(id), count(*) FROM audit")
    scan = SAMPLES / "Hollis burial card.png"
    ran = call(filed, "forms", "test", "burial-record", scan, "--workers", 1, "--json")
    assert ran.code == 0, ran.err
    assert ran.json[0]["records"][0]["form"] == "burial-record"
    assert filed.rows("SELECT max(id), count(*) FROM audit") == before
    assert [path.name for path in tmp_path.iterdir()] == ["burial-record.html"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("new", CARD, "--name", "library-card"), 2, "'library-card.toml' is there already"),
        (("new", CARD, "--name", "x", "--out", "library-card.toml"), 2, "is there already"),
        (("new", CARD, "--name", "Library Card"), 2, "must be small letters, digits and hyphens"),
        (("new", CARD), 2, "--name"),
        (("new", "--name", "x"), 2, "SCANS"),
        (("new", "none.pdf", "--name", "x"), 3, "There is no file or folder 'none.pdf'"),
        (("new", "config.toml", "--name", "x"), 3, "config.toml"),
        (("test", "none.toml", CARD), 3, "There is no file and no form 'none.toml'"),
        (("test", "config.toml", CARD), 2, "'config.toml' has "),
        (("test", "forms", CARD), 2, "The form template 'forms' cannot be read"),
        (("test", "library-card.toml"), 2, "FILES"),
        (("test", "library-card.toml", "none.pdf"), 3, "There is no file or folder 'none.pdf'"),
        (("test", "library-card.toml", "config.toml"), 3, "config.toml"),
    ],
)
def test_wrong_words_are_told(
    quick: House, call: Call, words: tuple[object, ...], code: int, said: str
) -> None:
    """Each mistake ends with its exit code and a sentence, and overwrites nothing."""
    before = (quick.folder / "library-card.toml").read_bytes()
    ran = call(quick, "forms", *words, *(("--workers", 1) if len(words) > 2 else ()))
    assert (ran.code, "Traceback" in ran.err) == (code, False)
    assert said in ran.err + ran.out
    assert (quick.folder / "library-card.toml").read_bytes() == before
    assert "x.toml" not in left(quick)


def test_a_place_that_is_none_is_told_first(
    quick: House, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for scans to be read when what comes of it cannot be written."""
    monkeypatch.setattr(forms, "read_on_trial", lambda *_: pytest.fail("the scans were read"))
    draft = call(quick, "forms", "new", CARD, "--name", "x", "--out", "no/such/x.toml")
    trial = call(quick, "forms", "test", "library-card.toml", CARD, "--out", "no/such/x.html")
    assert draft.code != 0
    assert trial.code != 0


def test_a_trial_that_is_stopped_leaves_nothing(quick: House) -> None:
    """When it is ended in the middle, too, no picture of a scan stays behind."""
    quick.engine(engines.HANGS)
    trial = quick.start("forms", "test", "library-card.toml", CARD, "--workers", 1)
    assert until(lambda: list((quick.folder / "while").glob("*/archive/originals/*/*")))
    trial.send_signal(signal.SIGTERM)
    end(trial)
    assert left(quick) == ["library-card.toml"]


def test_the_same_copy_twice_is_read_as_it_is(house: House, call: Call) -> None:
    """A second name of the same scan shows the same form as the first."""
    shutil.copy(CARD, house.folder / "again.pdf")
    (house.folder / "good.toml").write_text(TEMPLATE, encoding="utf-8")
    ran = call(house, "forms", "test", "good.toml", CARD, "again.pdf", "--json", "--workers", 1)
    assert ran.code == 0
    assert [r["form"] for file in ran.json for r in file["records"]] == ["library-card"] * 2


def test_one_copy_twice_makes_no_draft(quick: House, call: Call) -> None:
    """Two names of one scan have all its answers in common: that tells no print from them."""
    shutil.copy(CARD, quick.folder / "again.pdf")
    ran = call(quick, "forms", "new", CARD, "again.pdf", "--name", "x", "--workers", 1)
    assert (ran.code, (quick.folder / "x.toml").exists()) == (3, False)


@pytest.mark.parametrize("spoil", [None, b"", b"no picture"], ids=["whole", "empty", "damaged"])
def test_a_record_is_drafted_from_though_its_picture_is_spoilt(
    own: House, call: Call, tmp_path: Path, spoil: bytes | None
) -> None:
    """Its words are kept, and make the draft; what is drawn is then missing."""
    (card, *_) = call(own, "search", "form:dog-licence", "--json").json["hits"]
    if spoil is not None:
        for kept in (own.archive / "pages").rglob("*.png"):
            kept.chmod(0o644)
            kept.write_bytes(spoil)
    out = tmp_path / "drafted.toml"
    ran = call(own, "forms", "new", "--record", card["record"], "--name", "card", "--out", out)
    assert (ran.code, ran.err) == (0, "")
    kinds = {field.kind for field in load_form(out, frozenset()).fields}
    assert ("tick" in kinds) == (spoil is None)


# forms export and forms import


def test_a_form_is_carried_to_another_city(house: House, call: Call, tmp_path: Path) -> None:
    """What one installation packs another takes, once; it then knows the form."""
    other = _house(tmp_path / "other")
    packed = call(house, "forms", "export", "dog-licence")
    assert (packed.code, packed.err) == (0, "")
    parcel = house.folder / "dog-licence.forms.zip"
    assert zipfile.is_zipfile(parcel)
    refused = call(other, "forms", "import", parcel)
    assert (refused.code, refused.out) == (2, "")
    assert "is in" in refused.err
    assert "--replace" in refused.err
    (other.folder / "forms" / "dog-licence.toml").unlink()
    taken = call(other, "forms", "import", parcel)
    assert (taken.code, taken.err) == (0, "")
    assert "dog-licence.toml" in taken.out
    assert call(other, "forms", "import", parcel, "--replace").code == 0
    assert call(other, "forms", "show", "dog-licence").code == 0


def test_what_is_packed_is_said_in_80_columns(house: House, call: Call) -> None:
    """What ``forms export`` prints fits a terminal."""
    assert fits(call(house, "forms", "export", "dog-licence"))


def test_a_parcel_is_not_overwritten(house: House, call: Call) -> None:
    """A file that is there is nobody's parcel to overwrite, as with ``forms new``."""
    (house.folder / "dog-licence.forms.zip").write_bytes(b"mine")
    call(house, "forms", "export", "dog-licence")
    assert (house.folder / "dog-licence.forms.zip").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("export", "cat-licence"), 3, "There is no form 'cat-licence'; use one of: "),
        (("export", "../forms/dog-licence"), 3, "There is no form"),
        (("show", "cat-licence"), 3, "There is no form 'cat-licence'"),
        (("import", "none.zip"), 3, "There is no file 'none.zip'"),
        (("import", "forms"), 3, "There is no file 'forms'"),
        (("import", "config.toml"), 2, "no parcel of forms"),
    ],
)
def test_wrong_words_about_parcels_are_told(
    house: House, call: Call, words: tuple[str, ...], code: int, said: str
) -> None:
    """Each mistake ends with its exit code and a sentence."""
    ran = call(house, "forms", *words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_sentence_says_forms_where_it_is_about_forms(house: House, call: Call) -> None:
    """Who imports a template is not told to import a scan."""
    assert "scan" not in call(house, "forms", "import", "forms").err


# forms list and forms show


def _printings(house: House) -> None:
    text = TEMPLATE.replace("size =", 'printing = "PRINTING"\nsize =', 1)
    more = """
[[fields]]
name = "motto"
below = "name"
[[fields]]
name = "issued"
kind = "date"
anywhere = true
"""
    for printing in ("1996", "2004"):
        path = house.folder / "forms" / f"card {printing}.toml"
        path.write_text(text.replace("PRINTING", printing) + more, encoding="utf-8")


def test_printings_are_told_apart(house: House, call: Call) -> None:
    """Each printing of a form is shown, with what tells it from the others."""
    _printings(house)
    for command in (("list",), ("show", "library-card")):
        ran = call(house, "forms", *command)
        assert (ran.code, fits(ran)) == (0, True)
        assert ran.out.count("library-card") == 2
        assert "1996" in ran.out
        assert "2004" in ran.out


def test_printings_are_json(house: House, call: Call) -> None:
    """One printing is one entry, as in the list; several are a list of entries."""
    _printings(house)
    entries = call(house, "forms", "list", "--json").json
    both = call(house, "forms", "show", "library-card", "--json").json
    assert both == [entry for entry in entries if entry["name"] == "library-card"]
    assert len(both) == 2
    one = call(house, "forms", "show", "dog-licence", "--json").json
    assert one in entries
    assert set(one) >= {"name", "title", "department", "role", "pages", "fields"}
    assert set(one["fields"][0]) == {"name", "label", "kind", "pages", "required"}


def test_how_a_field_is_found_is_shown(house: House, call: Call) -> None:
    """The table names the way that the template gives, whichever of the five it is."""
    _printings(house)
    shown = call(house, "forms", "show", "library-card").out
    ways = {line.split()[0]: line.split()[3] for line in shown.splitlines() if " 1 " in line}
    assert ways["name"] == "zone"
    assert ways["address"] == "beside"
    assert ways["motto"] == "below"
    assert ways["issued"] == "anywhere"
