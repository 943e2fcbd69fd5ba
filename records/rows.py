"""Database rows to values and back: pure functions, one pair a type."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, replace
from itertools import accumulate, chain
from typing import Any

from records.geometry import Box, Corners, PageGeometry
from records.model import (
    AuditRow,
    Document,
    DocumentStatus,
    Field,
    FieldStatus,
    Line,
    Original,
    Page,
    PageFailure,
    PageKey,
    PageKind,
    PageResult,
    PageWords,
    Pair,
    TemplateText,
    Word,
    WordReading,
)
from records.overlaying import Correction, LaidLine, PageText, lay_over, lines_of, said_pairs


def lines(words: str) -> tuple[Line, ...]:
    """Read a page's ``words`` column: a list of lines, each a list of words.

    A word is [text, left, top, right, bottom, confidence], and its readings behind these where it
    has any: [reader, text, confidence] each, with no text where it is the word's own.
    """
    return tuple(Line(tuple(_word(word) for word in line)) for line in json.loads(words))


def page_words(row: sqlite3.Row) -> PageWords:
    """Read a page no further than to its words and their edges; see ``laid_lines`` for the row."""
    if row["corrected"] != "[]":
        return PageWords.of(lines_of(laid_lines(row)))
    made = json.loads(row["words"])
    return PageWords(list(chain.from_iterable(made)), list(accumulate(map(len, made))))


def _word(cells: list[Any]) -> Word:
    text, left, top, right, bottom, confidence, *others = cells
    readings = tuple(WordReading(reader, said or text, sure) for reader, said, sure in others)
    return Word(text, Box(left, top, right, bottom), confidence, readings)


def laid_lines(row: sqlite3.Row) -> tuple[LaidLine, ...]:
    """Read a page's lines with its standing corrections laid over them.

    The row has ``words``, ``geometry`` and ``corrected``: a list of [id, places, was, text,
    person, at] each.
    """
    kept = json.loads(row["corrected"])
    shape = geometry(row["geometry"]) if kept else None
    if shape is None or not shape.original[0]:  # a page that could not be read has no places
        return lay_over(lines(row["words"]), ())
    said = [
        Correction(number, tuple(map(shape.box_of_corners, places)), *told)
        for number, places, *told in kept
    ]
    return lay_over(lines(row["words"]), said)


def laid_pairs(row: sqlite3.Row) -> tuple[Pair, ...]:
    """Read a page's ``pairs`` with what people have said of their words; see ``laid_lines``."""
    kept = pairs(row["pairs"])
    return said_pairs(kept, laid_lines(row)) if kept and row["corrected"] != "[]" else kept


def page_text(row: sqlite3.Row) -> PageText:
    """Read a page's text, from what ``laid_lines`` needs with the page's file and number there."""
    return PageText(row["sha256"], row["number"], geometry(row["geometry"]), laid_lines(row))


def places_column(places: tuple[Box, ...], shape: PageGeometry) -> str:
    """Write where a correction stands, for the ``places`` column of ``text_corrections``."""
    corners: list[Corners] = [shape.corners_on_original(place) for place in places]
    return json.dumps(corners, separators=(",", ":"))


def _cells(word: Word) -> list[Any]:
    readings = [
        [r.reader, "" if r.text == word.text else r.text, round(r.confidence, 4)]
        for r in word.readings
    ]
    return [word.text, *word.box, round(word.confidence, 4), *readings]


