"""The settings in force, for administrators to read: each with what it does."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from records.access import Action, departments_for
from records.errors import NotAllowedError
from records.setting_words import SENTENCES
from records.settings import SECTIONS, Settings
from webui.context import installation, viewer

blueprint = Blueprint("settings", __name__)

SECRET = ("password", "secret", "token", "credential", "api_key")  # names of what is not shown


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting; ``default`` only where the value in force is another."""

    name: str
    value: str
    default: str | None
    says: str


@blueprint.get("/settings")
def show() -> ResponseReturnValue:
    """Show every setting with its value, to those who administer."""
    if not departments_for(viewer(), Action.ADMINISTER):
        raise NotAllowedError(f"{viewer().name} may not see the settings; ask an administrator.")
    settings = installation().settings
    sections = {name: shown(settings, name) for name in SECTIONS}
    return render_template("settings.html", settings=settings, sections=sections)


def shown(settings: Settings, section: str) -> Sequence[Shown]:
    """Return the settings of a section, in the order of the papers."""
    made = []
    for spec in dataclasses.fields(SECTIONS[section]):
        value, default = getattr(getattr(settings, section), spec.name), spec.default
        if isinstance(default, Path):
            default = settings.path.parent / default
        said = None if value == default else _written(spec.name, default)
        made.append(
            Shown(spec.name, _written(spec.name, value), said, SENTENCES[section][spec.name])
        )
    return made


def _written(name: str, value: object) -> str:
    """Write a value as the file has it; of a secret only whether there is one."""
    if any(word in name for word in SECRET):
        return "set" if value else "not set"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
