"""The command line of intake: look at a mail the way the desk reads it."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from deskwire_intake.auditing.commands import ledger
from deskwire_intake.mail import ParsedMail, detailed_json_view, json_view
from deskwire_intake.reading import read_mail

MAX_MAIL_BYTES = 100 * 1024 * 1024

mail = typer.Typer(add_completion=False, help="Look at mails the way the desk reads them.", no_args_is_help=True)
mail.command("ledger")(ledger)


@mail.callback()
def about() -> None:
    """Look at mails the way the desk reads them."""


@mail.command("parse")
def parse(
    files: Annotated[
        list[str],
        typer.Argument(help="Mail files; `-` reads paths from standard input, one a line, plain or as JSON strings."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per mail.")] = False,
    raw_key: Annotated[
        bool, typer.Option("--raw-key", help="Read mails the desk has kept: FILES are their keys, like raw/5f/5f0c….")
    ] = False,
    details: Annotated[
        bool, typer.Option("--details", help="With --json: what servers say of the mail, and what its files are, too.")
    ] = False,
) -> None:
    """Parse mails and print what they say."""
    failed = False
    view, read = (detailed_json_view if details else json_view), (_read_kept if raw_key else _read)
    for path in _paths(files):
        try:
            parsed = read_mail(read(path))
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL character, a mail over the limit
            failed = True
            typer.echo(json.dumps({"path": path, "error": _reason(error)}), err=True)
            continue
        typer.echo(json.dumps(view(parsed)) if as_json else _summary(path, parsed))
    raise typer.Exit(1 if failed else 0)


def _paths(files: list[str]) -> Iterator[str]:
    for name in files:
        if name == "-":
            yield from filter(None, map(_path, sys.stdin))
        else:
            yield name


def _path(line: str) -> str:
    """Read a line as a path, or as a JSON string of one."""
    line = line.rstrip("\r\n")
    if not line.startswith('"'):
        return line
    try:
        path = json.loads(line)
    except ValueError:
        return line
    return path if isinstance(path, str) else line


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return _bounded(file.read(MAX_MAIL_BYTES + 1))


def _read_kept(key: str) -> bytes:
    """Read a mail from the object store. Raises OSError."""
    from deskwire_shared.runtime.desk import open_objects
    from deskwire_shared.runtime.objects import ObjectMissing, Objects, ObjectStoreUnavailable
    from deskwire_shared.runtime.settings import CommonSettings

    try:
        return _bounded(asyncio.run(Objects(open_objects(CommonSettings())).get(key)))
    except ObjectMissing as error:
        raise FileNotFoundError("nothing is kept under that key") from error
    except ObjectStoreUnavailable as error:
        raise OSError(str(error)) from error


def _bounded(raw: bytes) -> bytes:
    if len(raw) > MAX_MAIL_BYTES:
        raise ValueError(f"larger than {MAX_MAIL_BYTES} bytes")
    return raw


def _reason(error: OSError | ValueError) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _summary(path: str, parsed: ParsedMail) -> str:
    sender = f"{parsed.from_.name} <{parsed.from_.address}>".strip() if parsed.from_ else "nobody"
    lines = [
        f"{path}: {parsed.subject or '(no subject)'}",
        f"  from {sender}, {parsed.date.isoformat() if parsed.date else 'no date'}",
        *(f"  attachment {a.filename} ({a.content_type}, {a.size} bytes)" for a in parsed.attachments),
        *(f"  defect: {defect}" for defect in parsed.defects),
        *(f"  | {line}" for line in parsed.reply_text.removesuffix(parsed.signature or "").rstrip().split("\n")),
        *(f"  ~ {line}" for line in (parsed.signature or "").splitlines()),
    ]
    return "\n".join(lines)
