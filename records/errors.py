"""Errors that a person can meet, each with the exit code that the command line ends with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended; documented in docs/commands.md."""

    DONE = 0
    OTHER = 1
    USAGE = 2
    INPUT = 3
    PROGRAM_MISSING = 4
    BUSY = 5
    CHECK_FOUND_PROBLEMS = 6
    PAGES_FAILED = 7


class DigitizeError(Exception):
    """Base of every error that a person can meet; its text is one sentence for them."""

    exit_code = ExitCode.OTHER


class SettingsError(DigitizeError):
    """The settings or the words of a command are wrong."""

    exit_code = ExitCode.USAGE


class FormError(SettingsError):
    """A form template cannot be used."""


class InputError(DigitizeError):
    """What was handed in cannot be used: the file, the record or the value is named."""

    exit_code = ExitCode.INPUT


class NotFoundError(InputError):
    """There is no such record, field, page or person (or this person may not see it)."""


class StaleVersionError(InputError):
    """The record was changed by someone else since it was read."""


class DecidedAlreadyError(StaleVersionError):
    """This person has decided it before, in another window or by another way of asking."""


class ProgramMissingError(DigitizeError):
    """An outside program or one of its languages is not installed."""

    exit_code = ExitCode.PROGRAM_MISSING


class BusyError(DigitizeError):
    """Something else holds what is needed; trying again later will do."""

    exit_code = ExitCode.BUSY


class ArchiveError(DigitizeError):
    """The archive folder is missing, is another archive's, or has no room left."""


class NotAllowedError(DigitizeError):
    """This person's role does not allow the action."""


def stale(document_id: int) -> StaleVersionError:
    """Return the error that says that a record is no longer what a person was shown."""
    return StaleVersionError(
        f"Record {document_id} was changed by someone else meanwhile; "
        "look at it again, then say it once more."
    )
