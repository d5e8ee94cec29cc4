"""How a webhook channel reads what comes and sends what leaves: documents that need no code.

Secrets are named here and kept apart, with the secrets of the desk.
"""

import re
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from deskwire_shared.contracts.mapping_language import (
    Condition,
    Expression,
    Expressions,
    Path,
    Template,
    require_shallow,
    require_template,
)

SIGNING: Final = "signing"
"""The secret that proves where a request comes from."""
FORMER_SIGNING: Final = "signing_former"
"""The one before it, still believed while the other side changes over."""
DEEPEST: Final = 20
MOST_BYTES: Final = 64 * 1024

_VALUE: Final = r"\{channel\.[a-z0-9_]+\}"
_ADDRESS: Final = re.compile(rf"(https?://([^/{{}}?#@\s]|{_VALUE})+|{_VALUE})(/|\Z)")

P = TypeVar("P", bound=BaseModel)

MappingName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ScopeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$")]
ShortText = Annotated[str, StringConstraints(max_length=500)]
Conditions = Annotated[tuple[Condition, ...], Field(max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StandardSignature(_Part):
    """Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`."""

    scheme: Literal["standard"]


class HmacSignature(_Part):
    """HMAC-SHA256 of the body in a header, as GitHub and Meta send it."""

    scheme: Literal["hmac"]
    header: HeaderName = "X-Hub-Signature-256"
    prefix: ShortText = "sha256="
    encoding: Literal["hex", "base64"] = "hex"


class SlackSignature(_Part):
    """Slack's `v0`: HMAC-SHA256 of the time and the body."""

    scheme: Literal["slack"]


class TwilioSignature(_Part):
    """Twilio's: HMAC-SHA1 of the public address and the form."""

    scheme: Literal["twilio"]


class SecretHeader(_Part):
    """The secret itself in a header, as Telegram sends it."""

    scheme: Literal["header"]
    header: HeaderName


class BearerToken(_Part):
    """The secret itself as `Authorization: Bearer …`."""

    scheme: Literal["bearer"]


Signature = Annotated[
    StandardSignature | HmacSignature | SlackSignature | TwilioSignature | SecretHeader | BearerToken,
    Field(discriminator="scheme"),
]


class HubChallenge(_Part):
    """Meta asks by GET with `hub.verify_token`, and wants `hub.challenge` back."""

    kind: Literal["hub"]
    verified_by: ScopeName = "verify"


class EchoChallenge(_Part):
    """A signed payload asks for one of its values back, as Slack's `url_verification` does."""

    kind: Literal["echo"]
    when: Condition
    value: Path
    answer: ScopeName = "challenge"


Challenge = Annotated[HubChallenge | EchoChallenge, Field(discriminator="kind")]


class Step(_Part):
    """One level on the way to the messages of a payload: each value that the path leads to gets a name."""

    name: ScopeName
    path: Path


class Author(_Part):
    """Who speaks; the address names the person on every channel, such as `tel:+4930123`."""

    address: Expression
    name: Expression = ""


class InlineFiles(_Part):
    """Files inside the payload, in base64; `item` is one of them."""

    each: Path
    filename: Expression
    content_type: Expression = ""
    base64: Path


class PlainAnswer(_Part):
    """What the other side wants to hear instead of our report."""

    content_type: Literal["application/json", "text/plain", "text/xml"]
    body: ShortText = ""


class InboundMapping(_Part):
    """From a payload to messages.

    Paths start from `body` (the payload), `channel` (the channel's values) and the names of the steps.
    """

    medium: ScopeName = "webhook"
    """What the channel is called on tickets."""
    content: Literal["json", "form"] = "json"
    signature: Signature
    challenge: Challenge | None = None
    answer: PlainAnswer | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=5)]
    empty_if: Conditions = ()
    """A payload without messages is expected if one of these holds; any other is parked."""
    ignore_if: Conditions = ()
    """A message is left alone if one of these holds."""
    id: Expression
    """Names the message for ever; the same id is the same message."""
    conversation: Annotated[Expressions, Field(max_length=4)]
    """Where an answer goes; messages of one conversation land on one open ticket."""
    author: Author
    subject: Expression = ""
    text: Expression
    escapes: Literal["none", "html"] = "none"
    """How the other side writes `<` and `&` in texts."""
    priority: Expression = ""
    tags: Annotated[tuple[Expression, ...], Field(max_length=20)] = ()
    status: Expression = ""
    """The ticket's status after the message."""
    only_continues_if: Conditions = ()
    """The message opens and reopens nothing if one of these holds."""
    files: InlineFiles | None = None

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        return _bounded(self)


class Credentials(_Part):
    """A name and a password (HTTP Basic)."""

    username: Template
    password: Template


class OutboundRequest(_Part):
    """From an agent's reply to an HTTP request.

    Paths start from `reply` (`id`, `text`), `conversation` (its parts: `conversation.0`), `ticket` (`id`, `number`),
    `customer` (`address`, `name`), `agent` (`name`), `channel` (the channel's values) and `secret`.
    """

    method: Literal["POST", "PUT"] = "POST"
    url: Template
    headers: Annotated[dict[HeaderName, Template], Field(max_length=20)] = {}
    basic: Credentials | None = None
    body: JsonValue = None
    """JSON; every string in it is a template."""
    form: Annotated[dict[ShortText, Template], Field(max_length=50)] | None = None
    sign: bool = False
    """Whether the request is signed as Standard Webhooks are, with the channel's signing secret."""
    escapes: Literal["none", "html"] = "none"
    """How the other side wants `<` and `&` written in texts."""
    longest_text: Annotated[int, Field(ge=100, le=100_000)] = 4_000
    """A longer reply leaves in several requests."""
    accepted_if: Conditions = ()
    """What must hold of an answer with a status of 200 to 299; paths start from `answer`."""
    later_if: Conditions = ()
    """If one of these holds of a refusal, the reply is tried again."""
    reason: Expression = ""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        require_shallow(self.body, DEEPEST)
        require_literal_host(self.url)
        if (self.body is None) == (self.form is None):
            raise ValueError("name either `body` or `form`")
        _require_templates(self.body)
        return _bounded(self)


class WebhookChannel(_Part):
    """How a webhook channel speaks: by a mapping that comes with the desk, or by one of its own."""

    mapping: MappingName | None = None
    inbound: InboundMapping | None = None
    outbound: OutboundRequest | None = None
    signature: Signature | None = None
    """Instead of the mapping's."""
    values: Annotated[dict[ScopeName, ShortText], Field(max_length=50)] = {}
    """What mappings call `channel`: accounts, numbers, addresses; never secrets."""

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if self.mapping is None and self.inbound is None:
            raise ValueError("name a `mapping`, or write one in `inbound`")
        return self


def require_literal_host(url: str) -> None:
    """Raise ValueError unless scheme and host are written down, or come from the channel's own values."""
    if not _ADDRESS.match(url):
        raise ValueError("the address must start with https:// and a host, or with one of the channel's values")


def _require_templates(value: JsonValue) -> None:
    match value:
        case str():
            require_template(value)
        case list():
            for item in value:
                _require_templates(item)
        case dict():
            for item in value.values():
                _require_templates(item)


def _bounded(part: P) -> P:
    written = part.model_dump(mode="json", exclude_unset=True)
    require_shallow(written, DEEPEST)
    if len(part.model_dump_json(exclude_unset=True)) > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES} bytes")
    return part
