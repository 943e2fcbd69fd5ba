"""How fast the desk answers: search and record pages under load, and a key press in a browser.

    python -m benchmarks.desk --data DIR [--pages 100000] [--people 20] [--requests 2000]

An archive is filled with pages of real OCR text (``search/pages.jsonl.xz`` in DIR, drawn from again
until there are enough), as records of four pages of an invented form, and indexed. Then the site is
served by this machine, and this machine asks it: first search pages, then record pages, by so many
people at once, each with a session of their own. At last one person checks fifty fields in Chromium
that were read right. Sizes are without pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import lzma
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.cookiejar import CookieJar
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import ROOT, describe, installation_folder
from digitize.installation import Installation, open_installation
from records import people, rows, settings
from records.geometry import Box, untouched
from records.model import Field, FieldStatus, Line, PageKind, PageResult, Role, Word
from records.store import now
from webui.passwords import hash_password

FORM, COLUMN, FIFTY = "dog-licence", "owner_name", 50
PASSWORD = "benchmark of the desk 1"
SIZE, PER_RECORD = (1700, 2200), 4
CHROMIUM = os.environ.get("DIGITIZE_CHROMIUM", "/usr/bin/chromium")
# From a key to the frame in which the next field has the focus and its picture is there.
_WATCH = """() => {
  window.took = [];
  document.addEventListener('keydown', function (event) {
    if (event.key !== 'Enter') { return; }
    var began = performance.now(), before = document.activeElement;
    (function look() {
      var box = document.activeElement, item = box.closest && box.closest('.check');
      var image = item && item.querySelector('img');
      if (box !== before && item && (!image || image.complete)) {
        window.took.push(performance.now() - began);
      } else if (performance.now() - began < 5000) { requestAnimationFrame(look); }
    }());
  }, true);
}"""


def in_runs(items: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """Give the items so many at a time."""
    left = iter(items)
    while run := tuple(islice(left, size)):
        yield run


def texts(data: Path, count: int) -> Iterator[str]:
    """Give so many pages of real text: those there are, then with their sentences shuffled."""
    chance = random.Random(1)
    with lzma.open(data / "search" / "pages.jsonl.xz", "rt", encoding="utf-8") as stream:
        known = [json.loads(line)["text"] for line in stream]
    for number, text in enumerate(cycle(known)):
        if number == count:
            return
        if number >= len(known):
            sentences = text.split(". ")
            chance.shuffle(sentences)
            text = ". ".join(sentences)
        yield text


def fill(installation: Installation, data: Path, count: int) -> None:
    """Write records of four pages each, as filing does, in one transaction."""
    store = installation.store
    image = installation.archive.keep_image(_picture(), installation.archive.work)
    with store.write() as db:
        db.table("batches").insert(
            {"id": 1, "name": "Drawer 1", "created_at": now(), "created_by": "benchmark"}
        )
        for number, pages in enumerate(in_runs(texts(data, count), PER_RECORD), 1):
            sha256 = hashlib.sha256(str(number).encode()).hexdigest()
            db.table("originals").insert(
                {"sha256": sha256, "name": f"{number}.tif", "size": 1, "media_type": "image/tiff",
                 "page_count": len(pages), "state": "read", "accepted_at": now()}
            )  # fmt: skip
            document = {
                "id": number, "sha256": sha256, "part": 1, "batch_id": 1, "department": "clerk",
                "form": FORM, "title": f"Record {number}", "date": f"{1950 + number % 70}-03-14",
                "status": "needs-review", "version": 1, "rev": store.next_rev(db),
                "created_at": now(),
            }  # fmt: skip
            db.table("documents").insert(document)
            for place, text in enumerate(pages, 1):
                row = rows.page_row(_page(place, text, image))
                more = {"sha256": sha256, "document_id": number, "position": place}
                db.table("pages").insert({**row, **more, "read_at": now()})
            for place, field in enumerate(_fields(number)):
                db.table("fields").insert(rows.field_row(field, number, place))
            if number <= 4 * FIFTY:
                db.table("checks").insert(
                    {"document_id": number, "name": COLUMN, "position": 0, "label": "OWNER",
                     "form": FORM, "department": "clerk", "batch_id": 1, "kind": "look",
                     "reason": "unsure", "value": f"Owner {number}"}
                )  # fmt: skip


def _picture() -> bytes:
    image = Image.new("L", SIZE, 250)
    pen = ImageDraw.Draw(image)
    for top in range(100, 2100, 40):
        pen.text((150, top), "A line of an invented page, as long as lines are " * 2, fill=20)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _page(number: int, text: str, image: str) -> PageResult:
    lines = []
    for row, words in enumerate(in_runs(text.split(), 12)):
        top = 60 + 34 * row
        boxes = [Box(150 + 110 * n, top, 250 + 110 * n, top + 24) for n in range(len(words))]
        lines.append(Line(tuple(Word(w, b, 0.95) for w, b in zip(words, boxes, strict=True))))
    return PageResult(
        number=number, key="benchmark", kind=PageKind.SCAN, image=image, size=SIZE, dpi=200,
        geometry=untouched(*SIZE), steps=(), blank=False, lines=tuple(lines), confidence=0.95,
        form=FORM, form_page=number, template="", pairs=(), separator=False, fields=(),
        reader="benchmark", languages="eng", exit_code=0, seconds=1.0,
    )  # fmt: skip


def _fields(number: int) -> Sequence[Field]:
    names = (COLUMN, "dog_name", "street_address", "licence_number")
    return [
        Field(
            name=name, label=name.replace("_", " ").upper(), kind="text",
            raw=f"Owner {number}" if name == COLUMN else f"Invented {number}",
            value=f"Owner {number}" if name == COLUMN else f"Invented {number}",
            confidence=0.8 if name == COLUMN else 0.95, page=1,
            box=Box(150, 100 + 40 * place, 900, 130 + 40 * place),
            status=FieldStatus.UNSURE if name == COLUMN else FieldStatus.OK,
            reasons=(), reader="benchmark", found_by="zone",
        )
        for place, name in enumerate(names)
    ]  # fmt: skip


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the installation of a folder; give its address."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "DIGITIZE_CONFIG": str(folder / "config.toml"),
    }  # fmt: skip
    command = [sys.executable, "-m", "digitize", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        found = re.search(r"http://\S+", process.stdout.readline())
        if not found:
            raise SystemExit("The site did not start.")
        yield found.group(0)
    finally:
        process.terminate()
        process.wait(timeout=90)


def signed_in(url: str, name: str) -> OpenerDirector:
    """Return a browser's cookies and no more, signed in."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    page = opener.open(f"{url}/sign-in").read().decode()
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    data = {"csrf_token": found.group(1), "name": name, "password": PASSWORD, "next": "/password"}
    opener.open(f"{url}/sign-in", urlencode(data).encode()).read()
    return opener


