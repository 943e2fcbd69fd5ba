"""A web page, all in one file, that shows what was read on trial: boxes over the scans."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from digitize import image
from digitize.forms import Forms, form_named
from digitize.identify import as_form, register
from digitize.trial import TrialFile
from records.geometry import Box
from records.model import Field, FieldStatus, PageFailure, PageResult

_WIDTH = 900  # pixels of the pictures
_COLOURS = {
    FieldStatus.OK: "#1a7f37",
    FieldStatus.MISSING: "#b35900",
    FieldStatus.UNSURE: "#b35900",
    FieldStatus.INVALID: "#c4221a",
    FieldStatus.CORRECTED: "#1a7f37",
}
_STYLE = """
body { font: 16px/1.4 sans-serif; margin: 1.5em; color: #1d1d1d; background: #fff }
section { display: flex; gap: 1.5em; align-items: flex-start; margin-bottom: 2em }
figure { position: relative; margin: 0; border: 1px solid #999; flex: none }
figure img, figure svg { display: block; width: 100% }
figure svg { position: absolute; inset: 0; height: 100% }
table { border-collapse: collapse }
td, th { text-align: left; vertical-align: top; padding: .25em .6em; border-bottom: 1px solid #ccc }
.mark { font-weight: bold }
"""


def trial_page(title: str, files: Sequence[TrialFile], forms: Forms) -> str:
    """Return the page as HTML that needs nothing from elsewhere.

    What was taken is framed, and the zones of the template, one of ``forms``, are dashed.
    """
    body = "\n".join(_file(file, forms) for file in files)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>\n<h1>{escape(title)}</h1>\n{body}\n</html>\n"
    )


def _file(file: TrialFile, forms: Forms) -> str:
    head = f"<h2>{escape(file.name)}</h2>\n"
    if file.message:
        head += f"<p>{escape(file.message)}</p>\n"
    for record in file.records:
        reasons = "; ".join(record.document.reasons)
        if reasons:
            head += f"<p>{escape(reasons)}</p>\n"
    pages = zip(file.pages, file.pictures, strict=True)
    return head + "\n".join(_page(page, picture, forms) for page, picture in pages)


def _page(page: PageResult | PageFailure, picture: bytes | None, forms: Forms) -> str:
    if isinstance(page, PageFailure) or picture is None:
        return f"<p>{escape(page.message) if isinstance(page, PageFailure) else ''}</p>"
    jpeg = base64.b64encode(image.rendition(picture, _WIDTH)).decode()
    boxes = "".join(
        _rectangle(field.box, number, _COLOURS[field.status], page.size)
        for number, field in enumerate(page.fields, 1)
        if field.box
    )
    boxes += "".join(_dashed(zone, page.size) for zone in _zones(page, forms))
    width, height = page.size
    shown = min(_WIDTH, width)
    known = f"{page.form}, page {page.form_page}" if page.form else "no known form"
    rows = "".join(_row(number, field) for number, field in enumerate(page.fields, 1))
    table = (
        "<table><tr><th>#<th>Field<th>Value<th>Sure<th>Found by<th>Look at it because</tr>"
        f"{rows}</table>"
        if rows
        else ""
    )
    return (
        f"<h3>Page {page.number}: {escape(known)}</h3>\n<section>"
        f'<figure style="width:{shown}px"><img src="data:image/jpeg;base64,{jpeg}" alt="the page">'
        f'<svg viewBox="0 0 {width} {height}">{boxes}</svg></figure>{table}</section>'
    )


def _zones(page: PageResult, forms: Forms) -> list[Box]:
    """Return where the template's zones lie on a page that is a known form."""
    form = form_named(forms, page.form, page.template)
    if form is None:
        return []
    place = register(as_form(page.lines, form, page.form_page), page.size)
    fields = form.fields_on(page.form_page)
    zones = [zone for f in fields for zone in (f.zone, *(o.zone for o in f.options)) if zone]
    return [place.box(zone) for zone in zones]


def _dashed(box: Box, size: tuple[int, int]) -> str:
    thick = max(1, size[0] // 800)
    return (
        f'<rect x="{box.left}" y="{box.top}" width="{max(0, box.width)}" '
        f'height="{max(0, box.height)}" fill="none" stroke="#0550ae" stroke-width="{thick}" '
        f'stroke-dasharray="{6 * thick} {4 * thick}"/>'
    )


def _rectangle(box: Box, number: int, colour: str, size: tuple[int, int]) -> str:
    thick = max(2, size[0] // 400)
    letter = max(18, size[0] // 45)
    return (
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" fill="none" '
        f'stroke="{colour}" stroke-width="{thick}"/>'
        f'<text x="{max(0, box.left - letter)}" y="{box.top + letter}" font-size="{letter}" '
        f'fill="{colour}">{number}</text>'
    )


def _row(number: int, field: Field) -> str:
    colour = _COLOURS[field.status]
    cells = (
        f'<td class="mark" style="color:{colour}">{number}',
        f"<td>{escape(field.label)}<br><small>{escape(field.name)}</small>",
        f"<td>{escape(field.value) or '-'}",
        f"<td>{int(field.confidence * 100)}%",
        f"<td>{escape(field.found_by) or '-'}",
        f"<td>{escape('; '.join(field.reasons)) or '-'}",
    )
    return f"<tr>{''.join(cells)}</tr>"
