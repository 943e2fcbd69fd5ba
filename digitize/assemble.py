"""Records out of a file's pages: where one ends, which form it is, its title, date and status."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from digitize.forms import FormTemplate, form_named
from digitize.identify import stands_twice
from records.checking import DISAGREE
from records.filing import Draft
from records.model import (
    DocumentStatus,
    Field,
    FieldStatus,
    Line,
    PageFailure,
    PageResult,
)
from records.settings import Settings

_TITLE_LENGTH = 90
_YEARS_AHEAD = 10  # of the year that a record can be of
Reading = PageResult | PageFailure


def assemble(
    pages: Sequence[Reading],
    name: str,
    department: str,
    forms: Mapping[str, FormTemplate],
    settings: Settings,
) -> list[Draft]:
    """Put together the records that a file's pages make up, in order.

    ``department`` is the one that a person chose, or empty: then the form's own, or the default.
    """
    runs = split(pages, settings.intake.split, settings.intake.split_every)
    return [
        put_together(
            run, name if len(runs) == 1 else f"{name} ({part})", department, forms, settings
        )
        for part, run in enumerate(runs, 1)
    ]


def as_corrected(draft: Draft, said: Sequence[Field], forms: Mapping[str, FormTemplate]) -> Draft:
    """Return a draft whose title, date and status follow what a person has ``said`` of its fields.

    A record that is read again would else be called by the machine's reading once more.
    """
    by_name = {field.name: field for field in said if field.by_person}
    if not by_name or draft.status is DocumentStatus.FAILED:
        return draft
    form = form_named(forms, draft.form)
    fields = tuple(by_name.get(field.name, field) for field in draft.fields)
    return replace(
        draft,
        fields=fields,
        title=record_title(form, fields) or draft.title,
        date=record_date(form, fields),
        status=record_status(fields, draft.reasons),
    )


def as_settled(draft: Draft, settled: Collection[str]) -> Draft:
    """Return a draft without the reasons that a person has found in order before."""
    reasons = tuple(reason for reason in draft.reasons if reason not in settled)
    failed = draft.status is DocumentStatus.FAILED
    status = draft.status if failed else record_status(draft.fields, reasons)
    return replace(draft, reasons=reasons, status=status)


def split(pages: Sequence[Reading], at: Sequence[str], every: int = 0) -> list[list[Reading]]:
    """Part pages into records: ``at`` separator sheets, blank pages and a form's first page.

    A new one also begins after ``every`` so many pages (0: not), counted from the last beginning.
    A sheet that ends a record is kept as its last page, or the first of the first record, so that
    every page of the file stays somewhere. No record has blank pages and separator sheets alone.
    """
    runs: list[list[Reading]] = [[]]
    ended, count = False, 0
    for page in pages:
        # Sheets that follow a separator, its own blank reverse say, begin no record.
        starts = ended and not _is_sheet(page)
        starts = starts or ("form" in at and isinstance(page, PageResult) and page.form_page == 1)
        if starts or (every and count == every):
            runs.append([])
            count = 0
        runs[-1].append(page)
        ended = _ends(page, at) or (ended and _is_sheet(page))
        count += not ended
    return _with_their_sheets(runs)


def _ends(page: Reading, at: Sequence[str]) -> bool:
    """Say whether a page is a sheet that parts records."""
    if isinstance(page, PageFailure):
        return False
    return (page.separator and "separator" in at) or (page.blank and "blank" in at)


def _with_their_sheets(runs: Iterable[list[Reading]]) -> list[list[Reading]]:
    """Lay runs of sheets alone to the record before them, or to the first one."""
    records: list[list[Reading]] = [[]]
    for run in runs:
        if all(map(_is_sheet, run)) or all(map(_is_sheet, records[-1])):
            records[-1] += run
        else:
            records.append(run)
    return records


def _is_sheet(page: Reading) -> bool:
    return isinstance(page, PageResult) and (page.separator or page.blank)


def put_together(
    pages: Sequence[Reading],
    name: str,
    department: str,
    forms: Mapping[str, FormTemplate],
    settings: Settings,
) -> Draft:
    """Return one record of these pages; see ``assemble``."""
    read = [p for p in pages if isinstance(p, PageResult)]
    form = next((f for p in read if (f := form_named(forms, p.form, p.template))), None)
    fields = _fields(form, read)
    reasons = _page_reasons(pages, form, settings.forms.page_sure)
    twice = frozenset(f.name for f in form.fields if f.twice) if form else frozenset[str]()
    own = form.department if form and form.department else settings.intake.department
    return Draft(
        pages=tuple(p.number for p in pages),
        form=form.name if form else None,
        department=department or own,
        title=record_title(form, fields) or first_words(ln for p in read for ln in p.lines) or name,
        date=record_date(form, fields),
        status=record_status(fields, reasons) if read else DocumentStatus.FAILED,
        reasons=tuple(reasons),
        fields=fields,
        sampled=_sampled(form, fields, read, settings.check.sample),
        twice=twice,
    )


def _sampled(
    form: FormTemplate | None, fields: Sequence[Field], pages: Sequence[PageResult], share: float
) -> frozenset[str]:
    """Draw fields that passed unseen to be looked at all the same; again the same ones.

    The draw is made by the page's picture and the field's name, so that nobody can foresee it and
    reading again changes nothing.
    """
    if form is None:
        return frozenset()
    share = share if form.sample is None else form.sample
    images = {page.number: page.image for page in pages}
    drawn = {f.name: f"{images.get(f.page, '')} {f.name}".encode() for f in fields}
    return frozenset(
        name
        for name, seed in drawn.items()
        if int.from_bytes(hashlib.sha256(seed).digest()[:6], "big") < share * 2**48
    )


def _fields(form: FormTemplate | None, pages: Sequence[PageResult]) -> tuple[Field, ...]:
    """Return the fields of the form that its pages have."""
    if form is None:
        return ()
    found = merged(page.fields for page in pages if page.form == form.name)
    return tuple(found[f.name] for f in form.fields if f.name in found)


def merged(pages: Iterable[Sequence[Field]]) -> dict[str, Field]:
    """Return fields by name, each from the first page where it is filled in, or the first."""
    found: dict[str, Field] = {}
    for fields in pages:
        for field in fields:
            if field.name not in found or (field.value and not found[field.name].value):
                found[field.name] = field
    return found


def _page_reasons(pages: Sequence[Reading], form: FormTemplate | None, sure: float) -> list[str]:
    reasons = []
    for page in pages:
        if isinstance(page, PageFailure):
            reasons.append(page.message)
        elif not page.blank and not page.separator and page.confidence < sure:
            reasons.append(f"page {page.number} is hard to read")
    if form is not None:
        own = [p for p in pages if isinstance(p, PageResult) and p.form == form.name]
        reasons += _of_the_form([p.form_page for p in own], form.pages)
        reasons += [
            f"page {p.number} holds the form twice, and only the first was read"
            for p in own
            if stands_twice(p.lines, form, p.form_page)
        ]
    return reasons


def _of_the_form(seen: Sequence[int], pages: int) -> list[str]:
    """Say which pages of a form of so many are missing, there more than once, or out of order."""
    missing = [n for n in range(1, pages + 1) if n not in seen]
    many = [n for n in sorted(set(seen)) if seen.count(n) > 1]
    disorder = [(one, other) for one, other in pairwise(dict.fromkeys(seen)) if one > other]
    return [
        *(f"page {n} of the form is missing" for n in missing),
        *(f"page {n} of the form is there {_times(seen.count(n))}" for n in many),
        *(f"page {one} of the form lies before page {other}" for one, other in disorder),
    ]


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def record_status(fields: Sequence[Field], reasons: Sequence[str]) -> DocumentStatus:
    """Say whether a person must look at a record."""
    differ = any(f.by_person and any(r.startswith(DISAGREE) for r in f.reasons) for f in fields)
    doubt = differ or any(f.status not in (FieldStatus.OK, FieldStatus.CORRECTED) for f in fields)
    return DocumentStatus.NEEDS_REVIEW if doubt or reasons else DocumentStatus.FILED


def record_title(form: FormTemplate | None, fields: Sequence[Field]) -> str:
    """Return a record's title as its form says, or empty when all it would name is missing."""
    if form is None:
        return ""
    values = {f.name: f.value for f in fields}
    if not form.record_title:
        return form.title
    named = [key for _, key, _, _ in string.Formatter().parse(form.record_title) if key]
    if not any(values.get(key) for key in named):
        return form.title
    filled = re.sub(r"\{(.*?)\}", lambda key: values.get(key[1]) or "?", form.record_title)
    return filled[:_TITLE_LENGTH]


def record_date(form: FormTemplate | None, fields: Sequence[Field]) -> str | None:
    """Return the record's date (ISO 8601) when its form names a field for it that holds one.

    A day that lies years ahead was misread: 2218 for 2018 would be the first year of every list.
    """
    if form is None or form.date is None:
        return None
    dated = next((f for f in fields if f.name == form.date), None)
    if dated is None or len(dated.value) != 10 or "is no date" in " ".join(dated.reasons):
        return None
    return dated.value if dated.value < str(date.today().year + _YEARS_AHEAD) else None


def first_words(text: Iterable[Line]) -> str:
    """Return the first line or two of a record that read like a title; empty when none does."""
    lines: list[str] = []
    for line in text:
        sure = all(w.confidence > 0.6 for w in line.words)
        if sure and sum(c.isalpha() for c in line.text) >= 8:
            lines.append(line.text)
        if sum(map(len, lines)) >= _TITLE_LENGTH // 2 or len(lines) == 2:
            break
    return " - ".join(lines)[:_TITLE_LENGTH]
