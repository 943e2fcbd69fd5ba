"""What corrections teach about a form: told in a report, and proposed as a change of its file."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from digitize.desk import correct_field
from digitize.form_file import load_form
from digitize.installation import Installation
from records import filing
from records.archive import hash_file
from records.filing import Accepted, Draft, Intake
from records.geometry import Box, untouched
from records.model import DocumentStatus, Field, FieldStatus, Line, PageKind, PageResult, Word
from tests.cli.conftest import Call, record
from tests.faults.house import House, Ran

TEMPLATE = """\
name = "bill"
title = "Water bill"

[identify]
anchors = [
  { text = "WATER BILL", box = [0.1, 0.05, 0.24, 0.08] },
  { text = "Town of Alder Falls", box = [0.6, 0.90, 0.866, 0.93] },
]

[[fields]]
name = "owner"  # who pays
zone = [0.3, 0.200, 0.9, 0.250]  # measured by hand
max_error = 0.02

[[fields]]
name = "street"
zone = [0.3, 0.300, 0.9, 0.360]
values = [
  "Elm Street",  # the old one
  "Oak Street"   # by the river
]

[[fields]]
name = "account"
kind = "number"
beside = "Account"  # some copies say otherwise

[[fields]]
name = "note"
zone = [0.3, 0.500, 0.9, 0.560]
max_error = 0.002
"""
COPIES = 60
LEARNT = """\
-zone = [0.3, 0.200, 0.9, 0.250]  # measured by hand
+sure = 0.9501
+zone = [0.3, 0.193, 0.9, 0.243]  # measured by hand
-  "Oak Street"   # by the river
+  "Oak Street",   # by the river
+  "Mill Lane",
-beside = "Account"  # some copies say otherwise
+beside = ["Account", "Customer no"]  # some copies say otherwise
"""


def line(left: int, top: int, text: str) -> Line:
    """Write a line: letters 14 wide, 30 high, a blank between words."""
    words = []
    for part in text.split():
        words.append(Word(part, Box(left, top, left + 14 * len(part), top + 30), 0.98))
        left += 14 * (len(part) + 1)
    return Line(tuple(words))


def answer(name: str, value: str, sure: float, box: Box | None, by: str = "zone") -> Field:
    status = FieldStatus.OK if sure >= 0.9 else FieldStatus.UNSURE
    kind = "number" if name == "account" else "text"
    return Field(name, name.title(), kind, value, value, sure, 1, box, status, (), "test", by)


def bill(number: int, digest: str) -> PageResult:
    """Read one bill: its owner sits high, each tenth is misread, each twelfth says Customer no."""
    owner, street = line(300, 193, f"Ann{number} Hart"), line(300, 315, "Mill Lane")
    label = "Customer no" if number % 12 == 0 else "Account"
    account = line(100, 400, f"{label} 4{number:03}")
    place = Box(300, 193, owner.words[-1].box.right, 223)
    read = f"Ann{number} Hort" if number % 10 == 0 else owner.text
    by_label = answer("account", f"4{number:03}", 0.97, account.words[-1].box, "label")
    fields = (
        answer("owner", read, 0.92 if number % 10 == 0 else 0.95 + number / 10000, place),
        answer("street", "Mil Lane", 0.4, Box(300, 315, 426, 345)),
        answer("account", "", 0.0, None, "") if number % 12 == 0 else by_label,
        answer("note", "paid", 0.97, None),
    )
    lines = (
        line(100, 50, "WATER BILL"), owner, street, account,
        line(600, 900, "Town of Alder Falls"),
    )  # fmt: skip
    return PageResult(
        number=1, key="k", kind=PageKind.SCAN, image="0" * 64, size=(1000, 1000), dpi=100,
        geometry=untouched(1000, 1000), steps=(), blank=False, lines=lines, confidence=0.98,
        form="bill", form_page=1, template=digest, pairs=(), separator=False, fields=fields,
        reader="test", languages="eng", exit_code=0, seconds=0.1,
    )  # fmt: skip


def file_bill(installation: Installation, page: PageResult, name: str) -> int:
    """File a page as a record of its own; return its number."""
    store = installation.store
    scan = installation.settings.archive.folder / name
    scan.write_text(name)
    sha256 = hash_file(scan)
    file = Accepted(sha256, 1, name, "application/pdf")
    intake = Intake("test", "a drawer", None, None, "")
    filing.accept(store, file, intake, "clerk", 3, lambda _run: False)
    filing.count_pages(store, sha256, 1)
    filing.save_page(store, "test", sha256, page, "k")
    status = DocumentStatus.NEEDS_REVIEW
    draft = Draft((1,), "bill", "clerk", "Water bill", None, status, (), page.fields)
    return filing.file_records(store, "test", sha256, [draft])[0]


def say(installation: Installation, number: int, **values: str) -> None:
    """Correct or confirm fields of a record, as a person at the desk does."""
    viewer = installation.store.system_viewer("test")
    for name, value in values.items():
        version = installation.store.document(number, viewer).version
        correct_field(installation, viewer, number, name, value, version)


def made(folder: Path, template: str = TEMPLATE) -> House:
    """Return an archive whose forms folder holds one template, and no record."""
    house = House(folder, {"forms.folder": str(folder / "forms")})
    (folder / "forms").mkdir()
    (folder / "forms" / "bill.toml").write_bytes(template.encode())
    return house


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return an archive of bills that people have worked on. Tests do not change it."""
    house = made(tmp_path_factory.mktemp("taught") / "house")
    with house.opened() as installation:
        digest = installation.forms["bill"].digest
        for n in range(COPIES):
            number = file_bill(installation, bill(n, digest), f"bill {n}.pdf")
            say(installation, number, owner=f"Ann{n} Hart")
            if n % 12 == 0:
                say(installation, number, account=f"4{n:03}", street="Mill Lane")
    return house


