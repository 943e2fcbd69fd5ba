"""Tesseract: its table, its ways to fail, and that it is asked once a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize.page import PageTask, work_on_page
from ocr import tesseract
from ocr.reading import ReadFailure, Reading, mean_confidence
from records.archive import Archive
from records.errors import ProgramMissingError
from records.geometry import Box
from records.model import Line, PageFailure, PageResult, Word
from tests.digitize.making import ROOT, as_bytes, card, configured

HEADER = "level page_num block_num par_num line_num word_num left top width height conf text"
HEAD = "\t".join(HEADER.split())
ENGLISH = ("eng",)


def row(text: str, line: int = 1, level: int = 5, conf: str = "90.5", left: str = "10") -> str:
    """Return a row of Tesseract's table."""
    return "\t".join(
        [str(level), "1", "1", "1", str(line), "1", left, "20", "30", "40", conf, text]
    )


def table(*rows: str) -> str:
    return "\n".join([HEAD, *rows]) + "\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small typed card as a file."""
    path = tmp_path_factory.mktemp("page") / "page.png"
    path.write_bytes(as_bytes(card(), "PNG"))
    return path


@pytest.fixture
def fake_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a script in the place of Tesseract; it still says its version."""
    tesseract.version()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def put(script: str) -> None:
        path = tmp_path / "tesseract"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put


def test_words_come_in_lines_with_boxes() -> None:
    """Words of one line stand together, in Tesseract's order, confidences from 0 to 1."""
    found = tesseract.parse_tsv(
        table(row("", level=1, conf="-1"), row("Alder"), row("Falls"), row(" ", 1), row("2019", 2))
    )
    assert found is not None
    assert [line.text for line in found] == ["Alder Falls", "2019"]
    assert found[0].words[0] == Word("Alder", Box(10, 20, 40, 60), 0.905)


def test_marks_that_a_spreadsheet_would_take_apart() -> None:
    """Quotes, semicolons and commas are text like any other."""
    found = tesseract.parse_tsv(table(row('"Elm'), row("St;"), row("a,b'")))
    assert found is not None
    assert found[0].text == "\"Elm St; a,b'"


@pytest.mark.parametrize(("conf", "taken"), [("-1", 0.0), ("101", 1.0), ("96.5", 0.965)])
def test_confidences_stay_between_0_and_1(conf: str, taken: float) -> None:
    """Whatever Tesseract writes, a confidence is a share."""
    found = tesseract.parse_tsv(table(row("x", conf=conf)))
    assert found is not None
    assert found[0].words[0].confidence == pytest.approx(taken)


def test_a_page_without_words_is_no_rubbish() -> None:
    """An empty page is an empty table, which is a good one."""
    assert tesseract.parse_tsv(HEAD + "\n") == ()


@pytest.mark.parametrize(
    "rubbish",
    ["", "Error", "level\tpage", HEAD + "\n5\t1\t1", table(row("x", left="ten")),
     table(row("x", conf="high")), table(row("x") + "\textra")],
)  # fmt: skip
def test_rubbish_is_told_as_such(rubbish: str) -> None:
    """A table that is none is not taken for a page without words."""
    assert tesseract.parse_tsv(rubbish) is None


cells = st.one_of(st.text(max_size=6), st.sampled_from(["5", "1", "90", "-1", "nan", "inf", "1e9"]))
rows = st.lists(cells, min_size=11, max_size=13).map("\t".join)


@given(st.one_of(st.text(), st.lists(rows, max_size=4).map(lambda r: table(*r))))
def test_no_table_raises(text: str) -> None:
    """Whatever a crashing program leaves behind, parsing gives lines or None."""
    found = tesseract.parse_tsv(text)
    assert found is None or all(0 <= w.confidence <= 1 for line in found for w in line.words)


def test_a_card_is_read(page: Path) -> None:
    """The real program reads a typed card, words on their ink."""
    read = tesseract.read(page, ENGLISH, 200, 60)
    assert isinstance(read, Reading)
    assert "Owner Aloysius Fenwick" in [line.text for line in read.lines]
    assert read.confidence > 0.8
    assert (read.languages, read.exit_code) == ("eng", 0)
    assert read.reader.startswith("tesseract ")
    word = next(w for line in read.lines for w in line.words if w.text == "Aloysius")
    assert word.box.overlap(Box(150, 190, 320, 250)) > 0.8 * word.box.width * word.box.height


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        ("exit 1", "crashed", "exit code 1"),
        ("kill -9 $$", "crashed", "exit code -9"),
        ("printf '\\377' >&2; exit 1", "rubbish", "not UTF-8"),
        ("printf 'level\\377' > \"$2.tsv\"", "rubbish", "not UTF-8"),
        ('echo "not a table" > "$2.tsv"', "rubbish", "cannot be read"),
        (': > "$2.tsv"', "rubbish", "cannot be read"),
        ("exit 0", "rubbish", "no table"),
    ],
)
def test_a_failure_is_a_value(
    page: Path, fake_tesseract: Callable[[str], None], script: str, kind: str, said: str
) -> None:
    """However Tesseract ends, the page fails with a reason, and the program goes on."""
    fake_tesseract(script)
    read = tesseract.read(page, ENGLISH, 200, 20)
    assert isinstance(read, ReadFailure)
    assert (read.kind, said in read.message) == (kind, True), read


