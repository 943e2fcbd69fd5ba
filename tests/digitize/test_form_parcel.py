"""Templates carried to another city: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from digitize.form_file import load_form, load_forms
from digitize.form_parcel import parcel, unpack
from digitize.forms import FormTemplate
from records.errors import FormError
from tests.digitize.making import configured
from tests.digitize.test_forms import DEPARTMENTS, GOOD

WITH_LIST = GOOD.replace('beside = "Name of dog"', 'beside = "Name"\nlookup = "dogs.csv:name"')
REFERENCE = """
[reference]
lines = [
  { text = "Owner", box = [0.1, 0.31, 0.2, 0.33] },
  { text = "Ann Hart", box = [0.3, 0.31, 0.4, 0.33] },
  { text = "Elsewhere", box = [0.3, 0.8, 0.4, 0.83] },
]
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Return the forms folder of the city that gives."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Return the forms folder of the city that takes, with a file in it."""
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "old.toml").write_text("old", encoding="utf-8")
    return folder


def written(folder: Path, text: str, name: str = "dog-licence.toml") -> FormTemplate:
    """Write a template into a folder and load it."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_form(path, DEPARTMENTS)


def zipped(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return made.getvalue()


def contents(packed: bytes) -> dict[str, str]:
    """Return what a parcel holds, as text."""
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def refused(packed: bytes, folder: Path, replace: bool = False) -> str:
    """Return the sentence that a parcel is refused with; hold that nothing was written."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(FormError) as caught:
        unpack(packed, folder, DEPARTMENTS, replace)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    return str(caught.value)


# There and back


def test_a_form_comes_through_whole(here: Path, there: Path) -> None:
    """All printings of a form and their lists are the same in the other city."""
    (here / "dogs.csv").write_bytes("\ufeffname\r\nRex\r\nGr\u00f6\u00dfe\r\n".encode())
    first = written(here, WITH_LIST.replace("[identify]", 'printing = "1996"\n[identify]', 1))
    second = written(here, WITH_LIST, "newer (2).toml")
    done = unpack(parcel([first, second]), there, DEPARTMENTS, replace=False)
    assert done == ["dog-licence.toml", "dogs.csv", "newer (2).toml"]
    for form in (first, second):
        assert form.path
        again = load_form(there / form.path.name, DEPARTMENTS)
        assert again == form
        assert again.digest == form.digest
    assert (there / "dogs.csv").read_bytes() == (here / "dogs.csv").read_bytes()
    assert (there / "old.toml").read_text() == "old"
    assert len(list(there.iterdir())) == 4


@pytest.mark.parametrize("name", ["Bob's form.toml", "dogs & cats.toml", "no. 7, new.toml"])
def test_the_name_of_a_file_is_ones_own(here: Path, there: Path, name: str) -> None:
    """docs/forms.md leaves the file's name to its owner: what can be packed can be unpacked."""
    assert unpack(parcel([written(here, GOOD, name)]), there, DEPARTMENTS, False) == [name]


@pytest.mark.parametrize("name", ["dogs.CSV", "dogs.txt", "the town's dogs.csv"])
def test_the_name_of_a_list_is_ones_own(here: Path, there: Path, name: str) -> None:
    """A list that a template may name comes through, whatever its name."""
    (here / name).write_text("name\nRex\n", encoding="utf-8")
    form = written(here, WITH_LIST.replace('"dogs.csv:name"', f'"{name}"'))
    assert form.fields[1].values == ("Rex",)
    assert name in unpack(parcel([form]), there, DEPARTMENTS, False)


def test_lists_are_found_however_a_field_is_written(here: Path) -> None:
    """A field on one line names its list as well as one on several."""
    (here / "dogs.csv").write_text("name\nRex\n", encoding="utf-8")
    head = GOOD.partition("[[fields]]")[0].replace('date = "issued"\n', "")
    head = head.replace(' of {owner}"', '"')
    fields = 'fields = [\n  { name = "dog", beside = "Name", lookup = "dogs.csv" },\n]\n'
    form = written(here, head.replace("[identify]", f"{fields}[identify]"))
    assert "dogs.csv" in contents(parcel([form]))


