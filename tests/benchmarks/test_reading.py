"""benchmarks.reading and benchmarks.peers: readers in processes of their own, and their figures."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import peers, reading, truth
from benchmarks.peers import Job
from benchmarks.reading import PageScore, Run

# Reads each page as its own name; ends on the page 'bad'.
READER = """
import sys
sys.path.insert(0, {root!r})
from benchmarks import peers
def read(job):
    print("chatter that is no answer")
    if job.name == "bad":
        raise SystemExit("it broke")
    return [(job.name, (1, 2, 3, 4))]
peers.serve(lambda: read)
"""
SCORE = PageScore("a", 1, 2, 4, None, None, 2.0, 3.0, False)
RUN = Run("funsd", "tesseract", "", 0.1, 0.1, 50.0, True, (SCORE,))


def pages(*names: str) -> list[truth.LabelledPage]:
    words = [(truth.TrueWord(name, None),) for name in names]
    return [
        truth.LabelledPage("funsd", name, Path("a.png"), 1, known, (name,), True, (), False)
        for name, known in zip(names, words, strict=True)
    ]


def run(monkeypatch: pytest.MonkeyPatch, code: str, *names: str) -> Run:
    command = [sys.executable, "-c", code.format(root=str(reading.ROOT))]
    monkeypatch.setattr(reading, "_command", lambda *_: command)
    jobs = [Job(name, "a.png", 1, 300) for name in ("warm-up", *names)]
    return reading.run_reader("fake", pages(*names), jobs, sys.executable)


def test_a_reader_is_measured_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words, time and memory come back; the page that warms it up is not counted."""
    done = run(monkeypatch, READER, "dear", "sir")
    assert done.counts == truth.Counts(2, 2, 2)
    assert done.cer == 0
    assert [page.name for page in done.pages] == ["dear", "sir"]
    assert done.start_wall > 0
    assert done.boxes


def test_a_page_that_ends_a_reader_is_the_only_one_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as read with no words, and the others go on in a fresh process."""
    done = run(monkeypatch, READER, "dear", "bad", "sir")
    assert [page.failed for page in done.pages] == [False, True, False]
    assert done.counts == truth.Counts(2, 2, 3)


def test_a_reader_that_does_not_start_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its pages count as failed."""
    done = run(monkeypatch, "raise SystemExit('no')", "dear", "sir")
    assert all(page.failed for page in done.pages)


def test_a_reader_that_is_not_installed_has_a_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table says so, and gives no figure."""
    code = READER.replace("lambda: read", "missing").replace(
        "def read(job)",
        "def missing():\n    raise peers.NotInstalledError('x is not installed')\ndef read(job)",
    )
    reading.print_set([run(monkeypatch, code, "dear")])
    assert "x is not installed" in capsys.readouterr().out


def test_our_reader_reads_a_sample(tmp_path: Path) -> None:
    """The whole way from file to words, boxes in pixels of the original."""
    sample = reading.ROOT / "scans" / "samples" / "Hollis burial card.png"
    words = reading.our_reader("tesseract", tmp_path)(Job("card", str(sample), 1, 0))
    assert "burial" in {word.lower() for word, _ in words}
    with Image.open(sample) as opened:
        assert all(box and box[2] <= opened.width and box[3] <= opened.height for _, box in words)


def test_ratios_are_to_the_peer_in_the_same_table() -> None:
    """Ours over theirs, and nothing without them."""
    ours = replace(RUN, reader="ours:both", pages=(replace(SCORE, cpu=5.0),))
    assert reading._ratio([ours, RUN], ours, "tesseract", "cpu") == "2.50"
    assert reading._ratio([ours, RUN], ours, "ppocr", "cpu") == "-"


def test_well_read_forms_have_a_ratio_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Of forms it is printed what the second reader costs where it is not needed."""
    well, badly = replace(SCORE, name="well", right=4), replace(SCORE, name="badly")
    plain = replace(RUN, set="fara", pages=(well, badly))
    ours = replace(plain, reader="ours:both", pages=(replace(well, cpu=2.4), replace(badly, cpu=9)))
    reading.print_set([ours, plain])
    said = capsys.readouterr().out.splitlines()[-2:]
    assert said[0].startswith("the 1 of these pages")
    assert said[1].split() == ["ours:both", "1.20"]


def test_seconds_leave_failed_pages_out() -> None:
    """A page that fails at once makes no reader fast."""
    both = replace(RUN, pages=(SCORE, replace(SCORE, cpu=0.0, wall=0.0, failed=True)))
    assert (both.cpu, both.wall) == (2.0, 3.0)


def test_lines_are_parted_into_words_with_boxes() -> None:
    """PP-OCR gives lines; each word gets its share of the line."""
    corners = [[10.0, 5.0], [110.0, 5.0], [110.0, 25.0], [10.0, 25.0]]
    parted = list(peers.words_of_line("Dear  Sir", corners))
    assert parted == [("Dear", (10, 5, 54, 25)), ("Sir", (77, 5, 110, 25))]


def test_pages_become_a_pdf_a_page_each(tmp_path: Path) -> None:
    """Bitonal and grey ones side by side."""
    made = []
    for name, mode in (("a", "1"), ("b", "L")):
        path = tmp_path / f"{name}.png"
        Image.new(mode, (200, 100), 1).save(path)
        made.append(replace(pages(name)[0], image=path))
    settings = reading.configuration.load(reading.ROOT / "config.toml")
    reading.make_pdf(made, tmp_path / "all.pdf", settings)
    assert reading.sources.count_pages(tmp_path / "all.pdf", "application/pdf", settings) == 2


def test_transparent_parts_of_a_page_are_white() -> None:
    """Peers would refuse them or see black."""
    stream = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(stream, "PNG")
    flat = reading._flat(Image.open(stream))
    assert flat.getpixel((0, 0)) == (255, 255, 255)
