"""Commands about the site: its people, and serving it."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from pathlib import Path

import click

from digitize.cli.printing import say_json, table
from digitize.cli.session import Session, json_option, pass_session
from digitize.installation import Installation
from records import people
from records.errors import NotFoundError
from records.model import Role
from webui.passwords import check_new_password, check_password, hash_password
from webui.server import serve as serve_site

FIRST_NAME = "admin"
_WORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@click.group()
def users() -> None:
    """The people who may sign in."""


@users.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice([str(r) for r in Role]), required=True, help="What they may do."
)
@click.option("--department", "departments", multiple=True, help="May be given several times.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@pass_session
def add_user(
    session: Session, name: str, role: str, departments: tuple[str, ...], password_stdin: bool
) -> None:
    """Add a person; prints a password unless you give one."""
    given = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    if password_stdin:
        check_new_password(given, name)
    password = given or new_password()
    store = session.installation.store
    people.add(store, session.actor, name, Role(role), hash_password(password), departments)
    click.echo(f"{name} may sign in as {role}.")
    if not given:
        click.echo(f"Password: {password}")


@users.command("password")
@click.argument("name")
@pass_session
def reset_password(session: Session, name: str) -> None:
    """Give a person a new password, and end their sessions."""
    store = session.installation.store
    person = people.by_name(store, name)
    password = new_password()
    people.set_password(store, session.actor, person, hash_password(password))
    click.echo(f"{person.name} has a new password: {password}")


@users.command("disable")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the person sign in again.")
@pass_session
def disable_user(session: Session, name: str, undo: bool) -> None:
    """Close a person's account, and end their sessions."""
    store = session.installation.store
    person = people.by_name(store, name)
    people.set_disabled(store, session.actor, person, not undo)
    click.echo(f"{person.name} may {'sign in again' if undo else 'no longer sign in'}.")


@users.command("list")
@json_option
@pass_session
def list_users(session: Session, as_json: bool) -> None:
    """List the people who may sign in."""
    found = people.everyone(session.installation.store)
    rows = [
        (p.name, str(p.role), ", ".join(sorted(p.departments)), "yes" if p.disabled else "no")
        for p in found
    ]
    headers = ("name", "role", "departments", "disabled")
    if as_json:
        say_json([dict(zip(headers, row, strict=True)) for row in rows])
    else:
        table(rows, headers)


def new_password() -> str:
    """Return a new password that can be read out over a telephone: about 74 bits."""
    return "-".join("".join(secrets.choice(_WORD_LETTERS) for _ in range(5)) for _ in range(3))


def first_sign_in(installation: Installation, actor: str) -> str | None:
    """Make the first account when there is none; return its password while it still holds.

    It lies in the archive, readable by its owner only, until someone changes it.
    """
    note = installation.archive.folder / "first-sign-in.txt"
    if not people.everyone(installation.store):
        password = new_password()
        note.touch(mode=0o600)
        note.write_text(password + "\n")
        people.add(
            installation.store, actor, FIRST_NAME, Role.ADMINISTRATOR, hash_password(password)
        )
        return password
    if not note.exists():
        return None
    try:
        first = people.by_name(installation.store, FIRST_NAME)
    except NotFoundError:
        return None
    password = note.read_text().strip()
    if check_password(first.password_hash, password):
        return password
    note.unlink()
    return None


@click.command()
@pass_session
def serve(session: Session) -> None:
    """Serve the site, and read what is uploaded or put into the inbox."""
    session.check_programs()
    installation = session.installation
    password = first_sign_in(installation, session.actor)
    reader = _start_reader(session.settings.path)

    def ready(url: str) -> None:
        click.echo(f"The site is at {url}")
        if password:
            click.echo(f"First sign-in: {FIRST_NAME} / {password}  (change it on the site)")
        click.echo("Ctrl-C stops.")

    try:
        serve_site(installation, ready)
    finally:
        reader.send_signal(signal.SIGTERM)
        reader.wait(timeout=60)


def _start_reader(config: Path) -> subprocess.Popen[bytes]:
    """Start the process that reads what comes in: the site itself never parses a file."""
    command = [sys.executable, "-m", "digitize", "--config", str(config), "watch"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


COMMANDS = (users, serve)
