"""An installation with a few records, and people of every role, for the tests of the site."""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, sync_playwright

from digitize.installation import Installation, open_installation
from records import filing, people, settings
from records.filing import Accepted, Draft, Intake
from records.geometry import Box, untouched
from records.model import (
    Document,
    DocumentStatus,
    Field,
    FieldStatus,
    Line,
    PageFailure,
    PageKind,
    PageResult,
    Role,
    Word,
)
from webui import create_app
from webui.passwords import hash_password
from webui.server import Site as Server

from .browsing import ARGUMENTS, CHROMIUM, DESK, PASSWORD, opened, sign_in_at

_HASH = hash_password(PASSWORD)
PEOPLE = {
    "vera": (Role.VIEWER, ["building"]),
    "carl": (Role.CLERK, ["building"]),
    "vic": (Role.VERIFIER, ["building"]),
    "olga": (Role.RECORDS_OFFICER, []),
    "ada": (Role.ADMINISTRATOR, []),
    "outsider": (Role.CLERK, ["licensing"]),
}
SIZE = (850, 1100)


@dataclass(frozen=True)
class Site:
    """The app on a temporary archive, with the ids of its records."""

    app: Flask
    installation: Installation
    records: dict[str, int]

    def client(self, name: str | None = None) -> FlaskClient:
        """Return a browser, signed in as a person of ``PEOPLE`` when a name is given."""
        client = self.app.test_client()
        if name:
            assert sign_in(client, name).status_code == 303
        return client

    def document(self, key: str) -> Document:
        """Return a record as the database has it."""
        store = self.installation.store
        return store.document(self.records[key], store.system_viewer("test"))

    def field(self, key: str, name: str) -> Field:
        """Return a field as the database has it."""
        found = self.installation.store.fields(self.records[key])
        return next(f for f in found if f.name == name)


def csrf(client: FlaskClient, path: str) -> str:
    """Return the CSRF token of a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, f"{path} has no form"
    return found.group(1)


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, target: str = "/"):
    """Fill the sign-in form and send it."""
    token = csrf(client, "/sign-in")
    data = {"name": name, "password": password, "next": target, "csrf_token": token}
    return client.post("/sign-in", data=data)


def make_archive(folder: Path) -> dict[str, int]:
    """Make an archive with people and a few records; return the records' ids."""
    installation = open_installation(_settings(folder))
    for name, (role, departments) in PEOPLE.items():
        people.add(installation.store, "test", name, role, _HASH, departments)
    licence = replace(
        PERMIT, title="Dog licence 77", department="licensing", form="dog-licence", fields=()
    )
    minutes = replace(PERMIT, title="Council minutes", department="clerk", form=None, fields=())
    filed = DocumentStatus.FILED
    records = {
        "permit": file_record(installation, PERMIT),
        "licence": file_record(installation, licence, name="dogs.tif"),
        "minutes": file_record(installation, minutes, name="minutes.png", status=filed),
        "broken": fail_record(installation),
    }
    installation.finder.sync()
    installation.store.close()
    return records


def open_site(folder: Path, records: dict[str, int]) -> Site:
    """Open the site of an archive that ``make_archive`` made."""
    installation = open_installation(_settings(folder))
    return Site(create_app(installation, testing=True), installation, records)


def _settings(folder: Path) -> settings.Settings:
    raw = {
        "archive": {"folder": str(folder / "scans"), "free_mb": 1},
        "forms": {"folder": str(Path(__file__).parents[2] / "forms")},
        "web": {"upload_mb": 1},
        "department": [
            {"name": "clerk", "title": "City Clerk", "shared": True},
            {"name": "building", "title": "Building and Safety"},
            {"name": "licensing", "title": "Licensing"},
            {"name": "services", "title": "Resident Services"},
            {"name": "records", "title": "Vital Records"},
        ],
    }
    return settings.check(raw, folder / "config.toml")


@dataclass(frozen=True)
class Written:
    """What a record of these tests says."""

    title: str
    department: str
    form: str | None
    lines: tuple[str, ...]
    fields: tuple[tuple[str, str, str, FieldStatus], ...]  # name, label, value, status
    twice: frozenset[str] = frozenset()
    sampled: frozenset[str] = frozenset()


