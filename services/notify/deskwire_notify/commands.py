"""`deskwire webhook`: the secrets of webhooks, and whether their servers take what they are told."""

import sys
from typing import Annotated

import typer

webhook = typer.Typer(name="webhook", add_completion=False, help="The webhooks of the desk.", no_args_is_help=True)

WebhookId = Annotated[str, typer.Argument(help="The webhook's id.")]


@webhook.command("list")
def list_webhooks() -> None:
    """List the webhooks, and why the desk has switched some off."""
    from deskwire_shared.contracts.webhooks import Webhook
    from deskwire_shared.runtime.running import run_async, running_desk
    from deskwire_shared.runtime.tables import print_table

    async def work() -> None:
        async with running_desk() as desk:
            print_table(
                ("Id", "Name", "Address", "Active"),
                (
                    (webhook_id, known.name, known.url, "yes" if known.active else known.disabled_because or "no")
                    for webhook_id, known in sorted(desk.directory.all(Webhook).items())
                ),
            )

    run_async(work())


@webhook.command("secret")
def change_secret(
    webhook_id: WebhookId,
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read it from standard input.")] = False,
) -> None:
    """Sign with another secret, made here and shown this once; the former one goes on signing along."""
    from deskwire_notify.webhooks.trying import known_webhook
    from deskwire_shared.runtime import webhook_secrets
    from deskwire_shared.runtime.running import CommandFailed, run_async, running_desk

    given = sys.stdin.readline().strip() if secret_stdin else None

    async def work() -> None:
        async with running_desk() as desk:
            known_webhook(desk.directory, webhook_id)
            try:
                secret = webhook_secrets.require_signing(given) if given is not None else webhook_secrets.new_secret()
                await webhook_secrets.change_signing(desk.secrets, webhook_id, secret)
            except (ValueError, webhook_secrets.SecretsChanged, webhook_secrets.UnreadableSecrets) as error:
                raise CommandFailed(str(error)) from error
        typer.echo(f"webhook {webhook_id} is signed with the secret that was given" if given else secret)

    run_async(work())


@webhook.command("test")
def test_webhook(webhook_id: WebhookId) -> None:
    """Tell a webhook that this is a test, and say what it answered; exits 1 when it did not take it."""
    from deskwire_notify.app import webhook_caller, webhook_sender
    from deskwire_notify.settings import NotifySettings
    from deskwire_notify.webhooks.trying import try_out
    from deskwire_shared.runtime.running import CommandFailed, run_async, running_desk

    async def work() -> None:
        settings = NotifySettings()
        sender = webhook_sender(settings)
        try:
            async with running_desk() as desk:
                answer = await try_out(webhook_caller(desk, settings, sender), webhook_id)
        finally:
            await sender.close()
        if answer.verdict != "accepted":
            raise CommandFailed(f"the webhook did not take it: {answer.reason}")
        typer.echo(f"the webhook took it (HTTP {answer.status})")

    run_async(work())