def load(
    openers: Sequence[OpenerDirector], count: int, address: Callable[[random.Random], str]
) -> tuple[list[float], int]:
    """Ask for so many pages, all people at once; return seconds for each, and how many failed."""
    took: list[float] = []
    failed: list[str] = []

    def work(opener: OpenerDirector, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(count // len(openers)):
            began = time.perf_counter()
            try:
                answer = opener.open(address(chance), timeout=60)
                answer.read()
                took.append(time.perf_counter() - began)
            except OSError as error:
                failed.append(str(error))

    threads = [threading.Thread(target=work, args=(o, n)) for n, o in enumerate(openers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took, len(failed)


def keys(url: str) -> tuple[list[float], int]:
    """Check fifty fields in a browser; return seconds from key to next field, and keys pressed."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.goto(url)
        page.get_by_label("Name").fill("person0")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Search the records").wait_for()
        page.goto(f"{url}/check/column?form={FORM}&field={COLUMN}")
        page.wait_for_load_state("networkidle")
        page.evaluate(_WATCH)
        pressed = 0
        for done in range(1, FIFTY + 1):
            page.keyboard.press("Enter")
            pressed += 1
            _until(page, done)
            page.wait_for_timeout(400)  # nobody reads faster
        took = page.evaluate("window.took")
        browser.close()
        return [t / 1000 for t in took], pressed


def _until(page: Page, done: int) -> None:
    for _ in range(500):
        if page.evaluate("window.took.length") >= done:
            return
        page.wait_for_timeout(10)
    raise SystemExit("The next field did not come.")


def weight(opener: OpenerDirector, url: str, path: str) -> int:
    """Return the bytes of a page with its style sheets and scripts, without pictures."""
    page = opener.open(url + path).read()
    linked = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.decode()))
    return len(page) + sum(len(opener.open(url + file).read()) for file in linked)


def percentile(values: Sequence[float], share: int) -> float:
    """Return the value that so many in a hundred do not exceed."""
    return statistics.quantiles(values, n=100)[share - 1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--requests", type=int, default=2000)
    wanted = parser.parse_args()
    with installation_folder() as folder:
        config = settings.load(folder / "config.toml")
        config = replace(config, archive=replace(config.archive, folder=folder / "scans"))
        installation = open_installation(config)
        began = time.monotonic()
        fill(installation, wanted.data, wanted.pages)
        filled = time.monotonic()
        installation.finder.rebuild()
        indexed = time.monotonic()
        secret = hash_password(PASSWORD)
        for n in range(wanted.people):
            people.add(installation.store, "benchmark", f"person{n}", Role.RECORDS_OFFICER, secret)
        words = [w for t in texts(wanted.data, 500) for w in t.split() if w.isalpha()]
        installation.store.close()
        print(describe())
        print(f"{wanted.pages:,} pages filled in {filled - began:.0f} s, "
              f"indexed in {indexed - filled:.0f} s")  # fmt: skip
        with served(folder) as url:
            openers = [signed_in(url, f"person{n}") for n in range(wanted.people)]
            records = wanted.pages // PER_RECORD
            _print_load(openers, wanted.requests, "search page", lambda chance: (
                f"{url}/?q={quote(' '.join(chance.sample(words, chance.choice([1, 2, 2, 3]))))}"
            ))  # fmt: skip
            _print_load(openers, wanted.requests, "record page", lambda chance: (
                f"{url}/records/{chance.randint(1, records)}"
            ))  # fmt: skip
            took, pressed = keys(url)
            print(f"key to next field, {len(took)} of them, one person: "
                  f"p50 {1000 * statistics.median(took):.0f} ms, "
                  f"p95 {1000 * percentile(took, 95):.0f} ms")  # fmt: skip
            print(f"keys for each field read right, in a column of {FIFTY}: {pressed / FIFTY:.2f}")
            for path in ("/?q=letter", "/records/300", "/check", f"/check/column?form={FORM}"):
                print(f"weight of {path}: {weight(openers[1], url, path) / 1000:.0f} KB")


def _print_load(
    openers: Sequence[OpenerDirector],
    count: int,
    what: str,
    address: Callable[[random.Random], str],
) -> None:
    load(openers, len(openers) * 2, address)  # warm
    began = time.monotonic()
    took, failed = load(openers, count, address)
    rate = len(took) / (time.monotonic() - began)
    print(f"{what}, {len(openers)} people at once: p50 {1000 * statistics.median(took):.0f} ms, "
          f"p95 {1000 * percentile(took, 95):.0f} ms, {rate:.0f} a second, "
          f"{failed} of {count} failed")  # fmt: skip


if __name__ == "__main__":
    main()