@pytest.fixture
def own(taught: House, tmp_path: Path) -> House:
    """Return a copy of that archive, for tests that change it."""
    shutil.copytree(taught.folder, tmp_path / "own")
    house = House(tmp_path / "own")
    house.set({"forms.folder": str(house.folder / "forms")})
    return house


def template(house: House) -> Path:
    return house.folder / "forms" / "bill.toml"


def fits(ran: Ran) -> bool:
    """Say whether all that was printed, but for a file's own lines, is at most 80 columns wide."""
    own = ("---", "+++", "@@", "+", "-", " ")
    lines = [t for t in (ran.out + ran.err).splitlines() if not t.startswith(own)]
    return all(len(line) <= 80 for line in lines)


# forms report


def test_a_report_says_how_each_field_is_read(taught: House, call: Call) -> None:
    """Of 60 owners all passed and were checked, and 6 were wrong; a threshold keeps 2 %."""
    found = {row["field"]: row for row in call(taught, "forms", "report", "bill", "--json").json}
    assert list(found) == ["owner", "street", "account", "note"]
    owner, street, account = found["owner"], found["street"], found["account"]
    assert (owner["read"], owner["unseen"], owner["checked"], owner["wrong"]) == (60, 1, 60, 6)
    assert (owner["error"], owner["sure"], owner["to_see"]) == (0.1, 0.9501, 0.1)
    assert 0.15 < owner["at_most"] < 0.2
    assert (street["unseen"], street["seen"], street["checked"]) == (0, 1, 0)
    assert (street["error"], street["at_most"], street["sure"]) == (None, None, None)
    assert (account["read"], account["unseen"]) == (60, 0.9167)


def test_too_little_truth_is_told(taught: House, call: Call) -> None:
    """No threshold is named for a field that nobody checked, but how many it would take."""
    ran = call(taught, "forms", "report")
    assert (ran.code, ran.err) == (0, "")
    assert "note: 500 more right readings must be checked" in " ".join(ran.out.split())
    row = call(taught, "forms", "report", "--json").json[-1]
    assert (row["field"], row["sure"], row["lacking"]) == ("note", None, 500)