def test_a_reading_that_hangs_is_ended(page: Path, fake_tesseract: Callable[[str], None]) -> None:
    """Past its time the program is killed, and the failure says after how many seconds."""
    fake_tesseract("exec sleep 30")
    started = time.monotonic()
    read = tesseract.read(page, ENGLISH, 200, 1)
    assert read == ReadFailure("timeout", "Tesseract was not done after 1 seconds")
    assert time.monotonic() - started < 5


def test_a_missing_language_is_named_with_its_package() -> None:
    """Tesseract itself ends with 0 when one of two languages is missing; we do not."""
    tesseract.check_languages(ENGLISH)
    with pytest.raises(ProgramMissingError) as caught:
        tesseract.check_languages(["eng", "deu_frak"])
    assert "no language 'deu_frak' (read.languages)" in str(caught.value)
    assert "install the package tesseract-ocr-deu-frak" in str(caught.value)


def test_without_tesseract_the_package_is_named(tmp_path: Path, page: Path) -> None:
    """On a machine without Tesseract the start says what to install, and so does a reading."""
    code = (
        "import sys; from pathlib import Path; from ocr import tesseract\n"
        "from records.errors import ProgramMissingError\n"
        "for call in (tesseract.version, lambda: tesseract.check_languages(['eng']),\n"
        "             lambda: tesseract.read(Path(sys.argv[1]), ['eng'], 200, 20)):\n"
        "    try: call()\n"
        "    except ProgramMissingError as error: print(error)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(page)], cwd=ROOT, env={"PATH": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    said = "Tesseract is not installed; install the package tesseract-ocr."
    assert found.stdout.splitlines() == [said] * 3


@pytest.fixture
def task(tmp_path: Path) -> PageTask:
    """A page's task as the importer gives it."""
    settings = configured(tmp_path)
    archive = Archive(settings.archive.folder)
    archive.prepare()
    source = tmp_path / "card.png"
    source.write_bytes(as_bytes(card(), "PNG", dpi=(200, 200)))
    kept = archive.take_in(source, archive.work)
    path = archive.original_path(kept.sha256)
    return PageTask(path, "card.png", "image/png", 1, None, settings, {}, archive.work)


def test_one_run_a_page(
    tmp_path: Path, task: PageTask, fake_tesseract: Callable[[str], None]
) -> None:
    """Reading is nearly all of the cost, so a page that reads well is read once."""
    real = shutil.which("tesseract")
    calls = tmp_path / "calls"
    fake_tesseract(f'echo "$@" >> "{calls}"\nexec {real} "$@"')
    result = work_on_page(task)
    assert isinstance(result, PageResult)
    assert "Aloysius Fenwick" in result.text
    readings = [c for c in calls.read_text().splitlines() if "tsv" in c]
    assert len(readings) == 1
    assert "-l eng" in readings[0]


def test_only_pixels_that_we_decoded_are_handed_on(
    tmp_path: Path, task: PageTask, fake_tesseract: Callable[[str], None]
) -> None:
    """Tesseract never gets the file that was handed in, which it might take for a list of files."""
    fake_tesseract(f'cp "$1" "{tmp_path}/seen"; echo "$1" > "{tmp_path}/name"; exit 1')
    result = work_on_page(task)
    assert isinstance(result, PageFailure)
    assert result.message.startswith("'card.png' page 1 Tesseract ended with exit code 1")
    assert (tmp_path / "seen").read_bytes().startswith(b"\x89PNG")
    name = Path((tmp_path / "name").read_text().strip())
    assert name.parent == task.workspace
    assert list(task.workspace.iterdir()) == []


def words(*spec: tuple[str, float]) -> tuple[Line, ...]:
    return (Line(tuple(Word(text, Box(0, 0, 1, 1), sure) for text, sure in spec)),)


@pytest.mark.parametrize(
    ("lines", "mean"),
    [
        ((), 0.0),
        (words(("---", 0.1)), 0.0),
        (words(("ab", 0.5), ("abcdef", 0.9)), 0.8),
        (words(("~~~~~~~~", 0.0), ("abc", 0.9)), 0.9),
    ],
)
def test_the_mean_weighs_letters(lines: tuple[Line, ...], mean: float) -> None:
    """Long words count more, and marks that are no letters do not count."""
    assert mean_confidence(lines) == pytest.approx(mean)


# The dictionary


def test_the_dictionary_is_that_of_the_languages() -> None:
    """Words come in small letters, letters only; a language that is not there adds none."""
    words = tesseract.dictionary(("eng", "xyz"))
    assert {"permit", "currency", "license", "october"} <= words
    assert not {"oamp", "Permit", "1st", "don't"} & words
    assert words == tesseract.dictionary(("eng",))


@pytest.mark.parametrize("missing", ["combine_tessdata", "dawg2wordlist", "tesseract"])
def test_without_the_tools_the_dictionary_is_empty(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system that packs Tesseract's tools apart loses the dictionary and nothing else."""
    for name in {"tesseract", "combine_tessdata", "dawg2wordlist"} - {missing}:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tesseract.dictionary.__wrapped__(("eng",)) == frozenset()
