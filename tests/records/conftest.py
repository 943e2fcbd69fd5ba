"""A room of one's own for each test of what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.records.making import Room, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """An empty archive with its database."""
    made = open_room(tmp_path)
    yield made
    made.store.close()