PERMIT = Written(
    title="114 Maple Street - O'Brien",
    department="building",
    form="building-permit",
    lines=(
        "BUILDING PERMIT APPLICATION",
        "Permit No. 2019-0412",
        "Date 03/14/2019",
        "Street address 114 Maple Street",
        "Owner Aloysius O'Brien",
        "Work wooden fence, six feet high",
        "along the northern boundary",
    ),
    fields=(
        ("permit_number", "PERMIT NO.", "2019-0412", FieldStatus.OK),
        ("application_date", "DATE OF APPLICATION", "2019-03-14", FieldStatus.OK),
        ("site_address", "STREET ADDRESS OF SITE", "114 Maple Street", FieldStatus.OK),
        ("owner_name", "OWNER", "Aloysius O'Brlen", FieldStatus.UNSURE),
    ),
)


def file_record(
    installation: Installation,
    written: Written,
    name: str = "permit.pdf",
    pages: int = 2,
    status: DocumentStatus = DocumentStatus.NEEDS_REVIEW,
    batch: str = "Drawer 1",
) -> int:
    """File one record of drawn pages, as an import would."""
    store, workspace = installation.store, installation.archive.work
    source = workspace / "source"
    source.write_bytes(f"%PDF-1.4 {name} {written.title}".encode())
    kept = installation.archive.take_in(source, workspace)
    intake = Intake("carl", batch, written.department, None, "")
    file = Accepted(kept.sha256, kept.size, name, "application/pdf")
    filing.accept(store, file, intake, "clerk", 3, lambda run: False)
    for number in range(1, pages + 1):
        lines = written.lines if number == 1 else ("Page two", "Conditions of the permit")
        page = draw_page(installation, number, lines)
        filing.save_page(store, "reader", kept.sha256, page, page.key)
    reasons = ("page 2 is hard to read",) if status is DocumentStatus.NEEDS_REVIEW else ()
    draft = Draft(
        pages=tuple(range(1, pages + 1)),
        form=written.form,
        department=written.department,
        title=written.title,
        date="2019-03-14",
        status=status,
        reasons=reasons,
        fields=tuple(_field(n, *spec) for n, spec in enumerate(written.fields)),
        twice=written.twice,
        sampled=written.sampled,
    )
    return filing.file_records(store, "reader", kept.sha256, [draft])[0]


def file_listed(site: Site) -> int:
    """File a permit with a doubtful field that is one of a list, and reads like one of it."""
    forms = site.installation.forms
    permit = forms["building-permit"]
    values = ("fence", "pool")
    listed = replace(permit.fields[0], name="work", kind="text", pattern=None, values=values)
    forms.clear()
    forms["building-permit"] = replace(permit, fields=(listed,))
    spec = ("work", "WORK", "fenoe", FieldStatus.UNSURE)
    return file_record(site.installation, replace(PERMIT, fields=(spec,)), "w.pdf")


def fail_record(installation: Installation) -> int:
    """Enter a file that could not be read."""
    store, workspace = installation.store, installation.archive.work
    source = workspace / "source"
    source.write_bytes(b"%PDF-1.4 locked")
    kept = installation.archive.take_in(source, workspace)
    intake = Intake("carl", "Drawer 1", "building", None, "")
    file = Accepted(kept.sha256, kept.size, "locked.pdf", "application/pdf")
    filing.accept(store, file, intake, "clerk", 3, lambda run: False)
    reason = "'locked.pdf' needs a password; save it without one and hand it in again."
    filing.fail_original(store, "reader", kept.sha256, PageFailure(0, "split", "encrypted", reason))
    found = store.documents(store.system_viewer("test"), sha256=kept.sha256)
    return found[0].id


def _field(place: int, name: str, label: str, value: str, status: FieldStatus) -> Field:
    doubtful = status is not FieldStatus.OK
    return Field(
        name=name,
        label=label,
        kind="date" if name.endswith("date") else "text",
        raw=value,
        value=value,
        confidence=0.52 if doubtful else 0.95,
        page=1,
        box=Box(60, 150 + 90 * place, 500, 182 + 90 * place),
        status=status,
        reasons=("unsure: the reading is not certain",) if doubtful else (),
        reader="tesseract",
        found_by="zone",
    )


