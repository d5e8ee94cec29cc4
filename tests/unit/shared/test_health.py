"""Whether a process lives, has started, and can do its work now."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from deskwire_shared.runtime.health import Failure, Health, Unhealthy, health_router


async def passes() -> None:
    """All is well."""


async def lags() -> None:
    raise Unhealthy("900 commits behind")


async def breaks() -> None:
    raise ConnectionError("nats://deskwire:hunter2@127.0.0.1:4222 is gone")


async def hangs() -> None:
    await asyncio.Event().wait()


def a_started_health() -> Health:
    health = Health(timeout_seconds=0.05, keep_seconds=0)
    health.mark_started()
    return health


def client_of(health: Health) -> TestClient:
    app = FastAPI()
    app.include_router(health_router(health))
    return TestClient(app)


def test_a_process_whose_checks_pass_is_ready() -> None:
    health = a_started_health()
    health.add("nats", passes)
    answer = client_of(health).get("/healthz/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_process_that_cannot_work_says_what_fails_and_why() -> None:
    health = a_started_health()
    health.add("nats", passes)
    health.add("projection", lags)
    answer = client_of(health).get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "failing",
        "failures": [{"name": "projection", "reason": "900 commits behind"}],
    }


async def test_a_check_that_hangs_fails_in_time() -> None:
    health = a_started_health()
    health.add("database", hangs)
    assert await health.failures() == [Failure("database", "no answer within 0.05 s")]


async def test_a_check_that_breaks_fails_without_giving_secrets_away() -> None:
    health = a_started_health()
    health.add("nats", breaks)
    assert await health.failures() == [Failure("nats", "ConnectionError")]


def test_a_process_that_cannot_work_is_still_alive() -> None:
    health = a_started_health()
    health.add("projection", lags)
    assert client_of(health).get("/healthz/live").status_code == 200


def test_a_process_is_neither_started_nor_ready_before_its_start_is_over() -> None:
    health = Health()
    client = client_of(health)
    assert client.get("/healthz/live").status_code == 200
    assert client.get("/healthz/started").status_code == 503
    assert client.get("/healthz/ready").status_code == 503
    health.mark_started()
    assert client.get("/healthz/started").status_code == 200
    assert client.get("/healthz/ready").status_code == 200


async def test_asking_often_does_not_repeat_the_checks() -> None:
    asked = 0

    async def counts() -> None:
        nonlocal asked
        asked += 1

    health = Health(keep_seconds=60)
    health.add("database", counts)
    await asyncio.gather(*(health.failures() for _ in range(100)))
    assert asked == 1


def test_two_checks_do_not_share_a_name() -> None:
    health = Health()
    health.add("nats", passes)
    with pytest.raises(ValueError, match="'nats'"):
        health.add("nats", passes)
