"""Logs: one line per happening, JSON for machines and colours for people, whoever wrote it."""

import logging
import re
import sys
from typing import Any, Final, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from deskwire_shared.runtime.settings import LogFormat, LogLevel

REDACTED: Final = "[redacted]"

_WITH_HANDLERS_OF_THEIR_OWN: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "faststream", "fastapi")
_TALKATIVE: Final = ("uvicorn.error", "uvicorn.access", "faststream", "asyncio", "aiosqlite")
_INDISCREET: Final = ("mail.log", "mail.debug", "mailparser", "httpx2", "httpcore2")  # quote words, tell addresses

_SECRET_KEY: Final = re.compile(
    r"password|secret|token|authorization|cookie|credential|private_key|api_key"
    r"|^(body|text|html|raw|mail|message_text|payload)$",
    re.IGNORECASE,
)
_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)[^/\s@]+@")
_LONGEST_VALUE: Final = 8_000


def configure_logs(*, log_format: LogFormat = "auto", level: LogLevel = "info", to: TextIO | None = None) -> None:
    """Send what we and our libraries log to one stream (standard error), in one form."""
    stream = to or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(pretty=_is_pretty(log_format, stream)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    _quieten_libraries(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def add_trace(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Name the trace that a line belongs to, when there is one."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        line["trace_id"] = trace.format_trace_id(span.trace_id)
        line["span_id"] = trace.format_span_id(span.span_id)
    return line


def redact(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Keep secrets and what people wrote out of the log, and values short."""
    return {key: REDACTED if _SECRET_KEY.search(key) else _harmless(value) for key, value in line.items()}


def _harmless(value: Any) -> Any:
    match value:
        case str():
            shown = _PASSWORD_IN_URL.sub("", value)
            half = _LONGEST_VALUE // 2
            return shown if len(shown) <= _LONGEST_VALUE else f"{shown[:half]} … {shown[-half:]}"
        case dict():
            return {key: REDACTED if _SECRET_KEY.search(str(key)) else _harmless(item) for key, item in value.items()}
        case list() | tuple():
            return [_harmless(item) for item in value]
        case _:
            return value


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
    ]


def _formatter(*, pretty: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(_for_people() if pretty else _for_machines()),
        ],
    )


def _for_people() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(),
        redact,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]


def _for_machines() -> list[Processor]:
    without_locals = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # they hold mails
    return [
        structlog.processors.ExceptionRenderer(without_locals),
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _is_pretty(log_format: LogFormat, stream: TextIO) -> bool:
    return log_format == "pretty" or (log_format == "auto" and stream.isatty())


def _quieten_libraries(level: LogLevel) -> None:
    for name in _WITH_HANDLERS_OF_THEIR_OWN:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(logging.ERROR)
