"""Commands about what a form's records teach: how its fields are read, and what would be better."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from tabulate import tabulate

from digitize.cli.forms import forms
from digitize.cli.printing import cut, say_json, width
from digitize.cli.session import Session, json_option, pass_session
from digitize.experience import (
    LEAST_CHECKED,
    Answered,
    Experience,
    Passing,
    Standing,
    by_field,
    gather,
    lacking,
    standing,
    threshold,
)
from digitize.forms import FieldTemplate, FormTemplate, names, printings
from digitize.learning import Change, Edited, edit, propose
from digitize.values import Reading
from digitize.verified import placed
from records.archive import write_durably
from records.errors import FormError, NotFoundError

# The places of answers are taken from so many of the newest verified records.
_MOST_RECORDS = 500
_HEAD = ("field", "read", "unseen", "seen", "checked", "wrong", "at most", "sure", "to see")
# What the columns of the report take beside the field's name.
_COLUMNS = 63


@dataclass(frozen=True, slots=True)
class FieldReport:
    """One field of the report; ``keeps`` keeps its ``max_error``, ``lacking`` checked are missing.

    ``lacking`` is 0 where there is no ``max_error``, or enough was checked.
    """

    form: str
    field: FieldTemplate
    standing: Standing
    keeps: Passing | None
    lacking: int


@forms.command("report")
@click.argument("form", required=False)
@json_option
@pass_session
def report(session: Session, form: str | None, as_json: bool) -> None:
    """Say how well each field is read, of one form or all.

    What people corrected or confirmed is the truth that readings are held
    against. For a field with a max_error it says which threshold keeps it, and
    what share of the readings a person must then see.
    """
    templates = _templates(session, form)
    answers = gather(session.installation.store, session.installation.forms, form)
    experiences = by_field(answers, session.installation.forms)
    found = [
        _field_report(template.key, field, experiences[template.key, field.name])
        for template in templates
        for field in template.fields
        if (template.key, field.name) in experiences
    ]
    if as_json:
        say_json([_report_json(each) for each in found])
        return
    if not found:
        which = f"the form '{form}'" if form else "a known form"
        click.echo(f"There are no records of {which}.")
        return
    for template in templates:
        if own := [each for each in found if each.form == template.key]:
            _show_report(template, own)
    _say(
        "checked: of those that passed unseen, how many a person corrected or confirmed; wrong: "
        "how many of these were wrong, and at most, at 95 %; sure: keeps max_error, with the share "
        "that a person has to see."
    )


def _templates(session: Session, name: str | None) -> tuple[FormTemplate, ...]:
    known = session.installation.forms
    if name is None:
        return tuple(known.values())
    found = printings(known, name)
    if not found:
        there = ", ".join(sorted(names(known.values())))
        raise NotFoundError(f"There is no form '{name}'; use one of: {there}.")
    return found


def _field_report(
    form: str, field: FieldTemplate, experiences: Sequence[Experience]
) -> FieldReport:
    wanted = field.max_error
    return FieldReport(
        form=form,
        field=field,
        standing=standing(experiences),
        keeps=threshold(experiences, wanted) if wanted else None,
        lacking=lacking(experiences, wanted) if wanted else 0,
    )


def _show_report(template: FormTemplate, found: Sequence[FieldReport]) -> None:
    click.echo(f"{template.key}: {cut(template.title, width() - len(template.key) - 2)}")
    _narrow_table([_HEAD, *(_row(each) for each in found)])
    for each in found:
        if each.field.max_error and not each.keeps:
            _say(f"{each.field.name}: {_why_none(each)}")
    click.echo()


def _narrow_table(rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose columns are no wider than they must be, figures on the right.

    ``printing.table`` keeps two more columns free beside each heading, 18 of the 80.
    """
    rules = ["-" * max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ("left", *["right"] * (len(rules) - 1))
    lines = [rows[0], rules, *rows[1:]]
    click.echo(tabulate(lines, tablefmt="plain", colalign=sides, disable_numparse=True))


def _row(each: FieldReport) -> tuple[str, ...]:
    found, keeps = each.standing, each.keeps
    return (
        cut(each.field.name, width() - _COLUMNS),
        f"{found.read}",
        f"{found.unseen / found.read:.0%}",
        f"{1 - found.unseen / found.read:.0%}",
        f"{found.passed_checked}",
        "-" if found.error is None else f"{found.error:.1%}",
        "-" if found.at_most is None else f"{found.at_most:.1%}",
        f"{keeps.sure:g}" if keeps else "",
        f"{keeps.seen:.0%}" if keeps else "",
    )


def _why_none(each: FieldReport) -> str:
    """Say why no threshold is named, as a sentence."""
    if each.field.filled == "hand":
        return "it is filled in by hand, so a person sees it at any threshold."
    return (
        f"{each.lacking} more right readings must be checked before it can be said which "
        f"threshold keeps a max_error of {each.field.max_error:g}."
    )


def _report_json(each: FieldReport) -> dict[str, object]:
    found, keeps = each.standing, each.keeps
    return {
        "form": each.form,
        "field": each.field.name,
        "read": found.read,
        "unseen": round(found.unseen / found.read, 4),
        "seen": round(1 - found.unseen / found.read, 4),
        "checked": found.passed_checked,
        "wrong": found.wrong,
        "error": None if found.error is None else round(found.error, 4),
        "at_most": None if found.at_most is None else round(found.at_most, 4),
        "max_error": each.field.max_error,
        "sure": keeps.sure if keeps else None,
        "to_see": round(keeps.seen, 4) if keeps else None,
        "lacking": each.lacking,
    }


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the records of one printing teach: its file as it is and as it should be."""

    form: FormTemplate
    path: Path
    before: str
    edited: Edited

    @property
    def diff(self) -> str:
        lines = difflib.unified_diff(
            self.before.splitlines(),
            self.edited.text.splitlines(),
            str(self.path),
            str(self.path),
            lineterm="",
        )
        return "".join(f"{line}\n" for line in lines)


@forms.command("learn")
@click.argument("form")
@click.option("--write", is_flag=True, help="Accept what is proposed: change the template.")
@json_option
@pass_session
def learn(session: Session, form: str, write: bool, as_json: bool) -> None:
    """Propose a better template from what people corrected.

    Thresholds, lists of values, labels and zones are held against what people
    corrected and confirmed. What should change is shown as a difference of the
    template's file; without --write nothing is changed.
    """
    templates = _templates(session, form)
    installation = session.installation
    verified: list[Answered] = []
    answers = _noting(gather(installation.store, installation.forms, form), verified)
    experiences = by_field(answers, installation.forms)
    lessons = [_lesson(session, template, experiences, verified) for template in templates]
    changed = [lesson for lesson in lessons if lesson.edited.made]
    if write:
        for lesson in changed:
            _write(lesson)
    read, records = sum(map(len, experiences.values())), len({v.record for v in verified})
    truth = f"people have checked {len(verified)} of {read} answers, in {records} record(s)"
    if as_json:
        say_json(_lessons_json(form, lessons, len(verified), read, write and bool(changed)))
        return
    _show_lessons(form, lessons, truth, write)


def _noting(answers: Iterable[Answered], verified: list[Answered]) -> Iterator[Answered]:
    """Pass answers on, keeping those that a person has verified."""
    for answered in answers:
        if answered.said is not None:
            verified.append(answered)
        yield answered


def _lesson(
    session: Session,
    form: FormTemplate,
    experiences: dict[tuple[str, str], list[Experience]],
    verified: Sequence[Answered],
) -> Lesson:
    assert form.path is not None
    settings = session.settings.forms
    before = _text(form.path)
    own = [v for v in verified if v.form == form.key]
    newest = sorted({v.record for v in own})[-_MOST_RECORDS:]
    recent = [v for v in own if newest and v.record >= newest[0]]
    customs = Reading(settings.day_first, settings.region)
    places = list(placed(session.installation.store, form, recent, customs))
    by_name = {name: found for (key, name), found in experiences.items() if key == form.key}
    changes = propose(form, by_name, own, places, settings.sure)
    departments = frozenset(d.name for d in session.settings.departments)
    return Lesson(form, form.path, before, edit(form, before, changes, departments))


def _text(path: Path) -> str:
    """Return a template's text with the ends of its lines as they are."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(f"The form template '{path}' cannot be read ({error}).") from None


def _write(lesson: Lesson) -> None:
    """Put a changed template in place of its file, or of the one that a link leads to."""
    path = lesson.path.resolve()
    mode = path.stat().st_mode & 0o7777
    write_durably(path, lesson.edited.text.encode("utf-8"))
    path.chmod(mode)


def _show_lessons(form: str, lessons: Sequence[Lesson], truth: str, write: bool) -> None:
    changed = [lesson for lesson in lessons if lesson.edited.made]
    dropped = [sentence for lesson in lessons for sentence in lesson.edited.dropped]
    for sentence in dropped:
        _say(sentence)
    if not changed:
        what = "nothing else" if dropped else "nothing"
        least = f"a threshold takes {LEAST_CHECKED} of one field"
        _say(f"There is {what} to propose for '{form}': {truth}; {least}.")
        return
    _say(f"{form}: {truth}.")
    for lesson in changed:
        click.echo()
        for change in lesson.edited.made:
            _say(f"{change.field.name}: {change.key}: {change.why}.")
        click.echo()
        click.echo(lesson.diff, nl=False)
    click.echo()
    if write:
        files = ", ".join(f"'{lesson.path.name}'" for lesson in changed)
        _say(f"Changed: {files}. See what comes out otherwise for kept records:")
        click.echo(f"  digitize reread --form {form}")
    else:
        _say("Nothing is changed yet; accept it:")
        click.echo(f"  digitize forms learn {form} --write")


def _lessons_json(
    form: str, lessons: Sequence[Lesson], checked: int, read: int, written: bool
) -> dict[str, object]:
    return {
        "form": form,
        "checked": checked,
        "read": read,
        "written": written,
        "templates": [
            {
                "file": lesson.path.name,
                "changes": [_change_json(change) for change in lesson.edited.made],
                "dropped": list(lesson.edited.dropped),
                "diff": lesson.diff,
            }
            for lesson in lessons
        ],
    }


def _change_json(change: Change) -> dict[str, object]:
    value = getattr(change.field, change.key)
    value = list(value) if isinstance(value, tuple) else value
    return {"field": change.field.name, "key": change.key, "to": value, "why": change.why}


def _say(sentence: str) -> None:
    click.echo(textwrap.fill(sentence, width(), subsequent_indent="  ", break_on_hyphens=False))
