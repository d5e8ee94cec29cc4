"""What a chat's widget and the desk say to each other over a WebSocket: JSON, a frame each."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from deskwire_intake.channels import visitor_tokens
from deskwire_intake.channels.chat.states import ChatState

LONGEST_FRAME: Final = 20_000
LONGEST_TEXT: Final = 4_000
"""Characters of a message."""

ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
MessageId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{16}$")]
PersonName = Annotated[str, StringConstraints(max_length=200)]
PersonAddress = Annotated[str, StringConstraints(max_length=254)]


class UnreadableFrame(Exception):
    """The widget says something that is none of its words."""


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hello(_Frame):
    """The first frame: who is there, and what of the chat they have seen."""

    type: Literal["hello"]
    session: Annotated[str, StringConstraints(max_length=visitor_tokens.LONGEST)] = ""
    last_seen: MessageId | Literal[""] = ""


class Introduce(_Frame):
    """The customer tells their name and where answers reach them later."""

    type: Literal["introduce"]
    name: PersonName = ""
    address: PersonAddress = ""


class Say(_Frame):
    """The customer writes; the same id sent again is the same message."""

    type: Literal["say"]
    id: ClientId
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]


class Typing(_Frame):
    """The customer is writing at this moment."""

    type: Literal["typing"]


class Shown(_Frame):
    """The customer's browser has shown an agent's message."""

    type: Literal["shown"]
    id: MessageId


Incoming = Hello | Introduce | Say | Typing | Shown

_incoming: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="type")])


def read_frame(text: str) -> Incoming:
    """Read what a widget says. Raises UnreadableFrame."""
    if len(text) > LONGEST_FRAME:
        raise UnreadableFrame
    try:
        return _incoming.validate_json(text)
    except ValidationError as error:
        raise UnreadableFrame from error


class File(_Frame):
    """A file of an answer; `path` leads to it from the address of chats."""

    name: str
    path: str


class Spoken(_Frame):
    """A message as the widget shows it."""

    id: str
    by: Literal["customer", "agent"]
    name: str
    text: str
    at: datetime
    files: tuple[File, ...] = ()


class Welcome(_Frame):
    """The answer to `hello`: the session to come back with, and what was said since."""

    type: Literal["welcome"] = "welcome"
    session: str
    messages: tuple[Spoken, ...]
    is_replay: bool
    """Whether `messages` go on behind what the widget has seen; else they are all there is."""


class State(_Frame):
    """How the chat stands; `position` counts from 1, `address` is where answers reach the customer later."""

    type: Literal["state"] = "state"
    state: ChatState
    position: int | None = None
    agent: str = ""
    number: int | None = None
    address: str = ""


class Said(_Frame):
    """The customer's message is kept for good."""

    type: Literal["said"] = "said"
    id: str
    message_id: str
    at: datetime


class Refused(_Frame):
    """Something the customer said is not taken; `wait` says after how many seconds it may be."""

    type: Literal["refused"] = "refused"
    id: str = ""
    code: Literal["slow_down", "ended", "unavailable", "not_accepted", "no_address"]
    wait: float | None = None


class Told(_Frame):
    """Somebody else has said something, or the customer in another window."""

    type: Literal["message"] = "message"
    message: Spoken


class Removed(_Frame):
    """The words of a message are hidden for good."""

    type: Literal["removed"] = "removed"
    id: str


class AgentTyping(_Frame):
    """An agent is writing at this moment."""

    type: Literal["typing"] = "typing"
    name: str


Outgoing = Welcome | State | Said | Refused | Told | Removed | AgentTyping