def words_column(made: tuple[Line, ...]) -> str:
    """Write a page's lines for its ``words`` column."""
    return json.dumps(
        [[_cells(word) for word in line.words] for line in made],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def geometry_column(geometry: PageGeometry) -> str:
    """Write a page's geometry for its column."""
    return json.dumps(asdict(geometry))


def geometry(column: str) -> PageGeometry:
    """Read a page's geometry from its column."""
    raw = json.loads(column)
    return PageGeometry(
        original=(raw["original"][0], raw["original"][1]),
        turn=raw["turn"],
        skew_degrees=raw["skew_degrees"],
        canvas=(raw["canvas"][0], raw["canvas"][1]),
        crop=Box(*raw["crop"]),
        scale=raw["scale"],
    )


def field_row(field: Field, document_id: int, position: int) -> dict[str, Any]:
    """Return a field as a row of ``fields``."""
    return {
        **asdict(field),
        "document_id": document_id,
        "position": position,
        "box": json.dumps(field.box) if field.box else None,
        "reasons": json.dumps(field.reasons, ensure_ascii=False),
    }


def field(row: sqlite3.Row | dict[str, Any]) -> Field:
    """Read a row of ``fields``."""
    return Field(
        name=row["name"],
        label=row["label"],
        kind=row["kind"],
        raw=row["raw"],
        value=row["value"],
        confidence=row["confidence"],
        page=row["page"],
        box=Box(*json.loads(row["box"])) if row["box"] else None,
        status=FieldStatus(row["status"]),
        reasons=tuple(json.loads(row["reasons"])),
        reader=row["reader"],
        found_by=row["found_by"] if "found_by" in row.keys() else "",  # noqa: SIM118 - a sqlite3.Row
    )


def fields_column(fields: tuple[Field, ...]) -> str:
    """Write what a page's own reading found, for the ``fields`` column of ``pages``."""
    return json.dumps([field_row(f, 0, i) for i, f in enumerate(fields)], ensure_ascii=False)


def pairs_column(made: tuple[Pair, ...]) -> str:
    """Write the label-value pairs of a page for its ``pairs`` column."""
    cells = [[p.label, p.value, *p.label_box, *p.value_box, round(p.confidence, 3)] for p in made]
    return json.dumps(cells, ensure_ascii=False, separators=(",", ":"))


def pairs(column: str) -> tuple[Pair, ...]:
    """Read the label-value pairs of a page from its column."""
    return tuple(
        Pair(cells[0], cells[1], Box(*cells[2:6]), Box(*cells[6:10]), cells[10])
        for cells in json.loads(column)
    )


def page_row(result: PageResult) -> dict[str, Any]:
    """Return a page that was read as a row of ``pages``, without what places it in a record."""
    return {
        "number": result.number,
        "key": result.key,
        "state": "read",
        "kind": result.kind,
        "image": result.image,
        "width": result.size[0],
        "height": result.size[1],
        "dpi": result.dpi,
        "geometry": geometry_column(result.geometry),
        "steps": json.dumps(result.steps),
        "blank": result.blank,
        "separator": result.separator,
        "confidence": result.confidence,
        "form": result.form,
        "form_page": result.form_page,
        "template": result.template,
        "pairs": pairs_column(result.pairs),
        "words": words_column(result.lines),
        "fields": fields_column(result.fields),
        "reader": result.reader,
        "languages": result.languages,
        "exit_code": result.exit_code,
        "seconds": result.seconds,
        "failure": None,
    }


def page_result(row: sqlite3.Row) -> PageResult | PageFailure:
    """Read a row of ``pages`` back as the reading that it keeps."""
    if row["failure"]:
        return PageFailure(**json.loads(row["failure"]))
    return PageResult(
        number=row["number"],
        key=row["key"],
        kind=PageKind(row["kind"]),
        image=row["image"],
        size=(row["width"], row["height"]),
        dpi=row["dpi"],
        geometry=geometry(row["geometry"]),
        steps=tuple(json.loads(row["steps"])),
        blank=bool(row["blank"]),
        lines=lines(row["words"]),
        confidence=row["confidence"],
        form=row["form"],
        form_page=row["form_page"],
        template=row["template"],
        pairs=pairs(row["pairs"]),
        separator=bool(row["separator"]),
        fields=tuple(field(f) for f in json.loads(row["fields"])),
        reader=row["reader"],
        languages=row["languages"],
        exit_code=row["exit_code"],
        seconds=row["seconds"],
    )


def corrected_result(row: sqlite3.Row) -> PageResult | PageFailure:
    """Read a row of ``pages`` back with what people have said of its words; see ``laid_lines``."""
    result = page_result(row)
    if isinstance(result, PageFailure) or row["corrected"] == "[]":
        return result
    return replace(result, lines=lines_of(laid_lines(row)))


def failed_page_row(failure: PageFailure, key: str) -> dict[str, Any]:
    """Return a page that could not be read as a row of ``pages``."""
    nothing = PageGeometry((0, 0), 0, 0.0, (0, 0), Box(0, 0, 0, 0), 1.0)
    return {
        "number": failure.number,
        "key": key,
        "state": "failed",
        "kind": PageKind.SCAN,
        "image": None,
        "width": 0,
        "height": 0,
        "dpi": 0,
        "geometry": geometry_column(nothing),
        "steps": "[]",
        "blank": False,
        "separator": False,
        "confidence": 0.0,
        "form": None,
        "form_page": 0,
        "template": "",
        "pairs": "[]",
        "words": "[]",
        "fields": "[]",
        "reader": "",
        "languages": "",
        "exit_code": -1,
        "seconds": 0.0,
        "failure": json.dumps(asdict(failure), ensure_ascii=False),
    }


def page(row: sqlite3.Row) -> Page:
    """Read a row of ``pages``."""
    failure = PageFailure(**json.loads(row["failure"])) if row["failure"] else None
    return Page(
        id=row["id"],
        document_id=row["document_id"],
        number=row["leaf"],
        position=row["position"],
        key=PageKey(row["sha256"], row["number"]),
        turned=row["turned"],
        state=row["state"],
        kind=PageKind(row["kind"]),
        image=row["image"],
        width=row["width"],
        height=row["height"],
        dpi=row["dpi"],
        geometry=geometry(row["geometry"]),
        steps=tuple(json.loads(row["steps"])),
        blank=bool(row["blank"]),
        separator=bool(row["separator"]),
        confidence=row["confidence"],
        form=row["form"],
        reader=row["reader"],
        failure=failure,
    )


def original(row: sqlite3.Row) -> Original:
    """Read a row of ``originals``."""
    return Original(
        sha256=row["sha256"],
        name=row["name"],
        size=row["size"],
        media_type=row["media_type"],
        page_count=row["page_count"],
        state=row["state"],
        tries=row["tries"],
        accepted_at=row["accepted_at"],
    )


def template(row: sqlite3.Row) -> TemplateText:
    """Read a row of ``templates``."""
    return TemplateText(
        row["digest"], row["form"], row["printing"], row["text"], row["first_used_at"]
    )


def document(row: sqlite3.Row) -> Document:
    """Read a row of ``documents`` joined with its original's and batch's names."""
    return Document(
        id=row["id"],
        sha256=row["sha256"],
        source=row["source"],
        part=row["part"],
        batch=row["batch"],
        department=row["department"],
        form=row["form"],
        title=row["title"],
        date=row["date"],
        status=DocumentStatus(row["status"]),
        reasons=tuple(json.loads(row["reasons"])),
        version=row["version"],
        rev=row["rev"],
        created_at=row["created_at"],
    )


def audit(row: sqlite3.Row) -> AuditRow:
    """Read a row of ``audit``."""
    return AuditRow(
        id=row["id"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        document_id=row["document_id"],
        version=row["version"],
        change=json.loads(row["change"]),
        values=json.loads(row["field_values"]),
        previous=row["previous"],
        hash=row["hash"],
    )
