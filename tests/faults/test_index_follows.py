"""The index follows the store, whoever writes to it, and no rebuild undoes a correction."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.house import ROOT, House, until
from webui.server import Follower

CARD = ROOT / "scans" / "samples" / "Hollis burial card.png"


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a house with one burial card, really read."""
    house = House(tmp_path_factory.mktemp("filed") / "house")
    assert house.run("import", CARD, "--workers", 1).code == 0
    return house


def test_a_correction_by_another_process_is_found_within_two_seconds(filed: House) -> None:
    """A running site finds what another process has corrected, two seconds after it was written."""
    with filed.opened() as installation:
        viewer = installation.store.system_viewer("test")
        follower = Follower(installation)
        follower.start()
        try:
            # The command brings the index up to date itself; here it must be the site that does.
            alone = "from search.finder import Finder\nFinder.sync = lambda *_, **__: 0"
            ran = filed.run("correct", 1, "place_of_birth", "Quillhaven", before=alone)
            assert ran.code == 0, ran.err
            began = time.monotonic()
            find = installation.finder.search
            assert until(
                lambda: find("quillhaven", viewer).total and not find("quillhaven", viewer).near, 5
            )
            assert time.monotonic() - began < 2
        finally:
            follower.stop()


def test_a_search_command_finds_what_was_just_written(filed: House) -> None:
    """``search`` brings the index up to date before it looks."""
    alone = "from search.finder import Finder\nFinder.sync = lambda *_, **__: 0"
    assert filed.run("correct", 1, "place_of_birth", "Thistlewick", before=alone).code == 0
    found = filed.run("search", "place_of_birth:thistlewick", "--json").json
    assert [hit["record"] for hit in found["hits"]] == [1]


@pytest.mark.parametrize("lost", [False, True])
def test_corrections_survive_a_reindex(filed: House, lost: bool) -> None:
    """What a person has said is in the database: a new index has it, whatever became of the old."""
    assert filed.run("correct", 1, "place_of_birth", "Marrowby").code == 0
    if lost:
        for path in sorted((filed.archive / "index").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    assert filed.run("reindex").out == "1 record(s) are in the new index.\n"
    assert filed.run("search", "marrowby", "--json").json["total"] == 1
    shown = filed.run("show", 1, "--fields", "--json").json["place_of_birth"]
    assert (shown["value"], shown["status"]) == ("Marrowby", "corrected")


def test_corrections_survive_a_new_reading(filed: House, tmp_path: Path) -> None:
    """A page that is read again, with other settings or after a loss, keeps the correction."""
    assert filed.run("correct", 1, "place_of_birth", "Ravensholt").code == 0
    [(image,)] = filed.rows("SELECT image FROM pages")
    (filed.archive / "pages" / image[:2] / f"{image}.png").unlink()
    assert filed.run("check").code == 6
    assert filed.run("repair", "--yes").code == 0
    assert filed.run("import", CARD, "--workers", 1).code == 0
    assert (
        filed.run("show", 1, "--fields", "--json").json["place_of_birth"]["value"] == "Ravensholt"
    )
    assert filed.problems() == []
