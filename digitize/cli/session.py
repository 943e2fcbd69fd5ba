"""What every command starts from: the settings, the installation, the person at the keyboard."""

from __future__ import annotations

import os
import pwd
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from digitize import poppler
from digitize.installation import Installation, open_installation
from ocr import ppocr, tesseract
from records.access import Viewer
from records.settings import Settings, load

_LARGEST = 2**63 - 1  # what SQLite keeps in an integer


class RecordNumber(click.types.IntParamType):
    """A record's number, as far as the store can hold one; help shows no range for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raises a usage error for what is none."""
        number: int = super().convert(value, param, ctx)
        if number > _LARGEST:
            self.fail(f"{number} is too large; give the number of a record.", param, ctx)
        return number


class Session:
    """Opens what a command asks for, once."""

    def __init__(self, config: Path) -> None:
        self.config = config

    @cached_property
    def settings(self) -> Settings:
        """The checked settings."""
        return load(self.config)

    @cached_property
    def installation(self) -> Installation:
        """The opened archive."""
        return open_installation(self.settings)

    @cached_property
    def actor(self) -> str:
        """Who is at the keyboard, for the audit."""
        user = os.getuid()
        try:
            name = pwd.getpwuid(user).pw_name  # and not LOGNAME, which anyone can set
        except KeyError:
            name = str(user)
        called = os.environ.get("SUDO_USER")
        return f"cli:{name} (sudo from {called})" if called and not user else f"cli:{name}"

    @property
    def viewer(self) -> Viewer:
        """The person at the server's own keyboard may see all."""
        return self.installation.store.system_viewer(self.actor)

    def check_programs(self) -> None:
        """Raise ProgramMissingError unless all that reading needs is installed."""
        tesseract.check_languages(self.settings.read.languages)
        if self.settings.read.mode != "tesseract" and ppocr.knows(self.settings.read.languages):
            ppocr.check_installed()
        poppler.check_installed()

    def workers(self, given: int | None) -> int:
        """Return how many reading processes to use."""
        return given or self.settings.intake.workers or os.cpu_count() or 1


pass_session = click.make_pass_decorator(Session)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
