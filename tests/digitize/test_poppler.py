"""Poppler is a program of its own: how it ends is looked at, and so is what it gives back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from digitize import poppler, sources
from digitize.poppler import PopplerFailure
from digitize.signatures import PDF
from records.errors import InputError, ProgramMissingError
from records.geometry import Box
from records.settings import Settings
from tests.digitize.making import typed_pdf

Put = Callable[[str, str], None]
SIZE = (144.0, 72.0)
# pdf2image asks for the version before each page, and waits for the answer.
VERSION = '[ "$1" = -v ] && { echo pdftoppm version 22.12.0 >&2; exit 0; }\n'


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    path = tmp_path / "typed.pdf"
    path.write_bytes(typed_pdf([(10, 40, "Alder Falls, May")], size=SIZE))
    return path


def draw(path: Path, timeout_s: int = 20) -> object:
    return poppler.draw(path, 1, 100, SIZE, timeout_s)


def _picture(width: int, height: int) -> str:
    """Return a script that gives a good picture of some size."""
    return f"printf 'P5\\n{width} {height}\\n255\\n'; head -c {width * height} /dev/zero"


def test_a_page_is_drawn_in_the_size_asked_for(typed: Path) -> None:
    """Two inches by one, at 100 dots per inch."""
    found = draw(typed)
    assert not isinstance(found, PopplerFailure)
    assert found.size == (200, 100)


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (_picture(200, 100) + "; exit 1", "damaged", "pdftoppm ended with 1"),
        (_picture(200, 100) + "; kill -9 $$", "damaged", "pdftoppm ended with -9"),
        ("exit 0", "damaged", "could not be drawn"),
        ("echo rubbish", "damaged", "could not be drawn"),
        (_picture(200, 100).replace("20000", "9000"), "damaged", "could not be drawn"),
        (_picture(100, 200), "damaged", "wrong size"),
        (_picture(200, 50), "damaged", "wrong size"),
        (_picture(200, 100) + "; " + _picture(200, 100), "damaged", "could not be drawn"),
    ],
)
def test_a_bad_end_is_noticed(
    typed: Path, fake_program: Put, script: str, kind: str, said: str
) -> None:
    """A page is not taken from a pdftoppm that failed, however good its picture looks."""
    fake_program("pdftoppm", VERSION + script)
    found = draw(typed)
    assert isinstance(found, PopplerFailure), found
    assert (found.kind, said in found.message) == (kind, True), found


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("Syntax Error (802): Bad two dim code (-001) in CCITTFax stream", False),
        ("Syntax Error: Failed to decode the codestream in the JP2 file", False),
        ("Syntax Error: Bad bounding box for annotation", True),
        ("Syntax Error: Unknown font tag 'F9'", True),
        ("Syntax Warning: Mismatch between font type and embedded font file", True),
    ],
)
def test_only_errors_that_lose_a_picture_count(
    typed: Path, fake_program: Put, said: str, good: bool
) -> None:
    """pdftoppm ends with 0 even so; what it says tells a lost picture from a blemish."""
    fake_program("pdftoppm", f'{VERSION}echo "{said}" >&2; {_picture(200, 100)}')
    found = draw(typed)
    assert isinstance(found, PopplerFailure) is not good
    if isinstance(found, PopplerFailure):
        assert found == PopplerFailure("damaged", "has a picture that is damaged or cut short")


def test_a_drawing_that_hangs_is_ended(typed: Path, fake_program: Put) -> None:
    """Past its time the program is killed, and the page fails with the number of seconds."""
    fake_program("pdftoppm", VERSION + "exec sleep 30")
    started = time.monotonic()
    found = draw(typed, timeout_s=1)
    assert found == PopplerFailure("timeout", "could not be drawn within 1 seconds")
    assert time.monotonic() - started < 5


def test_a_pdfinfo_that_fails_is_a_failure(typed: Path, fake_program: Put) -> None:
    """The page is a failure, not a crash, when Poppler finds no pages in the file."""
    fake_program("pdfinfo", "echo 'Syntax Error: no trailer' >&2; exit 1")
    found = draw(typed)
    assert isinstance(found, PopplerFailure)
    assert found.kind == "damaged"


def test_the_failure_becomes_a_sentence(typed: Path, settings: Settings, fake_program: Put) -> None:
    """What Poppler could not draw is told with what to do."""
    fake_program("pdftoppm", VERSION + "exit 3")
    with pytest.raises(InputError, match=r"could not be drawn .*; save the PDF afresh$"):
        sources.load_page(typed, PDF, 1, settings)


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 30", "echo '<html'", "printf '\\377'"])
def test_words_that_cannot_be_got_out_are_read_from_the_picture(
    typed: Path, settings: Settings, fake_program: Put, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When pdftotext fails, a born-digital page is not filed without words."""
    fake_program("pdftotext", script)
    monkeypatch.setattr(poppler, "words", _hasty(poppler.words))
    found = sources.load_page(typed, PDF, 1, settings)
    assert found.lines is None
    assert (found.image < 128).any()


def _hasty(words: Callable[..., object]) -> Callable[..., object]:
    return lambda path, number, dpi, timeout_s: words(path, number, dpi, 1)


def test_words_have_places(typed: Path) -> None:
    """Words come with boxes in pixels of the drawing."""
    found = poppler.words(typed, 1, 72, 20)
    assert not isinstance(found, PopplerFailure)
    assert [line.text for line in found] == ["Alder Falls, May"]
    assert found[0].words[0].box.left == 10


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<line><word xMin='1' yMin='2' xMax='3' yMax='4'>A &amp; B</word></line>", ["A & B"]),
        ("<line><word xMin='1' yMin='2' xMax='3' yMax='4'> </word></line>", []),
        ("<line><word xMin='1' yMin='2' xMax='3' yMax='4'>a\x00\x0bb\ufffe</word></line>", ["ab"]),
        ("", []),
    ],
)
def test_its_table_is_read(body: str, texts: list[str]) -> None:
    """Entities, empty words and characters that XML forbids do no harm."""
    page = f'<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml">{body}</html>'
    found = poppler.parse_bbox(page, 2.0)
    assert not isinstance(found, PopplerFailure)
    assert [line.text for line in found] == texts
    for line in found:
        assert line.words[0].box == Box(2, 4, 6, 8)


@pytest.mark.parametrize("text", ["", "rubbish", "<html", "<html><line></html>"])
def test_a_table_that_is_none_is_a_failure(text: str) -> None:
    """What cannot be parsed is a value that says so, and no exception."""
    found = poppler.parse_bbox(text, 1.0)
    assert isinstance(found, PopplerFailure)


def test_entities_are_not_expanded() -> None:
    """A document type in the text defines nothing, so nothing grows without end."""
    page = '<!DOCTYPE html [<!ENTITY a "aaaaaaaa">]><html xmlns="http://www.w3.org/1999/xhtml">'
    found = poppler.parse_bbox(page + "<line><word>&a;</word></line></html>", 1.0)
    assert isinstance(found, PopplerFailure)


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Poppler the start says which package to install."""
    poppler.check_installed()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissingError, match="install the package poppler-utils"):
        poppler.check_installed()
