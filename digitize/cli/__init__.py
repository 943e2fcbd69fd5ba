"""The command line: one boundary, where errors become a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from digitize import __version__
from digitize.cli import adding, again, finding, forms, site, upkeep
from digitize.cli import forms_learning as forms_learning  # its commands join the group of forms
from digitize.cli.session import Session
from records.errors import DigitizeError, ExitCode
from records.settings import find_config


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file; else DIGITIZE_CONFIG, else config.toml in this folder.",
)
@click.version_option(__version__, prog_name="digitize")
@click.pass_context
def digitize(context: click.Context, config: Path | None) -> None:
    """Turn paper into records that people can find, trust and correct.

    \b
    Scan a drawer into a folder, then:
      digitize import FOLDER        read it into records
      digitize search WORDS         find them
      digitize serve                open the site for the others
    """
    context.obj = Session(find_config(config))


for module in (adding, again, finding, forms, upkeep, site):
    for command in module.COMMANDS:
        digitize.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # names on the disk can hold what no text can
    try:
        result = digitize.main(arguments, prog_name="digitize", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.OTHER
    except DigitizeError as error:
        click.echo(f"digitize: {error}", err=True)
        return error.exit_code
    except sqlite3.DatabaseError as error:
        click.echo(f"digitize: {_database_sentence(error)}", err=True)
        return ExitCode.BUSY if "locked" in str(error) else ExitCode.OTHER
    except (click.Abort, KeyboardInterrupt):
        click.echo("\ndigitize: stopped; nothing that was accepted is lost, "
                   "run the same command again to go on.", err=True)  # fmt: skip
        return ExitCode.OTHER
    except BrokenPipeError:  # the reader of our output, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OTHER
    except OSError as error:
        what = f"'{error.filename}' could not be used" if error.filename else "The disk failed"
        click.echo(f"digitize: {what} ({error.strerror}); see that it is there, has room and may "
                   "be used, then try again.", err=True)  # fmt: skip
        return ExitCode.OTHER
    except UnicodeEncodeError:
        click.echo("digitize: A word of the command is not UTF-8 text; type it anew.", err=True)
        return ExitCode.USAGE
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _database_sentence(error: sqlite3.DatabaseError) -> str:
    if "locked" in str(error):
        return "The database is busy; try again in a minute."
    return f"The database could not be used ({error}); see that its disk has room, then try again."
