"""Kept files are read again: with new templates quickly, and never at the cost of what is known."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from digitize import desk
from records.rewriting import SaidLine
from tests.cli.conftest import SAMPLES, Call, record
from tests.docs.markdown import ROOT, blocks, read
from tests.faults import engines
from tests.faults.house import House, Ran
from tests.faults.paper import sheet, write_scan

LIBRARY_CARD = next(b for b in blocks(read("docs/forms.md"), "toml") if "library-card" in b)


def own_forms(house: House) -> Path:
    """Give a house a folder of templates of its own; return it."""
    folder = house.folder / "forms"
    shutil.copytree(ROOT / "forms", folder)
    house.set({"forms.folder": str(folder)})
    return folder


def pages(house: House) -> list[tuple[Any, ...]]:
    """Return what shows that pages were not read anew: their words, images and times."""
    return house.rows("SELECT sha256, number, words, image, seconds FROM pages ORDER BY 1, 2")


@pytest.fixture
def cards(tmp_path: Path) -> House:
    """Return an archive with a library card, for which there is no template yet."""
    house = House(tmp_path / "house", {"read.mode": "tesseract"})
    own_forms(house)
    done = house.run("import", SAMPLES / "Library card.pdf", "--workers", 1, "--json")
    assert done.json["records"] == 1
    return house


@pytest.fixture
def sheets(tmp_path: Path) -> House:
    """Return an archive with a file of three pages and one of one, read by a quick engine."""
    house = House(tmp_path / "house", {"read.mode": "tesseract"})
    house.engine(engines.FAST)
    write_scan(tmp_path / "in" / "three.tif", "three", 3)
    write_scan(tmp_path / "in" / "one.tif", "one")
    assert house.run("import", tmp_path / "in", "--workers", 1).code == 0
    return house


def again(house: House, *words: object) -> Ran:
    return house.run("reread", *words, "--workers", 1)


# A new template


def test_a_new_template_is_laid_over_kept_pages(cards: House) -> None:
    """A drawer that was unknown paper becomes forms with fields; no page is read a second time."""
    before = pages(cards)
    (cards.folder / "forms" / "library-card.toml").write_text(LIBRARY_CARD)
    done = again(cards, "--unknown")
    assert done.code == 0, done.err
    assert "form: nothing -> 'library-card'" in done.out
    assert re.search(r"^  name: new, '.+'$", done.out, re.M)
    assert re.search(r"^1 file\(s\), \d page\(s\) read again in .* 1 record\(s\) changed\.$",
                     done.out, re.M)  # fmt: skip
    assert pages(cards) == before
    [(form, fields)] = cards.rows(
        "SELECT form, (SELECT count(*) FROM fields WHERE document_id = d.id) FROM documents d"
    )
    assert (form, fields) == ("library-card", 7)
    assert cards.found("form:library-card") == 1
    assert cards.problems() == []


def test_what_would_come_out_the_same_is_left_alone(cards: House, call: Call) -> None:
    """The second time nothing is done: no page is touched, and no history is written."""
    (cards.folder / "forms" / "library-card.toml").write_text(LIBRARY_CARD)
    assert call(cards, "reread", "--all", "--dry-run").out == "1 file(s) would be read again.\n"
    assert again(cards, "--all").code == 0
    history = cards.rows("SELECT count(*) FROM audit")
    done = again(cards, "--all", "--json")
    assert (done.json["files"], done.json["pages"], done.json["changed"]) == (0, 0, 0)
    assert cards.rows("SELECT count(*) FROM audit") == history
    assert call(cards, "reread", "--all", "--dry-run", "--json").out == '{\n  "files": 0\n}\n'


def test_what_a_person_said_stays(own: House, call: Call) -> None:
    """A corrected field, its title, and its history outlive another reading."""
    folder = own_forms(own)
    licence = record(own, "dog-licence")
    assert call(own, "correct", licence, "owner_name", "Zebulon Quix").code == 0
    template = folder / "dog-licence.toml"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace('name = "breed"', 'name = "kind_of_dog"'), encoding="utf-8")
    done = again(own, "--form", "dog-licence", "--json")
    assert done.code == 0, done.err
    [changed] = done.json["records"]
    assert (changed["record"], "Zebulon Quix" in changed["title"]) == (licence, True)
    told = "\n".join(changed["changes"])
    assert "kind_of_dog: new" in told
    assert re.search(r"breed: .* -> no such field", told)
    assert "owner_name" not in told
    found = own.rows("SELECT value, status FROM fields WHERE name = 'owner_name'")
    assert found == [("Zebulon Quix", "corrected")]
    assert "to be read again" in [kind for (kind,) in own.rows("SELECT action FROM audit")]
    assert own.problems() == []


def test_one_record_and_a_search_choose_files(sheets: House) -> None:
    """Other files than those of the chosen records stay as they are."""
    sheets.set({"clean.speckle": False})
    assert again(sheets, "--record", 1, "--dry-run", "--json").json == {"files": 1}
    assert again(sheets, "--query", "sheet part3", "--json").json["pages"] == 3
    assert again(sheets, "--all", "--json").json["pages"] == 1


# New settings


def test_new_settings_read_every_page_anew(sheets: House) -> None:
    """What comes out otherwise is told: the text of which page."""
    sheets.set({"clean.speckle": False})
    assert sheets.programs
    front = sheets.programs / "tesseract"
    front.write_text(front.read_text().replace("Filed", "Fyled"))
    done = again(sheets, "--all")
    assert done.code == 0
    assert "text of page 1, 2, 3" in done.out
    assert sheets.found("fyled") == 2
    assert done.out.splitlines()[-1].startswith("2 file(s), 4 page(s) read again in ")


# What goes wrong


def test_a_page_that_fails_now_keeps_its_earlier_reading(sheets: House) -> None:
    """The words stay and are found, the other pages are read, and a sentence says so."""
    before = dict(sheets.rows("SELECT number, words FROM pages p WHERE (SELECT count(*) FROM "
                              "pages q WHERE q.sha256 = p.sha256) = 3"))  # fmt: skip
    sheets.set({"clean.speckle": False})
    sheets.engine(engines.only_page(2, engines.FAILS))
    done = again(sheets, "--all")
    assert done.code == 7
    [said] = done.err.splitlines()
    assert "'three.tif' page 2" in said
    assert said.endswith("; the earlier reading is kept.")
    states = sheets.rows("SELECT DISTINCT state FROM pages UNION SELECT DISTINCT state FROM "
                         "originals")  # fmt: skip
    assert states == [("read",)]
    assert sheets.rows("SELECT words FROM pages WHERE number = 2") == [(before[2],)]
    assert again(sheets, "--all", "--dry-run", "--json").json == {"files": 1}
    sheets.engine(engines.FAST)
    assert again(sheets, "--all", "--json").json["pages"] == 1
    assert sheets.problems() == []


def test_a_kept_file_that_is_lost_keeps_its_records(sheets: House) -> None:
    """Where the original cannot be opened, record and words stay as they were."""
    [(sha256,)] = sheets.rows("SELECT sha256 FROM originals WHERE name = 'one.tif'")
    original = sheets.archive / "originals" / sha256[:2] / sha256
    original.rename(sheets.folder / "elsewhere")
    sheets.set({"clean.speckle": False})
    done = again(sheets, "--all")
    assert done.code == 7, done.err
    assert "'one.tif'" in done.err
    assert "the earlier reading is kept." in done.err
    (sheets.folder / "elsewhere").rename(original)
    statuses = sheets.rows("SELECT status FROM documents UNION SELECT state FROM originals")
    assert ("failed",) not in statuses
    assert ("waiting",) not in statuses
    assert sheets.problems() == []


@pytest.mark.parametrize("damage", [b"", b"no picture", None], ids=["empty", "other", "cut short"])
def test_a_damaged_page_image_is_made_again(cards: House, damage: bytes | None) -> None:
    """Where the cleaned page cannot be opened for its fields, the scan itself is read once more."""
    [(image,)] = cards.rows("SELECT image FROM pages WHERE image IS NOT NULL LIMIT 1")
    path = cards.archive / "pages" / image[:2] / f"{image}.png"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-900] if damage is None else damage)
    (cards.folder / "forms" / "library-card.toml").write_text(LIBRARY_CARD)
    done = again(cards, "--all")
    assert (done.code, done.err) == (0, "")
    assert cards.rows("SELECT form FROM documents") == [("library-card",)]


def test_a_page_that_failed_before_is_tried_again(sheets: House, tmp_path: Path) -> None:
    """A file that cannot be opened for a while is not given up with its failed page."""
    write_scan(tmp_path / "more" / "two.tif", "two", 2)
    sheets.engine(engines.only_page(2, engines.FAILS))
    assert sheets.run("import", tmp_path / "more", "--workers", 1).code == 7
    [(sha256,)] = sheets.rows("SELECT sha256 FROM originals WHERE name = 'two.tif'")
    original = sheets.archive / "originals" / sha256[:2] / sha256
    original.rename(sheets.folder / "elsewhere")
    assert again(sheets, "--all").code == 7
    (sheets.folder / "elsewhere").rename(original)
    sheets.engine(engines.FAST)
    done = sheets.run("import", tmp_path / "more", "--workers", 1, "--json")
    assert done.json["results"][0]["was"] == "resumed"
    assert sheets.rows("SELECT DISTINCT state FROM pages") == [("read",)]


def test_what_was_cut_short_is_finished_by_the_same_command(sheets: House) -> None:
    """A file that a run left open when it died is read by the next reread, or the next watch."""
    sheets.set({"clean.speckle": False})
    with sheets.opened() as installation, installation.store.write() as db:
        db.conn.execute("UPDATE originals SET state = 'waiting', run = 'dead' WHERE page_count = 3")
    done = again(sheets, "--all", "--json")
    assert (done.code, done.json["files"], done.json["pages"]) == (0, 2, 4)
    assert sheets.rows("SELECT DISTINCT state FROM originals") == [("read",)]


def test_what_was_read_but_not_filed_is_filed_by_the_same_command(sheets: House) -> None:
    """A run that died after its last page, before its records, leaves nothing open for ever."""
    with sheets.opened() as installation, installation.store.write() as db:
        db.conn.execute("UPDATE originals SET state = 'waiting', run = 'dead' WHERE page_count = 3")
    done = again(sheets, "--all", "--json")
    assert (done.code, done.json["files"], done.json["pages"]) == (0, 1, 0)
    assert sheets.rows("SELECT DISTINCT state FROM originals") == [("read",)]


def test_a_file_that_another_run_has_is_left_to_it(sheets: House) -> None:
    """It is counted and told, and not read by two at once."""
    sheets.set({"clean.speckle": False})
    with sheets.opened() as installation, installation.archive.run() as run:
        with installation.store.write() as db:
            db.conn.execute(
                "UPDATE originals SET state = 'waiting', run = ? WHERE page_count = 3", [run.name]
            )
        done = again(sheets, "--all")
    assert done.code == 0
    assert "1 file(s) are being read by another import; try again." in done.out
    assert "1 file(s), 1 page(s) read again" in done.out


# What may be asked


@pytest.mark.parametrize("words", [(), ("--all", "--unknown"), ("--query", "x", "--record", "1")])
def test_one_choice_must_be_made(filed: House, call: Call, words: tuple[str, ...]) -> None:
    """Nothing is read by accident: which files is said, once."""
    done = call(filed, "reread", *words)
    assert (done.code, done.out) == (2, "")
    assert "Give one of --query, --form, --unknown, --record and --all." in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--form", "dog-license"), "There is no form 'dog-license'; use one of: building-permit,"),
        (("--record", "999"), "There is no record 999"),
    ],
)
def test_what_there_is_not_is_said(
    filed: House, call: Call, words: tuple[str, ...], said: str
) -> None:
    """A misspelt form or a wrong number is a sentence, not an empty success."""
    done = call(filed, "reread", *words)
    assert done.code not in (0, 2)
    assert said in done.err


# What people said of the text


def say(house: House, was: str, text: str) -> None:
    """Correct the line of a house's only record that reads so."""
    with house.opened() as installation:
        store = installation.store
        viewer = store.system_viewer("ann")
        document = store.document(1, viewer)
        page = store.page_text(1, 1)
        assert page
        number = next(n for n, line in enumerate(page.lines, 1) if was in line.text)
        shown = page.lines[number - 1].text
        said = SaidLine(1, number, shown, shown.replace(was, text))
        desk.rewrite_line(installation, viewer, document, said)