def test_a_report_fits_80_columns(filed: House, taught: House, call: Call) -> None:
    """Each form has a table, of which no line is wider than a terminal."""
    for house, form in ((filed, "dog-licence"), (filed, "burial-record"), (taught, "bill")):
        ran = call(house, "forms", "report")
        assert (ran.code, ran.err) == (0, "")
        assert f"\n{form}: " in f"\n{ran.out}"
        assert max(map(len, ran.out.splitlines())) <= 80


def test_a_report_follows_a_correction(own_scans: House, call: Call) -> None:
    """A really read record that a person confirmed counts as checked, and what was not does not."""
    number = record(own_scans, "dog-licence")
    value = call(own_scans, "show", number, "--json").json["fields"]["dog_name"]["value"]
    assert call(own_scans, "correct", number, "dog_name", value).code == 0
    rows = call(own_scans, "forms", "report", "dog-licence", "--json").json
    checked = {row["field"]: (row["checked"], row["wrong"]) for row in rows}
    assert checked.pop("dog_name") == (1, 0)
    assert set(checked.values()) == {(0, 0)}


@pytest.fixture
def own_scans(filed: House, tmp_path: Path) -> House:
    """Return a copy of the archive with really read scans."""
    shutil.copytree(filed.folder, tmp_path / "scans")
    return House(tmp_path / "scans")


def test_a_form_without_records_is_said_to_have_none(empty: House, call: Call) -> None:
    """A sentence, and no empty table."""
    assert call(empty, "forms", "report").out == "There are no records of a known form.\n"
    ran = call(empty, "forms", "report", "dog-licence")
    assert ran.out == "There are no records of the form 'dog-licence'.\n"
    assert call(empty, "forms", "report", "--json").json == []


# forms learn


def test_what_is_learnt_is_shown_and_not_written(taught: House, call: Call) -> None:
    """Threshold, list, label and zone are proposed as a difference; the file stays as it is."""
    before = template(taught).read_bytes()
    ran = call(taught, "forms", "learn", "bill")
    assert (ran.code, ran.err) == (0, "")
    assert "bill: people have checked 70 of 240 answers, in 60 record(s)." in ran.out
    shown = [each for each in ran.out.splitlines() if re.match(r"[+-](?![+-])", each)]
    assert shown == LEARNT.splitlines()
    accept = "\nNothing is changed yet; accept it:\n  digitize forms learn bill --write\n"
    assert ran.out.endswith(accept)
    told = " ".join(ran.out.split())
    assert "owner: sure: 0.9 lets 6 wrong of 60 checked pass, 0.9501 lets 0 of 54" in told
    assert "owner: zone: 60 of 60 answers stick out at the top by 0.7% of the page" in told
    assert "street: values: people gave 'Mill Lane' 5 times." in told
    assert "account: beside: left of the answer stands 'Customer no' in 5 records." in told
    assert fits(ran)
    assert template(taught).read_bytes() == before


def test_a_difference_is_one_that_patch_takes(own: House, call: Call) -> None:
    """What is printed can be put to use with patch; it comes to the same as --write."""
    shown = call(own, "forms", "learn", "bill", "--json").json["templates"][0]["diff"]
    other = own.folder / "other.toml"
    shutil.copy(template(own), other)
    if shutil.which("patch") is None:
        pytest.skip("there is no patch here")
    subprocess.run(["patch", "-s", str(other)], input=shown, text=True, check=True, timeout=10)
    assert call(own, "forms", "learn", "bill", "--write").code == 0
    assert other.read_bytes() == template(own).read_bytes()