def draw_page(installation: Installation, number: int, texts: tuple[str, ...]) -> PageResult:
    """Draw a page of text, keep its picture, and return it as if it had been read."""
    image = Image.new("L", SIZE, 250)
    pen = ImageDraw.Draw(image)
    font = ImageFont.truetype("DejaVuSansMono.ttf", 26)
    lines = []
    for row, text in enumerate(texts):
        left, top, words = 60, 60 + 90 * row, []
        for part in text.split():
            pen.text((left, top), part, fill=20, font=font)
            right = left + int(font.getlength(part))
            words.append(Word(part, Box(left, top, right, top + 32), 0.95))
            left = right + 16
        lines.append(Line(tuple(words)))
    pen.text((60, 1000), f"{number}", fill=120, font=font)
    png = io.BytesIO()
    image.save(png, "PNG")
    return PageResult(
        number=number,
        key="test",
        kind=PageKind.SCAN,
        image=installation.archive.keep_image(png.getvalue(), installation.archive.work),
        size=SIZE,
        dpi=100,
        geometry=untouched(*SIZE),
        steps=(),
        blank=False,
        lines=tuple(lines),
        confidence=0.95,
        form=None,
        form_page=0,
        template="",
        pairs=(),
        separator=False,
        fields=(),
        reader="tesseract",
        languages="eng",
        exit_code=0,
        seconds=0.1,
    )


@dataclass(frozen=True)
class Made:
    """An archive that is copied for each test: making one anew takes ten times as long."""

    folder: Path
    records: dict[str, int]

    def copy(self, folder: Path) -> Site:
        """Open the site of a copy."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return open_site(folder, self.records)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The archive that tests begin with."""
    folder = tmp_path_factory.mktemp("made")
    return Made(folder, make_archive(folder))


@pytest.fixture
def site(tmp_path: Path, made: Made) -> Iterator[Site]:
    """A site of one's own, to change."""
    opened = made.copy(tmp_path)
    yield opened
    opened.installation.store.close()


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory, made: Made) -> Iterator[Site]:
    """A site that is only looked at."""
    opened = made.copy(tmp_path_factory.mktemp("shared"))
    yield opened
    opened.installation.store.close()


@pytest.fixture
def clerk(site: Site) -> FlaskClient:
    """A clerk of the building department, signed in."""
    return site.client("carl")


@pytest.fixture
def correct(site: Site, clerk: FlaskClient) -> Callable[..., object]:
    """Send the fields' form of the permit, as a browser would, with some values changed."""

    def send(
        save: str = "", version: int | None = None, client: FlaskClient = clerk, **values: str
    ):
        number = site.records["permit"]
        data = {"csrf_token": csrf(client, f"/records/{number}"), "save": save, "page": "1"}
        data["version"] = str(site.document("permit").version if version is None else version)
        for field in site.installation.store.fields(number):
            data[f"was.{field.name}"] = field.value
            data[f"value.{field.name}"] = values.get(field.name, field.value)
        return client.post(f"/records/{number}/fields", data=data)

    return send


# A browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield made
        made.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, made: Made) -> Iterator[tuple[Site, str]]:
    """A site behind its production server, and its address."""
    site = made.copy(tmp_path_factory.mktemp("served"))
    settings = site.installation.settings
    web = replace(settings.web, port=0, session_hours=1)
    installation = replace(site.installation, settings=replace(settings, web=web))
    server = Server(installation)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield site, server.url
    server.close()
    thread.join(timeout=10)
    site.installation.store.close()


@pytest.fixture(scope="session")
def states(browser: Browser, served: tuple[Site, str], tmp_path_factory: pytest.TempPathFactory):
    """A signed-in session for all tests: signing in is tested in its own."""
    context = browser.new_context()
    page = context.new_page()
    sign_in_at(page, served[1], "ada")
    path = tmp_path_factory.mktemp("state") / "state.json"
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser, states: Path) -> Iterator[Page]:
    """A page of a signed-in person, with and without scripts; no fault may reach its console."""
    yield from opened(browser, states, DESK, request.param)
