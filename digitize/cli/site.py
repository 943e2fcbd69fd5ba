"""Commands about the site: its people, and serving it."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
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
_READER_ENDS_S = 60
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
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
    reader = _Reader(session.settings.path)
    signal.signal(signal.SIGTERM, _end)  # from now on, and not only once the site answers

    def ready(url: str) -> None:
        reader.start()
        click.echo(f"The site is at {url}")
        if password:
            click.echo(f"First sign-in: {FIRST_NAME} / {password}  (change it on the site)")
        click.echo("Ctrl-C stops.")

    try:
        serve_site(installation, ready)
    finally:
        reader.stop()


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


class _Reader:
    """The process that reads what comes in, started anew when it dies.

    The site itself never parses a file.
    """

    def __init__(self, config: Path) -> None:
        self._command = [sys.executable, "-m", "digitize", "--config", str(config), "watch"]
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._minder = threading.Thread(target=self._mind, name="reader's minder", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._start()
        self._minder.start()

    def stop(self) -> None:
        """Let the page that is being read be finished, but do not wait for ever."""
        self._ending.set()
        if self._minder.ident is not None:
            self._minder.join()
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=_READER_ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its reading processes see that, and end
            self._process.wait()

    def _start(self) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def _mind(self) -> None:
        """Look now and then whether the process lives; say once that it did not."""
        pause, said = _SHORTEST_PAUSE_S, False
        while not self._ending.wait(pause):
            if self._process is not None and self._process.poll() is None:
                if time.monotonic() - self._began > 2 * _LONGEST_PAUSE_S:
                    pause, said = _SHORTEST_PAUSE_S, False
                continue
            if not said:
                click.echo(
                    "digitize: The process that reads new files has ended; "
                    "it is started again, and again if need be.", err=True,
                )  # fmt: skip
                said = True
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            with suppress(OSError):  # no memory for one more process, say: the next time
                self._start()


COMMANDS = (users, serve)
