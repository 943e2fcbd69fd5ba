"""How right forms are known and their fields read, on real paper; one command for all of it.

    python -m benchmarks.forms --data DIR [--split tune|test|all] [--cache DIR] [--workers N]
        [--sets fara,unknown,align,sroie,pairs,marks,samples,time] [--show]

DIR holds labelled pages that are no part of this project (``benchmarks.truth``). Words are read by
us, in mode ``both``; ``--cache`` keeps the pages' readings. Halves are those of
``benchmarks.truth``: templates were made and rules tuned on ``tune``; ``test`` is held out, but for
MADE_FROM, from which a template was made because its printing is in no document of ``tune``.
``--show`` names what is wrong.

========  =========================================================================================
fara      registration forms in 19 templates of three forms: which form a document is (all of them);
          of those labelled by hand the legible typed and printed fields, equal without case, spaces
          and punctuation, and the filing date, typed or stamped. A field is unseen that no person
          would be shown: status ok at the setting ``forms.sure``
unknown   pages of other sets, none of which is a registration form: how many are taken for one
align     first pages of labelled forms, distorted in ways that are known, and read again: how far
          the corners of text fields' zones land from where the undistorted page has them
sroie     key fields of receipts with one template; exact is equal but for case and white space,
          alike also without punctuation; the total as a number
pairs     ``benchmarks.pairs``: labels and answers on forms without a template
marks     ``benchmarks.marks``: tick boxes and bubbles
samples   the project's own forms, made with another seed than those in scans/samples
time      CPU seconds of looking for a form and its fields, to reading the page, on 40 pages
========  =========================================================================================
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import truth
from benchmarks.machine import ROOT, describe
from benchmarks.readings import Reading, read_page, readings
from digitize import extract, identify, values
from digitize.assemble import merged
from digitize.form_file import load_form
from digitize.forms import FormTemplate
from digitize.image import Grey
from records import settings as configuration
from records.model import Field, FieldStatus

TEMPLATES = ROOT / "benchmarks" / "forms"
MADE_FROM = frozenset({"fara_0293"})
FORMS = {
    "Amendment": "registration-amendment",
    "Dissemination Report": "dissemination-report",
    "Short-Form": "short-form",
}
# The fields that count, by their names in the labels.
FIELDS = {
    "registration_num": "registration_number",
    "registrant_name": "registrant",
    "foreign_principle_name": "foreign_principal",
    "signer_name": "signer_name",
    "signer_title": "signer_title",
}
OTHER_FIELDS = {"person_name": "person"}
DATE = "file_date"
OTHER_SETS = ("funsd", "sroie", "typewritten", "office", "handwriting")
RECEIPT_FIELDS = ("company", "date", "address", "total")
SETS = ("fara", "unknown", "align", "sroie", "pairs", "marks", "samples", "time")
FRESH_SEED = 20261127


@dataclass(slots=True)
class Tally:
    """What was asked for, found right, read at all, passed unseen, and wrong among those."""

    asked: int = 0
    right: int = 0
    alike: int = 0
    read: int = 0
    unseen: int = 0
    wrong_unseen: int = 0

    def count(self, field: Field | None, right: bool, alike: bool = False) -> None:
        """Count one answer."""
        unseen = field is not None and field.status is FieldStatus.OK
        self.asked += 1
        self.right += right
        self.alike += right or alike
        self.read += field is not None and bool(field.value)
        self.unseen += unseen
        self.wrong_unseen += unseen and not right

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.asked + self.read) if self.asked + self.read else 0.0


# Registration forms


@dataclass(frozen=True, slots=True)
class Document:
    """A scan as it was taken: the form of its pages, and its fields by name."""

    form: str | None
    forms: tuple[str | None, ...]
    fields: Mapping[str, Field]


def templates(without: str = "receipt") -> dict[str, FormTemplate]:
    """Return the templates of this benchmark by their keys, one of them left out."""
    found = (load_form(path, frozenset()) for path in sorted(TEMPLATES.glob("*.toml")))
    return {form.key: form for form in found if form.name != without}


def take(
    pages: Iterable[Reading | None], forms: Mapping[str, FormTemplate], fields: bool = True
) -> Document:
    """Take a scan's pages as the product does, and put its fields together if they are wanted."""
    settings = configuration.load(ROOT / "config.toml").forms
    asked = extract.Asked(settings.sure, values.Reading(settings.day_first, "US"), ("eng",))
    known, found = [], []
    for number, page in enumerate(pages, 1):
        seen = None if page is None or page.blank else identify.identify(page.lines, forms)
        known.append(seen.form.name if seen else None)
        if fields and seen and page and seen.form.name == next(name for name in known if name):
            found.append(extract.extract(seen, page.lines, page.image, number, page.reader, asked))
    form = next((name for name in known if name), None)
    return Document(form, tuple(known), merged(found))


