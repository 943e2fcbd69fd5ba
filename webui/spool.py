"""Uploads are spooled inside the archive's own disk, never in the system's small /tmp."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, cast

from flask import Flask, Request

from records.archive import Archive
from records.errors import BusyError
from webui.context import installation

LEFT_OVER_S = 86_400.0  # a spooled file that is older was left by a server that died


def folder(archive: Archive) -> Path:
    """Return the folder of uploads on their way into the archive."""
    return archive.work / "uploads"


class SpoolingRequest(Request):
    """A request whose uploaded files are named files in the spool; they go when it ends."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        place = folder(installation().archive)
        return cast(IO[bytes], NamedTemporaryFile("w+b", dir=place, suffix=".upload"))


def nameless(archive: Archive) -> IO[bytes]:
    """Return a new file in the spool that has no name, and is gone when it is closed."""
    return cast(IO[bytes], TemporaryFile("w+b", dir=folder(archive)))


@contextmanager
def alone(archive: Archive) -> Iterator[None]:
    """Let one PDF of many records be made at a time, by all processes together.

    Each is held in memory. Raises BusyError while another is made.
    """
    place = os.open(folder(archive), os.O_RDONLY)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = "Another list is being made into a PDF; try again in a minute."
            raise BusyError(said) from None
        yield
    finally:
        os.close(place)


def register(app: Flask, archive: Archive) -> None:
    """Make the spool, and clear it of what dead servers left."""
    app.request_class = SpoolingRequest
    place = folder(archive)
    place.mkdir(parents=True, exist_ok=True)
    oldest = time.time() - LEFT_OVER_S
    for file in place.glob("*.upload"):
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
