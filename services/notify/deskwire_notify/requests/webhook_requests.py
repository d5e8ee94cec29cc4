"""Writes requests down and signs them, and tells from answers what became of them; pure."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from pydantic import JsonValue

from deskwire_notify.channels.port import ACCEPTED, Answer
from deskwire_notify.undeliverable import Undeliverable
from deskwire_shared.contracts.mapping_language import Scope, fill, holds, words
from deskwire_shared.contracts.webhook_channels import SIGNING, OutboundRequest

MOST_PARTS: Final = 10
LONGEST_REASON: Final = 500
_LATER: Final = frozenset({401, 407, 408, 425, 429})
"""Not about the reply: an operator can mend it, or it passes."""
_SUCCESS: Final = 2
_SERVER_ERROR: Final = 5
_BREAKS: Final = ("\n\n", "\n", " ")
_SECRET: Final = re.compile(r"\{secret\.([a-z0-9_]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRequest:
    """An HTTP request that is ready to leave; it holds secrets."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


def write_request(outbound: OutboundRequest, scope: Scope) -> WebhookRequest:
    """Fill a request in. Raises Undeliverable."""
    content, content_type = _content(outbound, scope)
    headers = {"Content-Type": content_type, "User-Agent": "Deskwire", "Accept-Encoding": "identity"}
    headers |= {name: header_value(fill(template, scope)) for name, template in outbound.headers.items()}
    if outbound.basic is not None:
        pair = f"{fill(outbound.basic.username, scope)}:{fill(outbound.basic.password, scope)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return WebhookRequest(method=outbound.method, url=_url(outbound, scope), headers=headers, content=content)


def missing_secrets(outbound: OutboundRequest, secrets: Collection[str]) -> tuple[str, ...]:
    """The secrets that a request would be written with and that nobody has entered."""
    named = secrets_in(outbound.model_dump_json(exclude_unset=True))
    return tuple(name for name in (*named, *((SIGNING,) if outbound.sign else ())) if name not in secrets)


def secrets_in(templates: str) -> tuple[str, ...]:
    """The secrets that templates name, each once."""
    return tuple(dict.fromkeys(_SECRET.findall(templates)))


def _content(outbound: OutboundRequest, scope: Scope) -> tuple[bytes, str]:
    if outbound.form is not None:
        fields = {name: fill(template, scope) for name, template in outbound.form.items()}
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"
    return json.dumps(_filled(outbound.body, scope), ensure_ascii=False).encode(), "application/json"


def _filled(value: JsonValue, scope: Scope) -> JsonValue:
    match value:
        case str():
            return fill(value, scope)
        case list():
            return [_filled(item, scope) for item in value]
        case dict():
            return {name: _filled(item, scope) for name, item in value.items()}
        case _:
            return value


def _url(outbound: OutboundRequest, scope: Scope) -> str:
    """The channel's own values may be addresses; whatever else is put in stays within its step of the path."""
    if not outbound.url.startswith("{channel."):
        return fill(outbound.url, scope, quote=_step)
    address, brace, rest = outbound.url.partition("}")
    return fill(address + brace, scope) + fill(rest, scope, quote=_step)


def _step(text: str) -> str:
    if text in {"", ".", ".."}:
        raise Undeliverable("a part of the request's address is missing")
    return quote(text, safe=":@+-_~.")


def header_value(value: str) -> str:
    """Give a header's value back. Raises Undeliverable for one that no header holds."""
    if not value.isprintable() or not value.isascii():
        raise Undeliverable("a header of the request would hold characters that no header holds")
    return value


def sign(request: WebhookRequest, secret: str, message_id: str, at: datetime, *, former: str = "") -> WebhookRequest:
    """Sign a request as Standard Webhooks asks for, with a former secret too while the other side changes over.

    Raises Undeliverable for a secret that is none.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), request.content))
    signatures = " ".join(_signature(one, signed) for one in (secret, former) if one)
    stamps = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signatures}
    return WebhookRequest(
        method=request.method, url=request.url, headers={**request.headers, **stamps}, content=request.content
    )


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise Undeliverable("the signing secret is not in base64") from error
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def split_text(text: str, longest: int) -> list[str]:
    """Cut a reply where paragraphs, lines or words end, into parts a channel takes. Raises Undeliverable.

    Lengths are counted in UTF-16, the strictest way of those that channels count in.
    """
    parts, rest = list[str](), text.strip()
    while _length(rest) > longest:
        part = _first_part(rest, longest)
        parts.append(part.strip())
        rest = rest[len(part) :].strip()
        if len(parts) >= MOST_PARTS:
            raise Undeliverable(f"the reply is longer than {MOST_PARTS} messages of {longest} characters")
    return [part for part in (*parts, rest) if part]


def _first_part(text: str, longest: int) -> str:
    head = text.encode("utf-16-le")[: longest * 2].decode("utf-16-le", "ignore")
    for mark in _BREAKS:
        end = head.rfind(mark)
        if end > len(head) // 2:
            return head[:end]
    return head


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def judge(outbound: OutboundRequest, status: int, answer: JsonValue) -> Answer:
    """Tell from the other side's answer what became of a reply."""
    scope: dict[str, JsonValue] = {"status": status, "answer": answer}
    code, kind = f"http {status}", status // 100
    if kind == _SUCCESS and all(holds(condition, scope) for condition in outbound.accepted_if):
        return ACCEPTED
    told = words(outbound.reason, scope)
    reason = " ".join(f"{status} {told}".split())[:LONGEST_REASON]
    later = status in _LATER or kind == _SERVER_ERROR or any(holds(one, scope) for one in outbound.later_if)
    return Answer("not_now" if later else "refused", reason, code)
