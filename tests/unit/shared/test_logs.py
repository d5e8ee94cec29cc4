"""Logs: one line per happening, whoever wrote it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from structlog.contextvars import bound_contextvars

from deskwire_shared.runtime.logs import REDACTED, configure_logs
from deskwire_shared.runtime.settings import LogFormat

TRACE_ID, SPAN_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged; the process's logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs(log_format="json", to=stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def line(stream: io.StringIO) -> dict[str, Any]:
    (only,) = lines(stream)
    return only


def look_up(secret: str) -> None:
    raise LookupError("no such customer")


def connect() -> None:
    raise ConnectionError("refused by postgresql://desk:hunter2@db/desk")


def test_a_line_names_its_event_its_level_and_its_moment_in_utc(stream: io.StringIO) -> None:
    structlog.get_logger("deskwire.sla").info("timer_set", name="first_response")
    logged = line(stream)
    assert logged.pop("timestamp").endswith("Z")
    assert logged == {"event": "timer_set", "level": "info", "logger": "deskwire.sla", "name": "first_response"}


def test_lines_of_libraries_have_the_same_form(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("%s is slow", "client")
    logged = line(stream)
    assert logged["event"] == "client is slow"
    assert logged["logger"] == "uvicorn.error"
    assert logged["timestamp"].endswith("Z")


def test_lines_about_a_ticket_name_it(stream: io.StringIO) -> None:
    with bound_contextvars(ticket_id="t1", correlation_id="r1"):
        structlog.get_logger().info("routed")
        logging.getLogger("nats.aio.client").warning("reconnected")
    structlog.get_logger().info("idle")
    inside, of_a_library, outside = lines(stream)
    for bound in (inside, of_a_library):
        assert (bound["ticket_id"], bound["correlation_id"]) == ("t1", "r1")
    assert "ticket_id" not in outside


def test_a_line_inside_a_trace_names_it(stream: io.StringIO) -> None:
    span = trace.NonRecordingSpan(trace.SpanContext(TRACE_ID, SPAN_ID, is_remote=True))
    with trace.use_span(span):
        structlog.get_logger().info("routed")
    assert line(stream)["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert line(stream)["span_id"] == "b7ad6b7169203331"


def test_an_error_is_logged_with_its_traceback_but_without_what_variables_held(stream: io.StringIO) -> None:
    whispered = "my mother's maiden name"
    try:
        look_up(whispered)
    except LookupError:
        structlog.get_logger().exception("lookup_failed")
    (error,) = line(stream)["exception"]
    assert (error["exc_type"], error["exc_value"]) == ("LookupError", "no such customer")
    assert error["frames"][-1]["name"] == "look_up"
    assert whispered not in stream.getvalue()


@pytest.mark.parametrize("key", ["password", "smtp_password", "Authorization", "api_token", "cookie", "body", "html"])
def test_secrets_and_what_people_wrote_are_not_logged(stream: io.StringIO, key: str) -> None:
    structlog.get_logger().info("mail_received", **{key: "hunter2"}, headers={key: "hunter2"}, parts=[{key: "hunter2"}])
    assert "hunter2" not in stream.getvalue()
    assert line(stream)[key] == REDACTED


def test_passwords_in_addresses_are_not_logged(stream: io.StringIO) -> None:
    structlog.get_logger().info("connected", to="nats://deskwire:hunter2@127.0.0.1:4222")
    logging.getLogger("nats").warning("lost nats://deskwire:hunter2@127.0.0.1:4222")
    try:
        connect()
    except ConnectionError:
        structlog.get_logger().exception("database_lost")
    assert "hunter2" not in stream.getvalue()
    assert lines(stream)[0]["to"] == "nats://127.0.0.1:4222"


def test_a_hostile_value_does_not_fill_the_disk(stream: io.StringIO) -> None:
    structlog.get_logger().info("refused", reason="a" * 1_000_000 + "the end")
    assert len(stream.getvalue()) < 10_000
    assert "the end" in line(stream)["reason"]


def test_a_hostile_value_cannot_forge_a_line(stream: io.StringIO) -> None:
    structlog.get_logger().info("refused", reason='x"}\n{"event": "granted"}')
    assert line(stream)["event"] == "refused"


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("anything").debug("detail")
    assert stream.getvalue() == ""


def test_the_mail_listener_never_quotes_the_conversation(stream: io.StringIO) -> None:
    configure_logs(log_format="json", level="debug", to=stream)
    logging.getLogger("mail.log").debug("%r", b"AUTH PLAIN aHVudGVyMg==")
    assert stream.getvalue() == ""


def test_people_get_lines_they_can_read(stream: io.StringIO) -> None:
    configure_logs(log_format="pretty", to=stream)
    try:
        connect()
    except ConnectionError:
        structlog.get_logger().exception("database_lost")
    assert "database_lost" in stream.getvalue()
    assert "ConnectionError: refused by postgresql://db/desk" in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("log_format", "to", "is_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", Terminal, False),
        ("json", Terminal, True),
        ("pretty", io.StringIO, False),
    ],
)
@pytest.mark.usefixtures("stream")
def test_lines_are_pretty_on_a_terminal_unless_told_otherwise(
    log_format: LogFormat, to: type[io.StringIO], *, is_json: bool
) -> None:
    written = to()
    configure_logs(log_format=log_format, to=written)
    structlog.get_logger().info("started")
    assert written.getvalue().startswith("{") is is_json
