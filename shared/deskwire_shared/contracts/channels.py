"""The ways in and out: mailboxes, forms, chats, webhooks."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from deskwire_shared.contracts.document import Document, Locale, Name
from deskwire_shared.contracts.webhook_channels import WebhookChannel

Medium = Literal["email", "web", "chat", "api", "webhook", "phone"]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,253}[A-Za-z0-9])?$")]
Folder = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f*%]+$")]


class MailboxOAuth(Document):
    """How to get the tokens that open a mailbox, where passwords do not (OAuth 2.0, RFC 6749)."""

    grant: Literal["client_credentials", "refresh_token"]
    """Microsoft 365 gives tokens to the application itself, Google for a refresh token."""
    token_url: Annotated[
        str, StringConstraints(pattern=r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[^\s]{1,1000}$")
    ]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    scope: Annotated[str, StringConstraints(max_length=1000)] = ""


class ImapMailbox(Document):
    """Where a channel fetches its mails by IMAP; the password is kept among the secrets."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 993
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: Annotated[str, StringConstraints(max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$")]
    oauth: MailboxOAuth | None = None
    folder: Folder = "INBOX"
    after: Literal["keep_flagged", "move", "delete"] = "keep_flagged"
    """What becomes of a mail once it is on its ticket."""
    move_to: Folder | None = None
    since: date | None = None
    """Mails that arrived before this day are left alone; None takes all that the folder holds."""
    poll_seconds: Annotated[int, Field(ge=1, le=540)] = 60
    """How often the folder is looked into, also where the server tells of new mails."""

    @model_validator(mode="after")
    def _moves_somewhere(self) -> Self:
        if self.after == "move" and self.move_to in {None, self.folder}:
            raise ValueError("`move` needs another folder in `move_to`")
        return self


Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://([a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(:[0-9]{1,5})?$", to_lower=True)
]
"""A web site as browsers name it: scheme, host and port, such as https://shop.example."""
Origins = Annotated[tuple[Origin, ...], Field(max_length=100)]
Caption = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Paragraph = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)]


class FormField(Document):
    """A question of a form beside the usual ones; its answer becomes the field `name` of the ticket."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    label: Name
    answer: Literal["line", "choice", "yes_no"] = "line"
    choices: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    required: bool = False

    @model_validator(mode="after")
    def _chooses_from_something(self) -> Self:
        if (self.answer == "choice") != bool(self.choices):
            raise ValueError("a field with `answer: choice` needs `choices`, and no other has them")
        return self


class WebForm(Document):
    """What a form shows, and the sites that may show it; words left empty are those of the channel's language."""

    origins: Origins = ()
    title: Caption = ""
    introduction: Paragraph = ""
    thanks: Paragraph = ""
    takes_files: bool = True
    fields: Annotated[tuple[FormField, ...], Field(max_length=30)] = ()

    @model_validator(mode="after")
    def _names_fields_once(self) -> Self:
        if len({field.name for field in self.fields}) < len(self.fields):
            raise ValueError("two fields have the same name")
        return self


class ChatWidget(Document):
    """What a chat shows, and the sites that may show it; words left empty are those of the channel's language."""

    origins: Origins = ()
    title: Caption = ""
    greeting: Paragraph = ""
    away: Paragraph = ""
    """Shown in place of the greeting while the calendar is closed."""
    asks_address: Literal["first", "later"] = "later"
    """When customers are asked for their mail address: before their first message, or when they leave."""
    calendar_id: str | None = None
    """When somebody answers; None is always."""


class Channel(Document):
    """A way in and out: a mailbox, a form, a chat."""

    kind: Literal["channel"] = "channel"
    name: Name
    medium: Medium
    address: str | None = None
    """The mailbox, for e-mail."""
    imap: ImapMailbox | None = None
    """None waits for mails to be handed over by SMTP or LMTP."""
    form: WebForm | None = None
    """For the medium web; None shows a plain form, on the desk's own pages only."""
    chat: ChatWidget | None = None
    """For the medium chat; None shows a plain chat, on the desk's own pages only."""
    webhook: WebhookChannel | None = None
    """What a webhook channel reads and sends."""
    sender_name: str = ""
    """What customers see beside the address; empty is the channel's name."""
    team_id: str | None = None
    """Whose queue its tickets go to, unless a rule says otherwise; None leaves that to rules and people."""
    locale: Locale = "en"
    """The language of what the desk writes by itself."""
    active: bool = True
    acknowledge: bool = True
    """Whether senders are told that a new ticket has arrived."""
    follow_up_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """How long a reply to a closed ticket opens a follow-up; later it opens a new ticket with a link."""

    @model_validator(mode="after")
    def _fetches_for_an_address(self) -> Self:
        if self.imap is not None and not (self.medium == "email" and self.address):
            raise ValueError("only an e-mail channel with an address fetches mails")
        return self

    @model_validator(mode="after")
    def _shows_what_it_is(self) -> Self:
        if (self.form is not None and self.medium != "web") or (self.chat is not None and self.medium != "chat"):
            raise ValueError("`form` belongs to the medium web, `chat` to the medium chat")
        return self

    @model_validator(mode="after")
    def _maps_what_it_hears(self) -> Self:
        if (self.webhook is not None) != (self.medium == "webhook"):
            raise ValueError("a webhook channel, and no other, has `webhook`")
        return self