def test_a_text_that_looks_like_a_list_is_none(here: Path) -> None:
    """What a title says names no file."""
    form = written(here, GOOD.replace('"Dog licence"', '"""Dog\nlookup = "none.csv"\n"""'))
    assert list(contents(parcel([form]))) == ["dog-licence.toml"]


# What somebody had written


def test_answers_stay_at_home(here: Path, there: Path) -> None:
    """What was written on the scan that a template was drafted from is not in the parcel."""
    form = written(here, GOOD + REFERENCE)
    packed = parcel([form])
    (text,) = contents(packed).values()
    assert "Ann Hart" not in text
    assert text.count("\n") == form.text.count("\n") - 1
    unpack(packed, there, DEPARTMENTS, False)
    assert load_form(there / "dog-licence.toml", DEPARTMENTS) == form


def _packed(form: FormTemplate) -> bytes | None:
    """Pack a form; None when it is refused with the sentence that says how to write it."""
    refusal = pytest.raises(FormError, match="write its lines one below the other")
    try:
        return parcel([form])
    except FormError:
        with refusal:
            parcel([form])
        return None


ON_ONE_LINE = " ".join(REFERENCE.replace("[reference]", "").split()).replace(", ]", " ]")


@pytest.mark.parametrize(
    "reference",
    [
        f"[reference]\n{ON_ONE_LINE}\n",
        REFERENCE.replace(" },\n  { text = \"Ann", " }, { text = \"Ann"),
        REFERENCE.replace("0.3, 0.31, ", "0.3, 0.31,\n    "),
        REFERENCE.replace("Elsewhere", "Else\u2028where").replace("Owner", "Own\u2028er"),
        "[[reference.lines]]\n" + "\n\n[[reference.lines]]\n".join(
            row.strip(" {},").replace(", box", "\nbox") for row in REFERENCE.splitlines()[3:6]
        ),
    ],
    ids=["one line", "two on a line", "an item on two lines", "odd line ends", "tables"],
)  # fmt: skip
def test_answers_stay_at_home_however_they_are_written(
    here: Path, there: Path, reference: str
) -> None:
    """A template that a person has laid out anew loses its answers alone, or is refused."""
    form = written(here, f"{GOOD}\n{reference}")
    packed = _packed(form)
    if packed is None:
        return
    assert "Ann Hart" not in "".join(contents(packed).values())
    unpack(packed, there, DEPARTMENTS, False)
    assert load_form(there / "dog-licence.toml", DEPARTMENTS) == form


@pytest.mark.parametrize(
    "reference", ["reference.lines = [\n", "reference = { lines = [\n"], ids=["dotted", "inline"]
)
def test_answers_stay_at_home_from_other_tables(here: Path, reference: str) -> None:
    """Where the lines' table is written otherwise, its answers are left out, or it is refused."""
    close = "] }" if "{" in reference else "]"
    lines = "\n".join(REFERENCE.splitlines()[3:6])
    form = written(here, f"{reference}{lines}\n{close}\n{GOOD}")
    packed = _packed(form)
    assert "Ann Hart" not in "".join(contents(packed).values() if packed else "")


# What is refused


@pytest.mark.parametrize(
    "name",
    [
        "../a.toml", "/etc/a.toml", "a/b.toml", "a\\b.toml", ".a.toml", "..toml", "a.py",
        "a.toml.py", "a", ".toml", "a.toml/", "a\n.toml", "a.TOML", "-a.toml",
    ],
)  # fmt: skip
def test_odd_names_are_refused(there: Path, name: str) -> None:
    """A parcel holds templates and lists with plain names; nothing leaves the folder."""
    assert "neither a template nor a list" in refused(zipped({"b.toml": GOOD, name: GOOD}), there)


