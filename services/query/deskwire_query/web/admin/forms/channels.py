"""The forms of channels: one for each medium, and what is kept secret for them."""

import re
from typing import Final

from pydantic import JsonValue

from deskwire_query.web.admin.forms.condition_fields import MEDIA
from deskwire_query.web.admin.forms.controls import Field
from deskwire_query.web.admin.forms.fields import Choice, Json, Line, Paragraph, Several, Switch
from deskwire_query.web.admin.forms.form import Form, Part
from deskwire_query.web.admin.forms.groups import Dictionary, Group, Repeat
from deskwire_query.web.admin.forms.trees import Tree, branch, leaves, word
from deskwire_shared.contracts.channels import Channel, Medium

IMAP_START: Final[dict[str, JsonValue]] = {
    "host": "", "port": 993, "tls": "implicit", "username": "", "folder": "INBOX", "after": "keep_flagged",
    "poll_seconds": 60,
}  # fmt: skip
SITES: Final = "One a line, as browsers name them: https://shop.example. No other site can show it."

MAPPINGS: Final = {
    "standard": "Standard Webhooks: your own programs",
    "telegram": "Telegram",
    "whatsapp": "WhatsApp Cloud API",
    "twilio_sms": "SMS by Twilio",
    "slack": "Slack",
    "alertmanager": "Prometheus Alertmanager",
}
"""The mappings that come with the desk."""
MAPPING_SECRETS: Final[dict[str, dict[str, str]]] = {
    "standard": {"signing": "Signing secret"},
    "telegram": {"signing": "Secret token of the webhook", "bot_token": "Bot token"},
    "whatsapp": {"signing": "App secret", "verify": "Verify token", "access_token": "Access token"},
    "twilio_sms": {"signing": "Auth token"},
    "slack": {"signing": "Signing secret", "bot_token": "Bot token"},
    "alertmanager": {"signing": "Bearer token"},
}
MAPPING_VALUES: Final[dict[str, dict[str, str]]] = {
    "standard": {"reply_url": "where answers are sent"},
    "twilio_sms": {"account_sid": "the account's SID"},
}
"""The values that a mapping needs of its channel."""

SECRET: Final = re.compile(r"\bsecret\.([a-z][a-z0-9_]{0,39})")
"""Where a mapping or a header puts a secret in."""

MORE: Final[tuple[Field, ...]] = (
    Line(name="locale", label="Language", example="en", hint="Of what the desk writes there by itself."),
    Line(name="follow_up_days", label="Days in which an answer reopens a solved ticket", type="number",
         hint="Later it becomes a new ticket, linked with the old one."),
)  # fmt: skip
TEAM: Final = Choice(name="team_id", label="Team", source="team", none="None: rules decide")
NAME: Final = Line(name="name", label="Name", required=True)
ACKNOWLEDGE: Final = Switch(name="acknowledge", label="Acknowledge new tickets")
ACTIVE: Final = Switch(name="active", label="Active")

OAUTH: Final = Group(
    name="oauth", label="OAuth", optional="Sign in with OAuth tokens instead of a password",
    hint="Microsoft 365 and Google want it.",
    start={"grant": "client_credentials", "token_url": "", "client_id": "",
           "scope": "https://outlook.office365.com/.default"},
    fields=(
        Choice(name="grant", label="Tokens are given", shapes=True, options=(
            ("client_credentials", "To the application (Microsoft 365)"),
            ("refresh_token", "For a refresh token (Google)"),
        )),
        Line(name="token_url", label="Token address", type="url",
             example="https://login.microsoftonline.com/example.org/oauth2/v2.0/token",
             hint="Google's is https://oauth2.googleapis.com/token."),
        Line(name="client_id", label="Client id"),
        Line(name="scope", label="Scope", hint="Google needs none."),
    ),
)  # fmt: skip

