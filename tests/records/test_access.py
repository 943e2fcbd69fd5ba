"""One function decides who may do what: the whole matrix, written out by hand."""

from __future__ import annotations

import pytest

from records.access import Action, Viewer, departments_for, may, require, system
from records.errors import NotAllowedError
from records.model import Department, Role

OWN, SHARED, OTHER, UNKNOWN = "building", "clerk", "police", "parks"
SEE_EXPORT = {Action.SEE, Action.EXPORT}
WORK = SEE_EXPORT | {Action.ADD, Action.CORRECT}
SENIOR = WORK | {Action.SETTLE}
ALL = SENIOR | {Action.ADMINISTER}
# What a role may do in: its own department, a shared one, another's, one that is not there.
MATRIX = {
    Role.VIEWER: (SEE_EXPORT, SEE_EXPORT, set(), set()),
    Role.CLERK: (WORK, SEE_EXPORT, set(), set()),
    Role.VERIFIER: (SENIOR, SEE_EXPORT, set(), set()),
    Role.RECORDS_OFFICER: (SENIOR, SENIOR, SENIOR, set()),
    Role.ADMINISTRATOR: (ALL, ALL, ALL, set()),
}


def viewer(role: Role) -> Viewer:
    """Return a person of one department, in a city of three."""
    return Viewer(
        "vera", role, frozenset({OWN}), frozenset({SHARED}), frozenset({OWN, SHARED, OTHER})
    )


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("place", range(4))
def test_the_matrix(role: Role, action: Action, place: int) -> None:
    """Each role may do in each kind of department just what the matrix above says."""
    department = (OWN, SHARED, OTHER, UNKNOWN)[place]
    assert may(viewer(role), action, department) is (action in MATRIX[role][place])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_the_departments_are_those_where_one_may(role: Role, action: Action) -> None:
    """The list that searches are cut to follows from the same decision."""
    person = viewer(role)
    assert departments_for(person, action) == {d for d in person.all if may(person, action, d)}


def test_a_refusal_says_what_and_where() -> None:
    """A refused person reads what was refused and whom to ask."""
    with pytest.raises(NotAllowedError) as caught:
        require(viewer(Role.VIEWER), Action.CORRECT, OWN)
    assert str(caught.value) == (
        "vera may not correct records of the department 'building'; "
        "ask an administrator for the right to."
    )


def test_the_servers_own_keyboard_may_do_everything() -> None:
    """Whoever has the command line has the files as well."""
    person = system("cli:root", [Department(OWN, "", False), Department(OTHER, "", False)])
    assert all(may(person, action, d) for action in Action for d in (OWN, OTHER))


def test_someone_without_departments_sees_the_shared_ones_alone() -> None:
    """A new account shows nothing that its owner was not given."""
    person = Viewer("new", Role.CLERK, frozenset(), frozenset({SHARED}), frozenset({OWN, SHARED}))
    assert departments_for(person, Action.SEE) == {SHARED}
    assert departments_for(person, Action.ADD) == frozenset()
