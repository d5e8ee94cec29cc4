"""The `deskwire sla` commands: business-hours arithmetic and rehearsals on the command line."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, BinaryIO, Self, TypeVar

import typer
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from deskwire_shared.contracts.calendar import Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_sla import calendars
from deskwire_sla.calendars import NaiveInstant

SIZE_LIMIT = 1_000_000
PAUSES_LIMIT = 10_000
CALENDARS_REMEMBERED = 32

_JSON_OBJECT = TypeAdapter(dict[str, JsonValue])

sla = typer.Typer(
    add_completion=False,
    help="When is something due on a calendar, how much open time has passed, and what would a policy have changed?",
    no_args_is_help=True,
)


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is not an ISO 8601 time such as 2026-03-27T16:00:00Z") from error
    if instant.utcoffset() is None:
        raise NaiveInstant(instant)
    return instant


def _pause(value: object) -> object:
    """Accept `START/END`, or `START/` for a pause without an end, beside a pair of times."""
    if not isinstance(value, str):
        return value
    start, _, end = value.partition("/")
    return start, end or None


def _in_order(pause: tuple[datetime, datetime | None]) -> tuple[datetime, datetime | None]:
    start, end = pause
    if end is not None and end < start:
        raise ValueError(f"a pause cannot end at {end.isoformat()}, before it starts at {start.isoformat()}")
    return pause


Instant = Annotated[datetime, BeforeValidator(_instant)]
PauseOfQuestion = Annotated[tuple[Instant, Instant | None], BeforeValidator(_pause), AfterValidator(_in_order)]


class Question(BaseModel):
    """Ask when so many open seconds are due, or how many have elapsed at an end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | int | None = None
    calendar: str | dict[str, JsonValue]
    start: Instant
    seconds: Annotated[int, Field(ge=0)] | None = None
    end: Instant | None = None
    pauses: Annotated[tuple[PauseOfQuestion, ...], Field(max_length=PAUSES_LIMIT)] = ()

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if (self.seconds is None) == (self.end is None):
            raise ValueError("ask with either seconds or end")
        return self


CalendarOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="A calendar document as JSON.", show_default=False)
]
StartOption = Annotated[str | None, typer.Option(metavar="ISO", help="When the clock starts.")]
SecondsOption = Annotated[int | None, typer.Option(metavar="N", help="Open seconds that may pass.")]
EndOption = Annotated[str | None, typer.Option(metavar="ISO", help="Until when to count.")]
PauseOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ISO/ISO", help="Time that does not count; ISO/ for a pause without an end. Repeatable."),
]
BatchOption = Annotated[
    bool,
    typer.Option(
        "--batch",
        help="Answer JSON lines {id, calendar, start, seconds|end, pauses} from standard input with "
        "{id, due|seconds} or {id, error}; a calendar is a document or the path of one.",
    ),
]


@sla.command()
def due(
    calendar: CalendarOption = None,
    start: StartOption = None,
    seconds: SecondsOption = None,
    pause: PauseOption = None,
    batch: BatchOption = False,
) -> None:
    """Tell when the open seconds have passed, or `paused` while a pause without an end holds the rest."""
    if batch:
        _answer_batch()
    else:
        answer = _answer_once(calendar=calendar, start=start, seconds=seconds, pauses=pause or [])
        typer.echo(answer["due"] or "paused")


@sla.command()
def elapsed(
    calendar: CalendarOption = None,
    start: StartOption = None,
    end: EndOption = None,
    pause: PauseOption = None,
    batch: BatchOption = False,
) -> None:
    """Count the open seconds between two times."""
    if batch:
        _answer_batch()
    else:
        typer.echo(_answer_once(calendar=calendar, start=start, end=end, pauses=pause or [])["seconds"])


PolicyFiles = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[ID=]FILE",
        help="A policy as JSON, in place of the one with this id; the file's name is the id unless one is given.",
    ),
]
CalendarFiles = Annotated[
    list[str] | None, typer.Option(metavar="[ID=]FILE", help="A calendar as JSON, in place of the one with this id.")
]


