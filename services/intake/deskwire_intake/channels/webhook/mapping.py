"""Reads payloads of others into messages, as a channel's mapping describes them; pure."""

import base64
import binascii
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar, get_args
from urllib.parse import parse_qsl

from pydantic import JsonValue
from pydantic_core import from_json

from deskwire_intake.attachments import safe_name, safe_type
from deskwire_intake.channels.port import CannotBeHandled, IncomingFile
from deskwire_intake.fitting import fitted_line
from deskwire_shared.contracts.conversations import conversation_of
from deskwire_shared.contracts.facts import Address, Priority, Status
from deskwire_shared.contracts.mapping_language import Expression, Scope, find, holds, require_shallow, text_of, words
from deskwire_shared.contracts.webhook_channels import InboundMapping, InlineFiles
from deskwire_shared.ticket import limits

DEEPEST: Final = 32
MOST_FIELDS: Final = 500
MOST_MESSAGES: Final = 200
SUBJECT_LENGTH: Final = 80
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)

W = TypeVar("W", Priority, Status)

_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class UnreadablePayload(Exception):
    """The payload is not what it is said to be."""


class NotWhatIsMapped(CannotBeHandled):
    """The payload, or a message in it, is not what the mapping describes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedMessage:
    """What somebody said in a payload."""

    id: str
    conversation: str
    author: Address
    subject: str
    text: str
    priority: Priority
    tags: tuple[str, ...] = ()
    status: Status | None = None
    only_continues: bool = False
    files: tuple[IncomingFile, ...] = ()
    digest: str = ""


def read_payload(mapping: InboundMapping, raw: bytes) -> JsonValue:
    """Parse a payload, within bounds. Raises UnreadablePayload."""
    try:
        payload = _form(raw) if mapping.content == "form" else _json(raw)
        require_shallow(payload, DEEPEST)
    except ValueError as error:
        what = "a form" if mapping.content == "form" else "JSON"
        raise UnreadablePayload(f"The body is not {what} that is read here: {error}") from error
    return payload


def _json(raw: bytes) -> JsonValue:
    payload: JsonValue = from_json(raw, allow_inf_nan=False)
    return payload


def _form(raw: bytes) -> JsonValue:
    pairs = parse_qsl(raw.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    return dict(pairs)


def read_messages(
    mapping: InboundMapping, payload: JsonValue, values: Mapping[str, str]
) -> list[MappedMessage | NotWhatIsMapped]:
    """What a payload says, in its order; what cannot be read stands there as the reason.

    Raises NotWhatIsMapped for a payload without messages that no one expects to be without.
    """
    root: dict[str, JsonValue] = {"body": payload, "channel": dict(values)}
    scopes = list(_scopes(mapping, root))
    if len(scopes) > MOST_MESSAGES:
        raise NotWhatIsMapped(f"the payload holds more than {MOST_MESSAGES} messages")
    if not scopes and not any(holds(condition, root) for condition in mapping.empty_if):
        raise NotWhatIsMapped("the payload holds nothing that the mapping describes")
    wanted = (scope for scope in scopes if not any(holds(condition, scope) for condition in mapping.ignore_if))
    return [_read(mapping, scope) for scope in wanted]


def _scopes(mapping: InboundMapping, root: Scope) -> Iterator[Scope]:
    """One scope for each message: the values that the steps have named on the way to it."""
    scopes: list[Scope] = [root]
    for step in mapping.steps:
        scopes = [{**scope, step.name: value} for scope in scopes for value in find(step.path, scope)]
        scopes = scopes[: MOST_MESSAGES + 1]
    yield from scopes


def _read(mapping: InboundMapping, scope: Scope) -> MappedMessage | NotWhatIsMapped:
    try:
        return _message(mapping, scope)
    except NotWhatIsMapped as reason:
        return reason


def _message(mapping: InboundMapping, scope: Scope) -> MappedMessage:
    text, subject = (_clean(words(said, scope), mapping) for said in (mapping.text, mapping.subject))
    message = MappedMessage(
        id=_required("an id", mapping.id, scope),
        conversation=_conversation(mapping, scope),
        author=Address(
            address=_required("an author", mapping.author.address, scope),
            name=fitted_line(_one_line(words(mapping.author.name, scope))),
        ),
        subject=_one_line(subject) or _first_line(text),
        text=text,
        priority=_one_of(PRIORITIES, words(mapping.priority, scope)) or "normal",
        tags=_tags(mapping, scope),
        status=_one_of(STATUSES, words(mapping.status, scope)),
        only_continues=any(holds(condition, scope) for condition in mapping.only_continues_if),
        files=tuple(_files(mapping.files, scope)) if mapping.files else (),
    )
    return replace(message, digest=_digest(message))


def _conversation(mapping: InboundMapping, scope: Scope) -> str:
    conversation = conversation_of([_required("a conversation", part, scope) for part in mapping.conversation])
    if len(conversation) > limits.LINE_SIZE:
        raise NotWhatIsMapped("the name of the conversation is too long")
    return conversation


def _required(what: str, expression: Expression, scope: Scope) -> str:
    found = _one_line(words(expression, scope))
    if not found or len(found.encode()) > limits.LINE_SIZE:
        raise NotWhatIsMapped(f"the message names {what} too long" if found else f"the message does not name {what}")
    return found


def _tags(mapping: InboundMapping, scope: Scope) -> tuple[str, ...]:
    named = (_one_line(words(tag, scope)).lower()[: limits.TAG_LENGTH].strip() for tag in mapping.tags)
    return tuple(dict.fromkeys(filter(None, named)))


def _one_of(known: tuple[W, ...], named: str) -> W | None:
    """The known word that is named, or none; any other is a mistake of the mapping."""
    if not named:
        return None
    found = next((word for word in known if word == named), None)
    if found is None:
        raise NotWhatIsMapped(f"the mapping names {named[:40]!r}, which is none of {', '.join(known)}")
    return found


def _files(files: InlineFiles, scope: Scope) -> Iterator[IncomingFile]:
    for item in find(files.each, scope)[: limits.ATTACHMENTS]:
        inner = {**scope, "item": item}
        encoded = "".join(map(text_of, find(files.base64, inner)[:1]))
        try:
            content = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise NotWhatIsMapped("a file of the message is not in base64") from error
        yield IncomingFile(
            filename=safe_name(words(files.filename, inner)),
            content_type=safe_type(words(files.content_type, inner)),
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
        )


def _clean(text: str, mapping: InboundMapping) -> str:
    plain = html.unescape(text) if mapping.escapes == "html" else text
    return _UNPRINTABLE.sub("\ufffd", plain.replace("\r\n", "\n"))


def _one_line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def _first_line(text: str) -> str:
    line = _one_line(text[: 4 * SUBJECT_LENGTH].strip().partition("\n")[0])
    return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1].rstrip()}…"


def _digest(message: MappedMessage) -> str:
    """Tells two messages apart that claim the same id, by what they say; a payload around them may be large."""
    files = [[file.filename, file.sha256] for file in message.files]
    author = [message.author.address, message.author.name]
    said = [
        message.id,
        message.conversation,
        author,
        message.subject,
        message.text,
        message.tags,
        message.status,
        files,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
