"""Sends HTTP requests to servers of others, for replies that go back by webhook and for webhooks alike."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx2
from pydantic import JsonValue
from pydantic_core import from_json

from deskwire_notify.channels.port import Answer
from deskwire_notify.requests.destinations import destination_of
from deskwire_notify.requests.webhook_requests import WebhookRequest
from deskwire_notify.undeliverable import NotReady, Undeliverable

ANSWER_BYTES: Final = 64 * 1024

Judge = Callable[[int, JsonValue], Answer]
"""Tells from a status and what was answered what became of a request."""


class WebhookSender:
    """Sends requests, to the public internet only unless told otherwise."""

    def __init__(self, *, timeout_seconds: float, allow_private: bool = False, ca_file: Path | None = None) -> None:
        self._allow_private = allow_private
        self._timeout = timeout_seconds
        # A connection that is used again could carry a request for another host of the same address.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._client = httpx2.AsyncClient(
            timeout=timeout_seconds,
            limits=limits,
            trust_env=False,
            follow_redirects=False,
            verify=ssl.create_default_context(cafile=ca_file),
        )

    async def send(self, request: WebhookRequest, judge: Judge) -> Answer:
        """Send a request; what became of it."""
        try:
            async with asyncio.timeout(self._timeout):
                status, answer = await self._exchange(request)
        except Undeliverable as error:
            return Answer("refused", str(error), "forbidden destination")
        except NotReady as error:
            return Answer("not_now", str(error), "unknown host")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            name = type(error).__name__
            return Answer("not_now", f"the other side cannot be reached: {name}", name)
        return replace(judge(status, answer), status=status)

    async def _exchange(self, request: WebhookRequest) -> tuple[int, JsonValue]:
        destination = await destination_of(request.url, allow_private=self._allow_private)
        url = httpx2.URL(request.url)
        built = self._client.build_request(
            request.method,
            url.copy_with(host=destination.ip),
            headers={**request.headers, "Host": url.netloc.decode("ascii")},
            content=request.content,
            extensions={"sni_hostname": destination.host},
        )
        answered = await self._client.send(built, stream=True)
        try:
            return answered.status_code, _read(await _bounded(answered))
        finally:
            await answered.aclose()

    async def close(self) -> None:
        """Part from everybody."""
        await self._client.aclose()


async def _bounded(answered: httpx2.Response) -> bytes:
    """Read as much of an answer as anybody will look at."""
    content = b""
    async for chunk in answered.aiter_raw():
        content += chunk[: ANSWER_BYTES - len(content)]
        if len(content) >= ANSWER_BYTES:
            break
    return content


def _read(content: bytes) -> JsonValue:
    """What the other side answered; whatever is no JSON says nothing."""
    try:
        answer: JsonValue = from_json(content)
    except ValueError:
        return None
    return answer