def test_accepting_writes_the_template(own: House, call: Call) -> None:
    """With --write the file is changed, whole and with its rights; the second time nothing is."""
    template(own).chmod(0o640)
    ran = call(own, "forms", "learn", "bill", "--write")
    assert (ran.code, ran.err) == (0, "")
    assert "\nChanged: 'bill.toml'. " in ran.out
    assert ran.out.endswith("\n  digitize reread --form bill\n")
    form = load_form(template(own), frozenset())
    owner, street, account, _ = form.fields
    assert (owner.sure, owner.zone) == (0.9501, (0.3, 0.193, 0.9, 0.243))
    assert street.values == ("Elm Street", "Oak Street", "Mill Lane")
    assert account.beside == ("Account", "Customer no")
    assert "# by the river" in template(own).read_text()
    assert stat.S_IMODE(template(own).stat().st_mode) == 0o640
    assert [p.name for p in template(own).parent.iterdir()] == ["bill.toml"]
    again = call(own, "forms", "learn", "bill", "--write")
    assert again.code == 0
    assert "There is nothing to propose for 'bill'" in again.out


def test_a_link_and_the_ends_of_lines_stay(own: House, call: Call) -> None:
    """Where the template is a link, the file that it leads to is changed; CRLF stays CRLF."""
    real = own.folder / "elsewhere.toml"
    real.write_bytes(template(own).read_bytes().replace(b"\n", b"\r\n"))
    template(own).unlink()
    template(own).symlink_to(real)
    assert call(own, "forms", "learn", "bill", "--write").code == 0
    assert template(own).is_symlink()
    assert b"sure = 0.9501\r\n" in real.read_bytes()
    assert real.read_bytes().count(b"\n") == real.read_bytes().count(b"\r\n")


def test_nothing_to_propose_is_said(filed: House, call: Call) -> None:
    """One sentence, with how much truth there is."""
    ran = call(filed, "forms", "learn", "dog-licence")
    assert (ran.code, ran.err) == (0, "")
    told = " ".join(ran.out.split())
    assert told.startswith(
        "There is nothing to propose for 'dog-licence': people have checked 0 of"
    )
    assert ran.out.count(".") == 1
    assert fits(ran)


def test_what_is_learnt_as_json(own: House, call: Call) -> None:
    """With --json all that is printed is the changes, each with its reason, and the difference."""
    said = call(own, "forms", "learn", "bill", "--json").json
    assert (said["form"], said["checked"], said["read"]) == ("bill", 70, 240)
    assert said["written"] is False
    [told] = said["templates"]
    assert (told["file"], told["dropped"]) == ("bill.toml", [])
    assert [(c["field"], c["key"]) for c in told["changes"]] == [
        ("owner", "sure"), ("owner", "zone"), ("street", "values"), ("account", "beside"),
    ]  # fmt: skip
    assert told["changes"][1]["to"] == [0.3, 0.193, 0.9, 0.243]
    assert call(own, "forms", "learn", "bill", "--write", "--json").json["written"] is True


def test_what_cannot_be_changed_here_is_told(own: House, call: Call) -> None:
    """A zone that would reach into another's, and a key in an odd way, are left to a person."""
    text = TEMPLATE.replace("beside =", '"beside" =') + (
        '[[fields]]\nname = "above"\nzone = [0.3, 0.150, 0.9, 0.195]\n'
    )
    template(own).write_text(text)
    ran = call(own, "forms", "learn", "bill")
    told = " ".join(ran.out.split())
    assert "The key zone of field 'owner' in 'bill.toml' would reach into the zone of" in told
    assert "The key beside of field 'account' in 'bill.toml' is not written in a way" in told
    assert "sure = 0.9501" in ran.out
    assert fits(ran)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("report", "cat-licence"), 3, "There is no form 'cat-licence'; use one of: "),
        (("learn", "cat-licence"), 3, "There is no form 'cat-licence'; use one of: "),
        (("learn",), 2, "FORM"),
    ],
)
def test_wrong_words_are_told(
    filed: House, call: Call, words: tuple[str, ...], code: int, said: str
) -> None:
    """Each mistake ends with its exit code and a sentence."""
    ran = call(filed, "forms", *words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_the_archive_is_not_touched(taught: House, call: Call) -> None:
    """Neither command writes a row."""
    before = taught.rows("SELECT max(id), count(*) FROM audit")
    call(taught, "forms", "report")
    call(taught, "forms", "learn", "bill")
    assert taught.rows("SELECT max(id), count(*) FROM audit") == before