def fara_documents(data: Path, split: truth.Split) -> Iterator[dict[str, str]]:
    """Give the rows of the registration forms' truth that are in a half."""
    with (data / "fara" / "groundtruth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if truth.in_split(row["id"], split) and row["id"] not in MADE_FROM:
                yield row


def fara(data: Path, split: truth.Split, cache: Path | None, workers: int, show: bool) -> None:
    """Print which forms are known, and how right the labelled fields are."""
    forms = templates()
    lines = (data / "fara" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    labels = {label["scan"]: label for label in map(json.loads, lines)}
    rows = list(fara_documents(data, split))
    jobs = [
        (data / "fara" / "scans" / f"{row['id']}.tif", page)
        for row in rows
        for page in range(1, int(row["pages"]) + 1)
    ]
    read = readings(jobs, cache, workers)
    which: Counter[str] = Counter()
    tallies: dict[str, Tally] = defaultdict(Tally)
    for row in rows:
        pages = [next(read) for _ in range(int(row["pages"]))]
        got = take(pages, forms, row["id"] in labels)
        wanted = FORMS[row["template"]]
        which["right" if got.form == wanted else "unknown" if got.form is None else "wrong"] += 1
        which["other pages taken for another form"] += sum(
            f not in (None, wanted) for f in got.forms
        )
        if show and got.form != wanted:
            print(f"  {row['id']}: {got.form} for {wanted}")
        if row["id"] in labels:
            score_fields(row["id"], labels[row["id"]], got, tallies, show)
    print(f"\nregistration forms, {len(rows)} documents: which form")
    for name, count in sorted(which.items()):
        print(f"  {name:<36} {count:>4}  {count / len(rows):7.2%}")
    print_tallies("registration forms, fields labelled by hand", tallies)


def score_fields(
    name: str, label: Mapping[str, Any], got: Document, tallies: dict[str, Tally], show: bool
) -> None:
    """Count the fields of one labelled document."""
    for labelled, own in {**FIELDS, **OTHER_FIELDS, DATE: "date_filed"}.items():
        true = label["fields"].get(labelled)
        if not true or true["text"] is None or not true["legible"]:
            continue
        if true["how"] not in ("typed", "printed") and labelled != DATE:
            continue
        field = got.fields.get(own)
        right = is_right(labelled, true, field)
        tallies[labelled].count(field, right)
        if labelled in FIELDS:
            tallies["these five"].count(field, right)
        if show and not right:
            said = field.raw if field else None
            mark = "  UNSEEN" if field and field.status is FieldStatus.OK else ""
            print(f"  {name} {labelled}: {said!r} for {true['text']!r}{mark}")


def is_right(labelled: str, true: Mapping[str, Any], field: Field | None) -> bool:
    """Say whether a field holds what its label says, or its normal form."""
    if field is None:
        return False
    if labelled == DATE:
        return field.value == (true.get("norm") or true["text"])
    wanted = {bare(true["text"]), bare(true.get("norm") or "")} - {""}
    return bare(field.value) in wanted or bare(field.raw) in wanted


def bare(text: str) -> str:
    """Return a text without case, spaces and punctuation."""
    return "".join(c for c in text.casefold() if c.isalnum())


def print_tallies(title: str, tallies: Mapping[str, Tally]) -> None:
    """Print how right each kind of field is."""
    print(f"\n{title}")
    print(f"  {'field':<24} asked  right         unseen        right of them")
    for name, t in tallies.items():
        passed = f"{1 - t.wrong_unseen / t.unseen:7.1%}" if t.unseen else "      -"
        print(
            f"  {name:<24} {t.asked:>5}  {t.right:>4} {t.right / t.asked:7.1%}"
            f"  {t.unseen:>4} {t.unseen / t.asked:7.1%}  {passed}"
        )


# Paper that is no registration form


def unknown(data: Path, split: truth.Split, cache: Path | None, workers: int, show: bool) -> None:
    """Print how many pages of other sets are taken for a registration form."""
    forms = templates()
    pages = [(page.image, page.page) for page in truth.load(data, OTHER_SETS, None, 0, split)]
    taken = 0
    for (path, _), page in zip(pages, readings(pages, cache, workers), strict=True):
        seen = identify.identify(page.lines, forms) if page and not page.blank else None
        taken += seen is not None
        if seen and show:
            print(f"  {path.name}: {seen.form.key}")
    print(f"\nother paper taken for a registration form: {taken} of {len(pages)} pages")


# Where zones land


@dataclass(frozen=True, slots=True)
class Distortion:
    """What is done to a page: turned by degrees, scaled in x and y, cut at its edges, punched."""

    name: str
    degrees: float = 0.0
    across: float = 1.0
    down: float = 1.0
    cut: float = 0.0
    holes: bool = False

    def matrix(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Return the ``(2, 3)`` matrix from the page's pixels to the distorted page's."""
        width, height = size
        turned = cv2.getRotationMatrix2D((width / 2, height / 2), self.degrees, 1.0)
        scaled = np.diag([self.across, self.down]) @ turned
        shift = np.array([self.cut * width * self.across, self.cut * height * self.down])
        scaled[:, 2] -= shift
        return np.asarray(scaled, dtype=np.float64)

    def distort(self, page: Grey) -> Grey:
        """Return the distorted page."""
        height, width = page.shape
        left = 1 - 2 * self.cut
        size = (round(width * left * self.across), round(height * left * self.down))
        way = cv2.INTER_AREA if min(self.across, self.down) < 1 else cv2.INTER_CUBIC
        if self.degrees:
            way = cv2.INTER_LINEAR
        made = cv2.warpAffine(page, self.matrix((width, height)), size, flags=way, borderValue=255)
        if self.holes:
            for x in (0.3, 0.7):
                centre = (round(size[0] * x), round(size[1] * 0.035))
                cv2.circle(made, centre, round(size[0] * 0.017), 0, -1)
        return np.asarray(made, dtype=np.uint8)


DISTORTIONS = (
    Distortion("as it is"),
    Distortion("turned by 3 degrees", degrees=3.0),
    Distortion("turned by -7 degrees", degrees=-7.0),
    Distortion("half as large", across=0.5, down=0.5),
    Distortion("half as large again", across=1.5, down=1.5),
    Distortion("stretched by 4 %", across=1.04),
    Distortion("a fax, lines halved", down=0.5),
    Distortion("cut by 6 % all round", cut=0.06),
    Distortion("punched", holes=True, degrees=-1.0),
)


def align(data: Path, split: truth.Split, documents: int = 8) -> None:
    """Print how far zones land from where they are, on pages that are distorted and read again."""
    forms = templates()
    lines = (data / "fara" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    names = [json.loads(line)["scan"] for line in lines]
    chosen = [n for n in names if truth.in_split(n, split) and n not in MADE_FROM][:documents]
    print(f"\nwhere zones land, first pages of {len(chosen)} documents, shares of the page's width")
    print("  distortion             known  trusted  within 1 %   median    worst")
    pages = {name: _first_page(data / "fara" / "scans" / f"{name}.tif") for name in chosen}
    true: dict[str, Corners] = {}
    with tempfile.TemporaryDirectory() as folder:
        for distortion in DISTORTIONS:
            off: list[float] = []
            known = trusted = 0
            for name, page in pages.items():
                path = Path(folder) / f"{name}.png"
                made = distortion.distort(page)
                cv2.imwrite(str(path), made)
                corners = _corners(path, forms)
                if corners is None:
                    continue
                known += 1
                trusted += corners.trusted
                true.setdefault(name, corners)
                if true[name].form == corners.form and corners.trusted:
                    matrix = distortion.matrix(page.shape[::-1])
                    wanted = true[name].points @ matrix[:, :2].T + matrix[:, 2]
                    apart = np.abs(corners.points - wanted).max(axis=1) / made.shape[1]
                    off += apart.tolist()
            near = sum(o <= 0.01 for o in off)
            print(
                f"  {distortion.name:<22} {known:>5}  {trusted:>7}  {near:>4} of {len(off):<4}"
                f"  {np.median(off) if off else 0:7.2%}  {max(off, default=0):7.2%}"
            )


@dataclass(frozen=True, slots=True)
class Corners:
    """Where the corners of a form's zones lie in the original, ``(n, 2)`` pixels."""

    form: str
    points: NDArray[np.float64]
    trusted: bool


def _first_page(path: Path) -> Grey:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("L"), dtype=np.uint8)


def _corners(path: Path, forms: Mapping[str, FormTemplate]) -> Corners | None:
    page = read_page(path, 1, "tesseract")
    seen = identify.identify(page.lines, forms) if page and not page.blank else None
    if seen is None or page is None:
        return None
    place = identify.register(seen, page.size)
    boxes = [
        place.box(field.zone)
        for field in seen.form.fields_on(seen.page)
        if field.zone and field.kind != "stamp"
    ]
    points = [page.geometry.to_original(x, y) for b in boxes for x, y in (b[:2], b[2:])]
    return Corners(seen.form.key, np.array(points), place.trusted)


# Receipts


def sroie(data: Path, split: truth.Split, cache: Path | None, workers: int, show: bool) -> None:
    """Print how right the key fields of receipts are, read with one template."""
    form = load_form(TEMPLATES / "receipt.toml", frozenset())
    names = sorted(path.stem for path in (data / "sroie" / "key").glob("*.json"))
    names = [name for name in names if truth.in_split(name, split)]
    images = [next((data / "sroie" / "img").glob(f"{name}.*")) for name in names]
    asked = extract.Asked(0.9, values.Reading(True, "MY"), ("eng",))
    tallies: dict[str, Tally] = defaultdict(Tally)
    read = readings([(image, 1) for image in images], cache, workers)
    for name, page in zip(names, read, strict=True):
        true = json.loads((data / "sroie" / "key" / f"{name}.json").read_text(encoding="utf-8"))
        assert page is not None
        seen = identify.identify(page.lines, {form.key: form})
        seen = seen or identify.as_form(page.lines, form, 1)
        found = extract.extract(seen, page.lines, page.image, 1, page.reader, asked)
        fields = {field.name: field for field in found}
        for key in RECEIPT_FIELDS:
            if not (wanted := folded(true.get(key, ""))):
                continue
            field = fields[key]
            said = folded(field.raw)
            right, alike = said == wanted, bare(said) == bare(wanted)
            if key == "total":
                right = alike = field.value == wanted.lstrip("rm$ ").replace(",", "")
            tallies[key].count(field, right, alike)
            tallies["all four"].count(field, right, alike)
            if show and not right:
                print(f"  {name} {key}: {field.raw!r} for {true[key]!r}")
    print("\nreceipts, one template: exact match")
    print("  field          asked   F1    right   without punctuation   right of unseen")
    for key, t in tallies.items():
        passed = f"{1 - t.wrong_unseen / t.unseen:.1%} of {t.unseen}" if t.unseen else "-"
        print(
            f"  {key:<14} {t.asked:>5}  {t.f1:.3f}  {t.right:>4}   {t.alike:>4} "
            f"{t.alike / t.asked:16.1%}   {passed}"
        )


def folded(text: str) -> str:
    """Return a text in small letters, with single blanks."""
    return " ".join(text.casefold().split())


# Time


def cost(data: Path, split: truth.Split, pages: int = 40) -> None:
    """Print the CPU seconds of forms and fields to those of reading, pages read anew."""
    forms = templates()
    rows = list(fara_documents(data, split))[:pages]
    reading = looking = 0.0
    for row in rows:
        path = data / "fara" / "scans" / f"{row['id']}.tif"
        (page,) = readings([(path, 1)], None)
        started = time.process_time()
        take([page], forms)
        looking += time.process_time() - started
        reading += page.cpu if page else 0.0
    print(
        f"\nforms and fields: {looking / len(rows):.2f} CPU s a page, {looking / reading:.1%} of "
        f"reading it ({reading / len(rows):.2f} s), {len(rows)} first pages, {len(forms)} templates"
    )


def run_other(module: str, *arguments: str) -> None:
    """Run another benchmark and let it print."""
    print(f"\n{module} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, cwd=ROOT)


def fresh_samples() -> None:
    """Make the project's samples with a fresh seed and print how right they are read."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "fresh")
        make = [sys.executable, "-m", "scans.make", "--out", out, "--seed", str(FRESH_SEED)]
        subprocess.run(make, check=True, cwd=ROOT, capture_output=True)
        run_other("benchmarks.samples", out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("tune", "test", "all"), default="tune")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args(arguments)
    sets = asked.sets.split(",")
    if wrong := set(sets) - set(SETS):
        parser.error(f"there is no set {', '.join(sorted(wrong))}; there are {', '.join(SETS)}")
    print(f"{describe()}\nsplit {asked.split}")
    data, split, workers = asked.data, asked.split, asked.workers
    if "fara" in sets:
        fara(data, split, asked.cache, workers, asked.show)
    if "unknown" in sets:
        unknown(data, split, asked.cache, workers, asked.show)
    if "align" in sets:
        align(data, split)
    if "sroie" in sets:
        sroie(data, split, asked.cache, workers, asked.show)
    if "pairs" in sets:
        kept = ("--cache", str(asked.cache)) if asked.cache else ()
        run_other("benchmarks.pairs", "--data", str(data), "--split", split, *kept)
    if "marks" in sets:
        run_other("benchmarks.marks", "--data", str(data), "--split", split)
    if "samples" in sets:
        fresh_samples()
    if "time" in sets:
        cost(data, split)


if __name__ == "__main__":
    main()