@sla.command()
def rehearse(
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="Tickets opened from this day or moment on.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Tickets opened before this day or moment.")],
    policy: PolicyFiles = None,
    calendar: CalendarFiles = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Tell what past tickets would have met and missed under a draft; nothing is changed by it."""
    from deskwire_shared.contracts.directory import Calendar as CalendarDocument
    from deskwire_shared.contracts.policies import SlaPolicy
    from deskwire_shared.runtime.running import run_async
    from deskwire_sla.drafts import Draft
    from deskwire_sla.rehearsal_command import rehearse_and_print

    try:
        draft = Draft(_documents(SlaPolicy, policy or []), _documents(CalendarDocument, calendar or []))
        span = _day_or_instant(since), _day_or_instant(until)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(_sentence(error)) from error
    if not draft.policies and not draft.calendars:
        raise typer.BadParameter("give a --policy or a --calendar to try out")
    if span[0] >= span[1]:
        raise typer.BadParameter("--to has to be behind --from")
    run_async(rehearse_and_print(draft, *span, as_json=as_json))


D = TypeVar("D", bound=BaseModel)


def _documents(model: type[D], files: list[str]) -> dict[str, D]:
    return dict(_document(model, named) for named in files)


def _document(model: type[D], named: str) -> tuple[str, D]:
    document_id, _, path = named.rpartition("=")
    return document_id or Path(path).stem, _read(model, path)


def _read(model: type[D], path: str) -> D:
    try:
        return model.model_validate_json(_bytes_of(path))
    except ValidationError as error:
        raise ValueError(f"{path}: {_sentence(error)}") from error


def _day_or_instant(text: str) -> datetime:
    """Read a moment; a day begins at midnight in UTC."""
    return _instant(f"{text}T00:00:00Z" if len(text) == len("2026-03-27") else text)


def _answer_once(**asked: object) -> dict[str, JsonValue]:
    missing = [f"--{name}" for name, value in asked.items() if value is None]
    if missing:
        raise typer.BadParameter(f"give {', '.join(missing)}, or --batch")
    try:
        return _answer(Question.model_validate(asked))
    except (ValueError, OSError) as error:
        raise typer.BadParameter(_sentence(error)) from error


def _answer_batch() -> None:
    failed = False
    for answer in answers(sys.stdin.buffer):
        failed = failed or "error" in answer
        sys.stdout.write(json.dumps(answer) + "\n")
    raise typer.Exit(1 if failed else 0)


def answers(questions: BinaryIO) -> Iterator[dict[str, JsonValue]]:
    """Answer each line of a batch; a line that cannot be answered says why and stops nothing."""
    for line in _lines(questions):
        document: dict[str, JsonValue] = {}
        try:
            document = _json_object(line)
            question = Question.model_validate(document)
            yield {"id": question.id, **_answer(question)}
        except (ValueError, OSError) as error:
            yield {"id": document.get("id"), "error": _sentence(error)}


def _answer(question: Question) -> dict[str, JsonValue]:
    hours = _open_hours(question.calendar)
    if question.end is not None:
        return {"seconds": calendars.elapsed(hours, question.start, question.end, question.pauses)}
    instant = calendars.due(hours, question.start, question.seconds or 0, question.pauses)
    return {"due": _iso(instant) if instant else None}


def _open_hours(calendar: str | dict[str, JsonValue]) -> OpenHours:
    if isinstance(calendar, str):
        return _open_hours_in_file(calendar)
    return _open_hours_of(json.dumps(calendar))


@lru_cache(maxsize=CALENDARS_REMEMBERED)
def _open_hours_in_file(path: str) -> OpenHours:
    return OpenHours(_read(Calendar, path))


def _bytes_of(path: str) -> bytes:
    with Path(path).open("rb") as file:
        document = file.read(SIZE_LIMIT + 1)
    if len(document) > SIZE_LIMIT:
        raise ValueError(f"{path} is larger than {SIZE_LIMIT} bytes")
    return document


@lru_cache(maxsize=CALENDARS_REMEMBERED)
def _open_hours_of(document: str) -> OpenHours:
    return OpenHours(Calendar.model_validate_json(document))


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Read lines that are not blank; of one that is too long no more than shows it."""
    while line := stream.readline(SIZE_LIMIT + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(SIZE_LIMIT)
        if line.strip():
            yield line


def _json_object(line: bytes) -> dict[str, JsonValue]:
    if len(line) > SIZE_LIMIT:
        raise ValueError(f"the line is longer than {SIZE_LIMIT} bytes")
    return _JSON_OBJECT.validate_json(line)


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _sentence(error: ValueError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        ": ".join(filter(None, [".".join(map(str, part["loc"])), part["msg"].removeprefix("Value error, ")]))
        for part in error.errors(include_url=False, include_input=False)
    )