IMAP: Final = Group(
    name="imap", label="Mailbox", optional="Fetch mails from a mailbox (IMAP)", start=IMAP_START,
    hint="Otherwise your mail server hands mails over by SMTP or LMTP.",
    fields=(
        Line(name="host", label="Server", example="imap.example.org"),
        Choice(name="tls", label="Encryption", options=(
            ("implicit", "TLS from the start (port 993)"),
            ("starttls", "STARTTLS (port 143)"),
            ("none", "None: only inside one machine"),
        )),
        Line(name="port", label="Port", type="number"),
        Line(name="username", label="User name", hint="Usually the mail address."),
        OAUTH,
        Line(name="folder", label="Folder"),
        Choice(name="after", label="A mail that is on its ticket", shapes=True, options=(
            ("keep_flagged", "Stays, with a mark that people do not see"),
            ("move", "Is moved to another folder"),
            ("delete", "Is deleted for good"),
        )),
        Line(name="move_to", label="Folder to move to", optional=True, hint="Only for mails that are moved."),
        Line(name="since", label="Leave mails alone from before", type="date", optional=True,
             hint="Empty takes in all that the folder holds, each with an acknowledgement."),
        Line(name="poll_seconds", label="Look every so many seconds", type="number",
             hint="New mails are told at once where the server can do that."),
    ),
)  # fmt: skip


def _mailbox_secrets(tree: Tree) -> tuple[Line, ...]:
    imap = branch(tree.get("imap"))
    if not leaves(imap.get("used")):
        return ()
    oauth = branch(imap.get("oauth"))
    if not leaves(oauth.get("used")):
        return (secret_line("password", "Password"),)
    tokens = (secret_line("refresh_token", "Refresh token"),) if word(oauth.get("grant")) == "refresh_token" else ()
    return (secret_line("client_secret", "Client secret"), *tokens)


def _hook_secrets(tree: Tree) -> tuple[Line, ...]:
    held = branch(tree.get("webhook"))
    named = dict(MAPPING_SECRETS.get(word(held.get("mapping")), {"signing": "Signing secret"}))
    for name in SECRET.findall(word(held.get("outbound"))):
        named.setdefault(name, name.replace("_", " ").capitalize())
    if '"hub"' in word(held.get("inbound")):
        named.setdefault("verify", "Verify token")
    return tuple(secret_line(name, label) for name, label in named.items())


def secret_line(name: str, label: str) -> Line:
    """A field for a secret."""
    return Line(name=name, label=label, type="password")


EMAIL_FORM: Final = Form(
    model=Channel,
    always={"medium": "email"},
    secrets=_mailbox_secrets,
    parts=(
        Part(title="", fields=(
            NAME,
            Line(name="address", label="Mail address", type="email", required=True,
                 hint="Mails to this address become tickets, and answers leave from it."),
            Line(name="sender_name", label="Sender name", hint="What customers see beside the address."),
            TEAM, ACKNOWLEDGE, ACTIVE,
        )),
        Part(title="Incoming mail", fields=(IMAP,)),
        Part(title="More", folded=True, fields=MORE),
    ),
)  # fmt: skip

QUESTION: Final = Group(
    name="",
    fields=(
        Line(name="label", label="Question", required=True),
        Line(name="name", label="Field of the ticket", example="order", hint="Small letters, digits and _."),
        Choice(name="answer", label="Answer", shapes=True,
               options=(("line", "One line"), ("choice", "One of several"), ("yes_no", "Yes or no"))),
        Several(name="choices", label="To choose from", separator="\n", hint="One a line.",
                only=("answer", "choice"), without=[]),
        Switch(name="required", label="Has to be answered"),
    ),
)  # fmt: skip

