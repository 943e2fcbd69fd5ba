"""Accounts, sessions that can be ended, and failed sign-ins that are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from records import people
from records.errors import InputError, NotFoundError
from records.model import Role
from records.store import Store
from tests.records.making import DEPARTMENTS

NOW = 1_700_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records.db", DEPARTMENTS)


@pytest.fixture
def carl(store: Store) -> people.Person:
    return people.add(store, "cli", "Carl", Role.CLERK, "hash", ["building"])


def test_an_account_is_what_was_asked_for(store: Store, carl: people.Person) -> None:
    """A new account has its role and departments, and its making is in the audit."""
    assert (carl.role, carl.departments, carl.disabled) == (Role.CLERK, {"building"}, False)
    assert people.by_name(store, "carl") == people.by_id(store, carl.id) == carl
    assert people.everyone(store) == [carl]
    assert [row.action for row in store.audit_rows()][-1:] == ["person added"]


def test_the_password_is_in_no_audit_row(store: Store, carl: people.Person) -> None:
    """The audit says that a password was changed, and nothing of the password."""
    people.set_password(store, "cli", carl, "$argon2id$secret")
    assert people.by_name(store, "carl").password_hash == "$argon2id$secret"
    assert not any("secret" in str(row) for row in store.audit_rows())


def test_a_name_is_taken_once_whatever_its_case(store: Store, carl: people.Person) -> None:
    """Nobody can be taken for another by a capital letter; a refused account leaves nothing."""
    before = store.counts()["audit"]
    with pytest.raises(InputError, match="choose another name"):
        people.add(store, "cli", "CARL", Role.ADMINISTRATOR, "hash")
    assert people.everyone(store) == [carl]
    assert store.counts()["audit"] == before


def test_an_unknown_department_is_named(store: Store) -> None:
    """A department that is none is refused with those that there are."""
    with pytest.raises(InputError, match="no department 'parks'; use one of: building, clerk"):
        people.add(store, "cli", "carl", Role.CLERK, "hash", ["parks"])
    with pytest.raises(NotFoundError):
        people.by_name(store, "carl")


def test_a_person_sees_as_the_rules_say(store: Store, carl: people.Person) -> None:
    """What access rules are asked with follows from account and departments."""
    viewer = people.viewer(store, carl)
    assert (viewer.own, viewer.shared) == ({"building"}, {"clerk"})
    assert viewer.all == {"building", "clerk"}


def test_a_session_lives_until_it_expires(store: Store, carl: people.Person) -> None:
    """A session gives back what it holds, and nothing from its last second on."""
    people.save_session(store, "token", {"csrf": "x"}, carl.id, NOW + 10)
    assert people.load_session(store, "token", NOW) == {"csrf": "x"}
    assert people.load_session(store, "token", NOW + 10) is None
    assert people.load_session(store, "other", NOW) is None


def test_a_copy_of_the_database_opens_no_session(store: Store, carl: people.Person) -> None:
    """The token itself is nowhere in the database's files."""
    people.save_session(store, "very-secret-token", {}, carl.id, NOW)
    files = store.path.parent.glob("records.db*")
    assert not any(b"very-secret-token" in path.read_bytes() for path in files)


def test_saving_a_session_again_replaces_it(store: Store, carl: people.Person) -> None:
    """A session is prolonged in place."""
    people.save_session(store, "token", {"n": 1}, None, NOW + 10)
    people.save_session(store, "token", {"n": 2}, carl.id, NOW + 20)
    assert people.load_session(store, "token", NOW + 15) == {"n": 2}
    assert store.db.table("sessions").count == 1


def test_ending_a_session_sweeps_the_dead_ones(store: Store, carl: people.Person) -> None:
    """Signing out ends this session and clears those that have expired, no others."""
    for token, until in (("mine", 99), ("old", -1), ("theirs", 99)):
        people.save_session(store, token, {}, carl.id, NOW + until)
    people.end_session(store, "mine", NOW)
    assert people.load_session(store, "theirs", NOW) == {}
    assert store.db.table("sessions").count == 1


@pytest.mark.parametrize("end", ["password", "disabled"])
def test_a_changed_account_is_signed_out_everywhere(
    store: Store, carl: people.Person, end: str
) -> None:
    """A new password, or a closed account, ends every session of that person and of no other."""
    other = people.add(store, "cli", "dora", Role.CLERK, "hash")
    for token, person in (("one", carl), ("two", carl), ("hers", other)):
        people.save_session(store, token, {}, person.id, NOW + 99)
    if end == "password":
        people.set_password(store, "cli", carl, "new")
    else:
        people.set_disabled(store, "cli", carl, True)
        assert people.by_name(store, "carl").disabled
    alive = [t for t in ("one", "two", "hers") if people.load_session(store, t, NOW) is not None]
    assert alive == ["hers"]


def test_failed_sign_ins_are_counted_by_name_and_address(store: Store) -> None:
    """Guessing many passwords of one name, or many names from one place, is seen by all workers."""
    for name, address in (("carl", "10.0.0.1"), ("CARL", "10.0.0.2"), ("dora", "10.0.0.1")):
        people.note_failed_sign_in(store, name, address, NOW)
    other_worker = Store(store.path)
    assert people.failed_sign_ins(other_worker, "Carl", "10.0.0.1", NOW - 1) == (2, 2)
    assert people.failed_sign_ins(other_worker, "carl", "10.0.0.1", NOW + 1) == (0, 0)
    people.forget_failed_sign_ins(store, "carl")
    assert people.failed_sign_ins(store, "carl", "10.0.0.1", NOW - 1) == (0, 1)


def test_failed_sign_ins_do_not_grow_for_ever(store: Store) -> None:
    """Those of yesterday are forgotten, and a name of a megabyte is not kept whole."""
    people.note_failed_sign_in(store, "x" * 1_000_000, "10.0.0.1", NOW)
    longest = store.db.execute("SELECT max(length(name)) FROM failed_sign_ins").fetchone()[0]
    assert longest == 200
    assert people.failed_sign_ins(store, "x" * 1_000_000, "", NOW - 1) == (1, 0)
    people.note_failed_sign_in(store, "carl", "10.0.0.1", NOW + 90_000)
    assert store.db.table("failed_sign_ins").count == 1
