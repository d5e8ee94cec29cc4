"""Health: whether a process lives, has started, and can do its work now, told to people and to Kubernetes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

FAILURES_KEPT_SECONDS = 0.05
"""Short, so that whoever waits for a start learns of its end at once."""

Check = Callable[[], Awaitable[object]]
Detail = Callable[[], dict[str, str]]
"""Tells how some things fare that are no reason to send work elsewhere."""


class Unhealthy(Exception):
    """A check's word that something is not as it must be; the sentence is shown to whoever asks."""


@dataclass(frozen=True)
class Failure:
    """A check that failed, and why."""

    name: str
    reason: str


class Health:
    """The checks that decide whether a process is ready.

    A check passes by returning and fails by raising. Answers are kept for a moment, so that asking
    often costs little.
    """

    def __init__(self, *, timeout_seconds: float = 2.0, keep_seconds: float = 1.0) -> None:
        self._checks: dict[str, Check] = {}
        self._details: dict[str, Detail] = {}
        self._timeout_seconds = timeout_seconds
        self._keep_seconds = keep_seconds
        self._asking = asyncio.Lock()
        self._known: list[Failure] = []
        self._known_until = 0.0
        self.has_started = False

    def add(self, name: str, check: Check) -> None:
        """Let a check take part; ValueError when its name is taken."""
        if name in self._checks:
            raise ValueError(f"there is a health check named {name!r} already")
        self._checks[name] = check

    def tell(self, name: str, detail: Detail) -> None:
        """Let the readiness answer tell how something fares, whether or not the process is ready."""
        self._details[name] = detail

    def details(self) -> dict[str, dict[str, str]]:
        """What is told beside the checks."""
        return {name: detail() for name, detail in self._details.items()}

    def mark_started(self) -> None:
        """Say that the start is over and the checks count."""
        self.has_started = True

    async def failures(self) -> list[Failure]:
        """Ask every check and list those that fail."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() >= self._known_until:
                answers = await asyncio.gather(*(self._ask(name) for name in self._checks))
                self._known = [failure for failure in answers if failure is not None]
                self._known_until = loop.time() + (FAILURES_KEPT_SECONDS if self._known else self._keep_seconds)
            return self._known

    async def _ask(self, name: str) -> Failure | None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._checks[name]()
        except Unhealthy as failure:
            return Failure(name, str(failure))
        except TimeoutError:
            return Failure(name, f"no answer within {self._timeout_seconds:g} s")
        except Exception as failure:  # noqa: BLE001  # a check that breaks is a check that fails, and is reported
            return Failure(name, type(failure).__name__)
        return None


def health_router(health: Health) -> APIRouter:
    """Serve `/healthz/live`, `/healthz/ready` and `/healthz/started`."""
    router = APIRouter(prefix="/healthz", include_in_schema=False)

    @router.get("/live")
    async def live() -> JSONResponse:
        """Answer as long as the event loop turns: a restart mends nothing else."""
        return _answer([])

    @router.get("/ready")
    async def ready() -> JSONResponse:
        return _answer(_not_started(health) or await health.failures(), health.details())

    @router.get("/started")
    async def started() -> JSONResponse:
        return _answer(_not_started(health))

    return router


def _not_started(health: Health) -> list[Failure]:
    return [] if health.has_started else [Failure("start", "not finished")]


def _answer(failures: list[Failure], details: dict[str, dict[str, str]] | None = None) -> JSONResponse:
    body: dict[str, Any] = {"status": "failing" if failures else "ok", **(details or {})}
    if failures:
        body["failures"] = [asdict(failure) for failure in failures]
    return JSONResponse(body, status_code=503 if failures else 200, headers={"cache-control": "no-store"})
