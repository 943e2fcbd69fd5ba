"""An archive with a few really read records, and the command line called in this process."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from digitize import cli
from digitize.cli.session import Session
from tests.faults import engines
from tests.faults.house import ROOT, House, Ran

SAMPLES = ROOT / "scans" / "samples"
# A dog licence, a burial card and born-digital minutes.
SCANS = ("scan0012.bmp", "Hollis burial card.png", "Council Minutes 2021-05-11.pdf")
Call = Callable[..., Ran]


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Ran]:
    """Return an archive with the scans, and how their import went. Tests do not change it."""
    house = House(tmp_path_factory.mktemp("cli") / "house")
    scans = [SAMPLES / name for name in SCANS]
    return house, house.run("import", *scans, "--json", "--batch", "a drawer", timeout=120)


@pytest.fixture(scope="session")
def filed(imported: tuple[House, Ran]) -> House:
    """Return the archive with the scans. Tests do not change it."""
    return imported[0]


@pytest.fixture
def own(filed: House, tmp_path: Path) -> House:
    """Return a copy of the archive with the scans, for tests that change it."""
    shutil.copytree(filed.folder, tmp_path / "own")
    return House(tmp_path / "own")


@pytest.fixture
def empty(tmp_path: Path) -> House:
    """Return a new archive whose reading engine takes no time."""
    house = House(tmp_path / "empty")
    house.engine(engines.FAST)
    return house


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that calls ``digitize`` on a house, in this process."""

    def run(house: House, *arguments: object) -> Ran:
        opened: list[Session] = []

        class Closing(Session):
            def __init__(self, config: Path) -> None:
                super().__init__(config)
                opened.append(self)

        monkeypatch.setattr(cli, "Session", Closing)
        monkeypatch.setenv("DIGITIZE_CONFIG", str(house.config))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main([str(a) for a in arguments])
        for session in opened:
            if "installation" in vars(session):
                session.installation.store.close()
        return Ran(code, out.getvalue(), err.getvalue())

    return run


def record(house: House, form: str | None) -> int:
    """Return the id of the record of this form."""
    [(found,)] = house.rows("SELECT id FROM documents WHERE form IS ?", form)
    return int(found)
