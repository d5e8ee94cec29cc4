"""Programs of others that are told what happens on tickets."""

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from deskwire_shared.contracts.document import Document, Name
from deskwire_shared.contracts.mapping_language import Template
from deskwire_shared.contracts.webhook_channels import HeaderName

OF_THE_DESK: Final = frozenset({"connection", "content-length", "content-type", "host", "te", "transfer-encoding"})
"""Headers that only the desk writes, besides those of the signature."""
SIGNED: Final = "webhook-"


def require_url(url: str) -> str:
    """Give an address back. Raises ValueError for what no request can be sent to."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError as error:
        raise ValueError("the address cannot be read") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("the address starts with https:// and a host")
    if parts.username is not None or parts.fragment:
        raise ValueError("the address holds neither a password nor a #fragment; secrets belong in headers")
    if not url.isprintable() or not url.isascii() or " " in url:
        raise ValueError("the address has characters that no address has")
    return url


Url = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True), AfterValidator(require_url)]


class Webhook(Document):
    """Where an integrator is told of tickets; every request is signed with the webhook's secret."""

    kind: Literal["webhook"] = "webhook"
    name: Name
    url: Url
    headers: dict[HeaderName, Template] = Field(default_factory=dict, max_length=20)
    """Sent along; `{secret.name}` puts one of the webhook's secrets in."""
    events: Annotated[tuple[Annotated[str, StringConstraints(max_length=64)], ...], Field(max_length=100)] = ()
    """Not heeded yet: a webhook is called by the rules, macros and policies that name it, and by nothing else."""
    active: bool = True
    disabled_because: Annotated[str, StringConstraints(max_length=500)] = ""
    """Why the desk itself has switched it off; whoever switches it on again need not say more."""

    @field_validator("headers")
    @classmethod
    def _leaves_the_desk_its_own(cls, headers: dict[str, str]) -> dict[str, str]:
        if taken := sorted(name for name in headers if name.lower() in OF_THE_DESK or name.lower().startswith(SIGNED)):
            raise ValueError(f"the desk itself writes {', '.join(taken)}")
        return headers

    @field_validator("disabled_because")
    @classmethod
    def _forgets_when_active(cls, because: str, info: ValidationInfo) -> str:
        return "" if info.data.get("active") else because
