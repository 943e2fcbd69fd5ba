"""Who may do what: one function decides, and every read path asks it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from records.errors import NotAllowedError
from records.model import Department, Role


class Action(StrEnum):
    """What a person can do to a department's records."""

    SEE = "see"
    ADD = "add"
    CORRECT = "correct"
    SETTLE = "settle"  # what others could not tell
    EXPORT = "export"
    ADMINISTER = "administer"


_EVERYWHERE = frozenset({Role.RECORDS_OFFICER, Role.ADMINISTRATOR})
_SEE = frozenset({Action.SEE, Action.EXPORT})
_WORK = _SEE | {Action.ADD, Action.CORRECT}
_MAY = {
    Role.VIEWER: _SEE,
    Role.CLERK: _WORK,
    Role.VERIFIER: _WORK | {Action.SETTLE},
    Role.RECORDS_OFFICER: _WORK | {Action.SETTLE},
    Role.ADMINISTRATOR: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person as access rules see them.

    ``own`` are the departments the person belongs to, ``shared`` those open to all staff and
    ``all`` every department there is.
    """

    name: str
    role: Role
    own: frozenset[str]
    shared: frozenset[str]
    all: frozenset[str]


def system(name: str, departments: Iterable[Department]) -> Viewer:
    """Return the viewer for someone at the server's own command line: they may do everything."""
    names = frozenset(d.name for d in departments)
    return Viewer(name, Role.ADMINISTRATOR, names, frozenset(), names)


def may(viewer: Viewer, action: Action, department: str) -> bool:
    """Say whether this person may do this to records of this department.

    Shared departments can be seen and exported by all; anything else needs to be one's own
    department. Records officers and administrators work in all departments.
    """
    if department not in viewer.all or action not in _MAY[viewer.role]:
        return False
    if viewer.role in _EVERYWHERE or department in viewer.own:
        return True
    return department in viewer.shared and action in (Action.SEE, Action.EXPORT)


def departments_for(viewer: Viewer, action: Action) -> frozenset[str]:
    """Return the departments in which this person may do this."""
    return frozenset(d for d in viewer.all if may(viewer, action, d))


def require(viewer: Viewer, action: Action, department: str) -> None:
    """Raise NotAllowedError unless this person may do this here."""
    if not may(viewer, action, department):
        raise NotAllowedError(
            f"{viewer.name} may not {action.value} records of the department "
            f"'{department}'; ask an administrator for the right to."
        )