WEB_FORM: Final = Form(
    model=Channel,
    always={"medium": "web"},
    start={"form": {"takes_files": True}},
    parts=(
        Part(title="", fields=(NAME, TEAM, ACKNOWLEDGE, ACTIVE)),
        Part(title="The form", fields=(
            Group(name="form", fields=(
                Several(name="origins", label="Sites that show it", separator="\n", example="https://www.example.org",
                        hint=SITES),
                Line(name="title", label="Title", hint="Words left empty are those of the channel's language."),
                Paragraph(name="introduction", label="Introduction", rows=3),
                Paragraph(name="thanks", label="Thanks", rows=3),
                Switch(name="takes_files", label="Takes files"),
                Repeat(name="fields", label="Further questions", item=QUESTION, noun="question", most=30,
                       hint="Name, e-mail, subject and message are always asked."),
            )),
        )),
        Part(title="More", folded=True, fields=MORE),
    ),
)  # fmt: skip

CHAT_FORM: Final = Form(
    model=Channel,
    always={"medium": "chat"},
    start={"chat": {"asks_address": "later"}},
    parts=(
        Part(title="", fields=(NAME, TEAM, ACKNOWLEDGE, ACTIVE)),
        Part(title="The widget", fields=(
            Group(name="chat", fields=(
                Several(name="origins", label="Sites that show it", separator="\n", example="https://www.example.org",
                        hint=SITES),
                Line(name="title", label="Title", hint="Words left empty are those of the channel's language."),
                Paragraph(name="greeting", label="Greeting", rows=3),
                Choice(name="calendar_id", label="When somebody answers", source="calendar", none="Always"),
                Paragraph(name="away", label="Words while it is closed", rows=3),
                Choice(name="asks_address", label="Their mail address is asked for",
                       options=(("first", "Before the first message"), ("later", "When they leave"))),
            )),
        )),
        Part(title="More", folded=True, fields=MORE),
    ),
)  # fmt: skip

WEBHOOK_FORM: Final = Form(
    model=Channel,
    always={"medium": "webhook"},
    start={"webhook": {"mapping": "standard"}, "acknowledge": False},
    secrets=_hook_secrets,
    parts=(
        Part(title="", fields=(NAME, TEAM, ACKNOWLEDGE, ACTIVE)),
        Part(title="The other side", fields=(
            Group(name="webhook", fields=(
                Choice(name="mapping", label="Who speaks", options=tuple(MAPPINGS.items()), shapes=True,
                       none="Somebody else: by a mapping of your own"),
                Dictionary(
                    name="values", label="Values", noun="value", most=50, key=Line(name="", label="Name"),
                    value=Line(name="", label="Value"),
                    hint="Accounts, numbers and addresses that the mapping asks for; never secrets.",
                ),
                Json(name="inbound", label="Mapping of messages", rows=6, hint="Only instead of one that comes along."),
                Json(name="outbound", label="Mapping of replies", rows=6, hint="Only instead of one that comes along."),
                Json(name="signature", label="Signature", rows=3, hint="Only if it is another one than the mapping's."),
            )),
        )),
        Part(title="More", folded=True, fields=MORE),
    ),
)  # fmt: skip

PLAIN: Final = (Part(title="", fields=(NAME, TEAM, ACKNOWLEDGE, ACTIVE)), Part(title="More", folded=True, fields=MORE))

CHANNEL_FORMS: Final[dict[Medium, Form]] = {
    "email": EMAIL_FORM,
    "web": WEB_FORM,
    "chat": CHAT_FORM,
    "webhook": WEBHOOK_FORM,
    "phone": Form(model=Channel, always={"medium": "phone"}, start={"acknowledge": False}, parts=PLAIN),
    "api": Form(model=Channel, always={"medium": "api"}, start={"acknowledge": False}, parts=PLAIN),
}
assert set(CHANNEL_FORMS) == set(MEDIA)

MEDIUM_LEADS: Final[dict[Medium, str]] = {
    "email": "A mailbox: its mails become tickets, and answers leave from it.",
    "web": "A form on your web site, embedded with one line.",
    "chat": "A live chat on your web site, embedded with one line.",
    "webhook": "Telegram, WhatsApp, SMS, Slack, Alertmanager, or a program of your own.",
    "phone": "Calls that agents log.",
    "api": "Tickets that programs open over the API.",
}