@pytest.mark.parametrize(
    "packed", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(10), zipped({"a.toml": GOOD})[:-30]]
)
def test_what_is_no_parcel_is_refused(there: Path, packed: bytes) -> None:
    """A file that is none, or is cut short, is a sentence."""
    assert "no parcel of forms" in refused(packed, there)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_parcel_is_refused(tmp_path: Path, method: int) -> None:
    """Whichever byte went wrong on the way, it is a sentence, or the parcel is still good."""
    packed = zipped({"a.toml": GOOD}, method)
    for place in range(0, len(packed), 7 if method else 1):
        damaged = bytearray(packed)
        damaged[place] ^= 0x55
        folder = tmp_path / str(place)
        folder.mkdir()
        try:
            unpack(bytes(damaged), folder, DEPARTMENTS, False)
        except FormError:
            assert list(folder.iterdir()) == []


def test_a_parcel_that_would_swell_is_refused(there: Path) -> None:
    """A file that says how large it grows is not opened, and one that lies is not either."""
    bomb = zipped({"a.toml": GOOD, "a.csv": bytes(60_000_000)})
    assert "more than a form's templates" in refused(bomb, there)
    assert "more than a form's templates" in refused(
        zipped({f"{n}.csv": "" for n in range(201)}), there
    )
    lying = bytearray(bomb)
    true, told = (60_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    tracemalloc.start()
    try:
        refused(bytes(lying.replace(true, told)), there)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.toml": GOOD, "b.toml": GOOD.replace("0.9", "9")}, "line 11: field 'owner': zone"),
        ({"a.toml": GOOD, "b.toml": "name ="}, "'b.toml' is not valid TOML"),
        ({"a.toml": GOOD, "b.toml": b"# caf\xe9"}, "'b.toml' in the parcel is no text"),
        ({"a.toml": WITH_LIST}, "the list 'dogs.csv' cannot be read"),
        ({"a.toml": WITH_LIST, "dogs.csv": "x\n"}, "has no column 'name'"),
        ({"a.toml": GOOD.replace('"licensing"', '"parks"')}, "department 'parks' is not in"),
        ({"a.toml": "a = " + "[" * 5000 + "]" * 5000}, "a.toml"),
        ({}, "no template"),
        ({"a.csv": "x\n"}, "no template"),
    ],
    ids=["mistake", "no TOML", "no text", "no list", "no column", "department", "deep", "empty",
         "lists alone"],
)  # fmt: skip
def test_a_bad_template_is_refused(there: Path, files: dict[str, str | bytes], said: str) -> None:
    """When one template has a mistake, or there is none, nothing is put there."""
    assert said in refused(zipped(files), there)


def test_what_is_there_is_not_overwritten(there: Path) -> None:
    """A template that is there already stays, unless it is to be replaced."""
    packed = zipped({"new.toml": GOOD, "old.toml": GOOD.replace("dog-licence", "cat-licence")})
    assert "'old.toml' is in" in refused(packed, there)
    assert unpack(packed, there, DEPARTMENTS, replace=True) == ["new.toml", "old.toml"]
    assert "cat-licence" in (there / "old.toml").read_text()


def test_a_form_that_is_there_under_another_file_is_there_already(
    tmp_path: Path, there: Path
) -> None:
    """An import never leaves a folder of templates that no command can load."""
    settings = configured(tmp_path, forms={"folder": str(there)})
    (there / "old.toml").write_text(GOOD, encoding="utf-8")
    load_forms(settings)
    assert "dog-licence" in refused(zipped({"dogs.toml": GOOD}), there)
    load_forms(settings)


def test_a_parcel_with_one_form_twice_is_refused(there: Path) -> None:
    """Two templates of one name and printing could not be loaded."""
    assert "dog-licence" in refused(zipped({"a.toml": GOOD, "b.toml": GOOD}), there)
