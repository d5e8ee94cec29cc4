"""`deskwire mailbox`: connect a mailbox by IMAP, change its password, look into it."""

import sys
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

mailbox = typer.Typer(
    name="mailbox", add_completion=False, help="The mailboxes that are fetched from by IMAP.", no_args_is_help=True
)

Mailbox = Annotated[str, typer.Argument(help="A channel, by name, address or id.")]
SecretStdin = Annotated[
    bool, typer.Option("--secret-stdin", help="Read the password (or the OAuth secrets, one a line) from there.")
]


@mailbox.command("connect")
def connect(
    address: Annotated[str, typer.Argument(help="The address whose mails are in the mailbox.")],
    *,
    host: Annotated[str, typer.Option(help="The IMAP server.")],
    username: Annotated[str | None, typer.Option(help="Who signs in. Default: the address.")] = None,
    name: Annotated[str, typer.Option(help="The name of a new channel. Default: the address.")] = "",
    team: Annotated[
        str | None, typer.Option(help="The team whose tickets its mails become, by name or id. Default: no team.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Default: 993, or 143 with STARTTLS or without encryption.")] = None,
    tls: Annotated[Literal["implicit", "starttls", "none"], typer.Option(help="How it is encrypted.")] = "implicit",
    folder: Annotated[str, typer.Option(help="The folder to fetch from.")] = "INBOX",
    after: Annotated[
        Literal["keep_flagged", "move", "delete"], typer.Option(help="What becomes of a mail on its ticket.")
    ] = "keep_flagged",
    move_to: Annotated[str | None, typer.Option(help="The folder to move mails to.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave older mails alone. Default: take all.")
    ] = None,
    poll_seconds: Annotated[int, typer.Option(help="How often the folder is looked into.")] = 60,
    microsoft_tenant: Annotated[str | None, typer.Option(help="Sign in with tokens of this tenant.")] = None,
    google: Annotated[bool, typer.Option("--google", help="Sign in with tokens of Google.")] = False,
    client_id: Annotated[str, typer.Option(help="The application that asks for tokens.")] = "",
    secret_stdin: SecretStdin = False,
) -> None:
    """Fetch the mails of an address from a mailbox, beginning at once."""
    from deskwire_intake.mailbox import connecting
    from deskwire_shared.contracts.channels import ImapMailbox
    from deskwire_shared.runtime.running import run_async, running_desk

    try:
        oauth = _oauth(microsoft_tenant, client_id, google=google)
        imap = ImapMailbox(
            host=host, port=port or (993 if tls == "implicit" else 143), tls=tls, username=username or address,
            folder=folder, after=after, move_to=move_to, since=since.date() if since else None,
            poll_seconds=poll_seconds, oauth=oauth,
        )  # fmt: skip
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))} {one['msg']}".strip() for one in error.errors())
        raise typer.BadParameter(problems) from error
    secret = _secret(oauth, from_stdin=secret_stdin)

    async def work() -> None:
        async with running_desk() as desk:
            channel_id = await connecting.connect_mailbox(
                desk, address.strip().lower(), imap, secret, name=name, team=team
            )
            typer.echo(f"connected {address}, channel {channel_id}")

    run_async(work())


@mailbox.command("secret")
def secret(name: Mailbox, secret_stdin: SecretStdin = False) -> None:
    """Replace the password, or the OAuth secrets, that a mailbox is opened with."""
    from deskwire_intake.mailbox import connecting
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            _, _, imap = connecting.mailbox_of(desk, name)
            await connecting.keep_secret(desk, name, _secret(imap.oauth, from_stdin=secret_stdin))
            typer.echo(f"{name} is opened with it from now on")

    run_async(work())


@mailbox.command("check")
def check(name: Mailbox) -> None:
    """Sign in, open the folder, and count the mails that wait in it."""
    from deskwire_intake.mailbox import connecting
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            typer.echo(f"{name} can be fetched from; {await connecting.count_waiting(desk, name)} mails wait")

    run_async(work())


def _oauth(tenant: str | None, client_id: str, *, google: bool) -> Any:
    from deskwire_intake.mailbox import connecting

    if tenant is not None:
        return connecting.microsoft(tenant, client_id)
    return connecting.google(client_id) if google else None


def _secret(oauth: Any, *, from_stdin: bool) -> Any:
    from deskwire_intake.channels.imap.credentials import MailboxSecret

    asked = {None: ["password"], "client_credentials": ["client_secret"]}.get(
        oauth.grant if oauth else None, ["client_secret", "refresh_token"]
    )
    return MailboxSecret.model_validate({name: _ask(name, from_stdin=from_stdin) for name in asked})


def _ask(name: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(name.replace("_", " ").capitalize(), hide_input=True))