def text(house: House) -> str:
    with house.opened() as installation:
        return "\n".join(line.text for line in installation.store.lines(1, 1))


def test_corrected_text_outlives_another_reading(sheets: House) -> None:
    """Where the machine now reads another wrong word, the person's still stands, and is found."""
    say(sheets, "Filed", "Piled")
    sheets.set({"clean.speckle": False})
    assert sheets.programs
    front = sheets.programs / "tesseract"
    front.write_text(front.read_text().replace("Filed", "Fyled").replace("sheet", "sheat"))
    done = again(sheets, "--all")
    assert done.code == 0
    [(title,)] = sheets.rows("SELECT title FROM documents WHERE id = 1")
    assert title.startswith("Piled sheat")
    words = text(sheets).split()
    assert words[:2] == ["Piled", "sheat"]
    assert (sheets.found("piled"), sheets.found('"piled sheat"')) == (1, 1)
    assert sheets.problems() == []


def test_corrected_text_keeps_its_place_on_leaning_paper(tmp_path: Path) -> None:
    """A leaning page that is read again as it lies, not straightened, says what people said."""
    house = House(tmp_path / "house", {"read.mode": "tesseract"})
    scan = sheet("Permit 12").rotate(3, expand=True, fillcolor=255)
    (tmp_path / "in").mkdir()
    scan.save(tmp_path / "in" / "leans.png", dpi=(200, 200))
    assert house.run("import", tmp_path / "in", "--workers", 1).code == 0
    assert "fence at the corner" in text(house)
    say(house, "fence at the corner", "hedge near the corner")
    say(house, "received on the fourth of May", "received on 4 May")
    before = text(house)
    house.set({"clean.deskew": False})
    assert again(house, "--all", "--json").json["pages"] == 1
    [(geometry,)] = house.rows("SELECT geometry FROM pages")
    assert json.loads(geometry)["skew_degrees"] == 0
    after = text(house)
    for said in ("hedge near the corner", "received on 4 May"):
        assert (before.count(said), after.count(said)) == (1, 1)
    for gone in ("fence", "fourth"):
        assert gone not in after
    assert len(after.splitlines()) == len(before.splitlines())
