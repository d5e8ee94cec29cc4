"""`deskwire sla due` and `deskwire sla elapsed`."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deskwire_sla.commands import SIZE_LIMIT, answers, sla

OFFICE: dict[str, Any] = {
    "name": "office",
    "time_zone": "Europe/Berlin",
    "hours": {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}
START = "2026-01-05T09:00:00+01:00"


@pytest.fixture
def office(tmp_path: Path) -> str:
    path = tmp_path / "office.json"
    path.write_text(json.dumps(OFFICE), encoding="utf-8")
    return str(path)


def run(*arguments: str, lines: str = "") -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"}).invoke(sla, arguments, input=lines)
    return result.exit_code, result.output


def ask(**question: Any) -> dict[str, Any]:
    asked = {"id": 1, "calendar": OFFICE, "start": START} | question
    [answer] = answers(io.BytesIO(json.dumps(asked).encode()))
    return answer


def test_due_is_told_in_utc(office: str) -> None:
    assert run("due", "--calendar", office, "--start", START, "--seconds", "14400") == (0, "2026-01-05T13:00:00Z\n")


def test_elapsed_is_told_in_seconds(office: str) -> None:
    told = run("elapsed", "--calendar", office, "--start", START, "--end", "2026-01-05T14:00:00+01:00")
    assert told == (0, "14400\n")


def test_pauses_do_not_count(office: str) -> None:
    pauses = ("--pause", "2026-01-05T09:00Z/2026-01-05T09:30Z", "--pause", "2026-01-05T09:15Z/2026-01-05T10:00Z")
    told = run("due", "--calendar", office, "--start", START, "--seconds", "7200", *pauses)
    assert told == (0, "2026-01-05T11:00:00Z\n")


def test_a_pause_without_an_end_leaves_it_paused(office: str) -> None:
    told = run("due", "--calendar", office, "--start", START, "--seconds", "7200", "--pause", f"{START}/")
    assert told == (0, "paused\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "2026-01-05T09:00:00", "--seconds", "1"], "2026-01-05T09:00:00 has no UTC offset: write Z or"),
        (["--start", "2026-01-05", "--seconds", "1"], "has no UTC offset"),
        (["--start", "today", "--seconds", "1"], "'today' is not an ISO 8601 time such as 2026-03-27T16:00:00Z"),
        (["--start", START, "--seconds", "-1"], "greater than or equal to 0"),
        (["--start", START, "--seconds", "1", "--pause", "lunch"], "'lunch' is not an ISO 8601 time"),
        (
            ["--start", START, "--seconds", "1", "--pause", "2026-01-05T10:00Z/2026-01-05T09:30Z"],
            "a pause cannot end at 2026-01-05T09:30:00+00:00, before it starts at 2026-01-05T10:00:00+00:00",
        ),
        (["--start", START], "give --seconds, or --batch"),
        (["--start", START, "--seconds", "9999999999999"], "do not pass within 20 years"),
    ],
)
def test_a_bad_option_is_refused_with_a_reason(office: str, arguments: list[str], message: str) -> None:
    code, output = run("due", "--calendar", office, *arguments)
    assert code == 2
    assert message in output


def test_a_calendar_file_that_cannot_be_read_is_refused_with_a_reason(tmp_path: Path) -> None:
    asked = ("--start", START, "--seconds", "1")
    code, output = run("due", "--calendar", str(tmp_path / "none.json"), *asked)
    assert code == 2
    assert "none.json: No such file or directory" in output

    (tmp_path / "broken.json").write_text("{")
    code, output = run("due", "--calendar", str(tmp_path / "broken.json"), *asked)
    assert code == 2
    assert "broken.json: Invalid JSON" in output

    (tmp_path / "large.json").write_bytes(b" " * (SIZE_LIMIT + 1))
    code, output = run("due", "--calendar", str(tmp_path / "large.json"), *asked)
    assert code == 2
    assert "is larger than 1000000 bytes" in output


def test_a_batch_is_answered_line_by_line(office: str) -> None:
    questions = [
        {"id": "a", "calendar": OFFICE, "start": START, "seconds": 3600},
        {"id": 2, "calendar": office, "start": START, "end": "2026-01-06T00:00:00Z"},
        {"id": 3, "calendar": office, "start": START, "seconds": 3600, "pauses": [[START, None]]},
        {"id": 4, "calendar": office, "start": START, "seconds": 3600, "pauses": [[START, "2026-01-05T09:00Z"]]},
        {"id": 5, "calendar": office, "start": START, "seconds": 3600, "pauses": [f"{START}/2026-01-05T09:00Z"]},
    ]
    code, output = run("due", "--batch", lines="\n".join(map(json.dumps, questions)) + "\n\n")
    assert code == 0
    assert [json.loads(line) for line in output.splitlines()] == [
        {"id": "a", "due": "2026-01-05T09:00:00Z"},
        {"id": 2, "seconds": 25200},
        {"id": 3, "due": None},
        {"id": 4, "due": "2026-01-05T10:00:00Z"},
        {"id": 5, "due": "2026-01-05T10:00:00Z"},
    ]


def test_a_line_that_cannot_be_answered_stops_no_other(office: str) -> None:
    good = json.dumps({"id": "good", "calendar": office, "start": START, "seconds": 60})
    code, output = run("elapsed", "--batch", lines=f"junk\n{good}\n")
    assert code == 1
    assert [json.loads(line) for line in output.splitlines()] == [
        {"id": None, "error": "Invalid JSON: expected value at line 1 column 1"},
        {"id": "good", "due": "2026-01-05T08:01:00Z"},
    ]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "ask with either seconds or end"),
        ({"seconds": 1, "end": START}, "ask with either seconds or end"),
        ({"seconds": -1}, "seconds: Input should be greater than or equal to 0"),
        ({"seconds": 1.5}, "seconds: Input should be a valid integer, got a number with a fractional part"),
        ({"seconds": 1, "start": 1_767_600_000}, "start: 1767600000 is not an ISO 8601 time"),
        ({"seconds": 1, "start": "2026-01-05T09:00:00"}, "start: 2026-01-05T09:00:00 has no UTC offset"),
        ({"seconds": 1, "start": "0001-01-01T00:00:00+14:00"}, "outside the years 1900 to 2200"),
        ({"seconds": 1, "pauses": [[START]]}, "pauses.0.1: Field required"),
        ({"seconds": 1, "pauses": [[START, START]] * 10_001}, "at most 10000 items"),
        ({"seconds": 1, "calendar": 5}, "calendar"),
        ({"seconds": 1, "calendar": OFFICE | {"time_zone": "Mars"}}, "time_zone: unknown time zone 'Mars'"),
        ({"seconds": 1, "calendar": "/nowhere.json"}, "No such file or directory"),
        ({"seconds": 1, "color": "red"}, "color: Extra inputs are not permitted"),
    ],
)
def test_a_bad_question_is_answered_with_a_reason(question: dict[str, Any], message: str) -> None:
    answer = ask(**question)
    assert answer["id"] == 1
    assert message in str(answer["error"])


def test_a_line_that_is_too_long_is_skipped_to_its_end() -> None:
    good = json.dumps({"id": "good", "calendar": OFFICE, "start": START, "seconds": 60}).encode()
    stream = io.BytesIO(b"[" * (3 * SIZE_LIMIT) + b"\n" + good)
    assert list(answers(stream)) == [
        {"id": None, "error": "the line is longer than 1000000 bytes"},
        {"id": "good", "due": "2026-01-05T08:01:00Z"},
    ]


def test_a_line_nested_without_end_is_refused() -> None:
    [answer] = answers(io.BytesIO(b'{"id":' + b"[" * 100_000))
    assert "recursion limit exceeded" in str(answer["error"])
