"""Houses for the tests of faults, and a sentence's shape."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import engines
from tests.faults.house import House, until

# A shell's background job ignores Ctrl-C, and so would the commands that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return an installation with a reading engine that takes no time; all must end with it."""
    made = House(tmp_path / "house")
    made.engine(engines.FAST)
    yield made
    assert until(lambda: not made.processes(), 3), "processes were left behind"
