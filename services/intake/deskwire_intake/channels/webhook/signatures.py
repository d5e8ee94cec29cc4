"""Proves where a webhook request comes from: the schemes of signatures, compared in constant time.

What carries its time is believed for five minutes, so that nobody can send it again later.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, assert_never

from deskwire_shared.contracts.webhook_channels import (
    BearerToken,
    HmacSignature,
    SecretHeader,
    Signature,
    SlackSignature,
    StandardSignature,
    TwilioSignature,
)

WINDOW_SECONDS: Final = 300
STANDARD_PREFIX: Final = "whsec_"


class SignatureRefused(Exception):
    """The request does not prove where it comes from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedRequest:
    """A request as it came; the names of headers are in small letters."""

    url: str
    """The public address it was sent to, with its query."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)

    def header(self, name: str) -> str:
        """A header that proves something. Raises SignatureRefused when it is missing."""
        found = self.headers.get(name.lower(), "")
        if not found:
            raise SignatureRefused(f"The request has no {name}.")
        return found


def require_signature(signature: Signature, request: SignedRequest, secrets: tuple[str, ...], now: datetime) -> None:
    """Raise SignatureRefused unless one of the secrets vouches for the request."""
    if not any(_vouches(signature, request, secret, now) for secret in secrets):
        raise SignatureRefused("The signature does not match.")


def _vouches(signature: Signature, request: SignedRequest, secret: str, now: datetime) -> bool:
    match signature:
        case StandardSignature():
            return _standard(request, secret, now)
        case HmacSignature():
            return _hmac(signature, request, secret)
        case SlackSignature():
            return _slack(request, secret, now)
        case TwilioSignature():
            return _twilio(request, secret)
        case SecretHeader(header=header):
            return _same(request.header(header), secret)
        case BearerToken():
            scheme, _, token = request.header("Authorization").partition(" ")
            return scheme.lower() == "bearer" and _same(token.strip(), secret)
        case _:
            assert_never(signature)


def _standard(request: SignedRequest, secret: str, now: datetime) -> bool:
    message_id, at = request.header("webhook-id"), request.header("webhook-timestamp")
    _require_fresh(at, now)
    signed = b".".join((message_id.encode(), at.encode(), request.body))
    expected = f"v1,{_base64(hmac.digest(_standard_key(secret), signed, hashlib.sha256))}"
    return any(_same(offered, expected) for offered in request.header("webhook-signature").split(" "))


def _standard_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
    except ValueError as error:
        raise SignatureRefused(
            "The channel's signing secret is not in base64, as Standard Webhooks want it."
        ) from error


def _hmac(scheme: HmacSignature, request: SignedRequest, secret: str) -> bool:
    digest = hmac.digest(secret.encode(), request.body, hashlib.sha256)
    written = digest.hex() if scheme.encoding == "hex" else _base64(digest)
    return _same(request.header(scheme.header), scheme.prefix + written)


def _slack(request: SignedRequest, secret: str, now: datetime) -> bool:
    at = request.header("X-Slack-Request-Timestamp")
    _require_fresh(at, now)
    signed = b":".join((b"v0", at.encode(), request.body))
    expected = f"v0={hmac.digest(secret.encode(), signed, hashlib.sha256).hex()}"
    return _same(request.header("X-Slack-Signature"), expected)


def _twilio(request: SignedRequest, secret: str) -> bool:
    fields = "".join(name + value for name, value in sorted(request.form.items()))
    digest = hmac.digest(secret.encode(), (request.url + fields).encode("utf-8", "replace"), hashlib.sha1)
    return _same(request.header("X-Twilio-Signature"), _base64(digest))


def _require_fresh(at: str, now: datetime) -> None:
    sent = int(at) if at.isascii() and at.isdecimal() and len(at) <= len(str(2**63)) else 0
    if abs(now.timestamp() - sent) > WINDOW_SECONDS:
        raise SignatureRefused(f"The request is not of the last {WINDOW_SECONDS} seconds.")


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _same(offered: str, expected: str) -> bool:
    """Whether two texts are the same, found out in the same time whatever they are; an empty secret opens nothing."""
    return hmac.compare_digest(offered.encode(), expected.encode()) and bool(expected)
