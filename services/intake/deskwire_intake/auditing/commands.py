"""`deskwire mail ledger`: what came in, held against what the mail servers hold."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deskwire_intake.auditing.audit import Audit
    from deskwire_intake.auditing.reconciling import Reconciliation

SHOWN: Final = 50
"""Missing mails that are named; the rest is counted."""


def ledger(
    mailbox: Annotated[
        str | None,
        typer.Option(metavar="CHANNEL", help="Only this mailbox: a channel, by name, address or id. Else all of them."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Only what came since the beginning of that day."
        ),
    ] = None,
    relay_log: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="The log of a mail server that hands mails over by SMTP or LMTP: each receipt in it is looked for.",
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for monitoring.")] = False,
) -> None:
    """Count what came in by every channel, and hold mailboxes against their servers; nothing is changed by it.

    The exit code is 0 when no mail is missing on either side, and 1 when one is.
    """
    from deskwire_intake.auditing import audit
    from deskwire_shared.runtime.running import run_async, running_desk

    begin = audit.midnight(since) if since else None

    async def work() -> None:
        receipts: set[str] = set()
        if relay_log is not None:
            with relay_log.open(encoding="utf-8", errors="replace") as lines:
                receipts = audit.receipts_in(lines)
        async with running_desk() as desk:
            found = await audit.take_audit(desk, mailbox=mailbox, since=begin, receipts=receipts)
            typer.echo(json.dumps(_json_view(found)) if as_json else "\n".join(_lines(found, _names(desk))))
        raise typer.Exit(0 if found.agrees else 1)

    run_async(work())


def _names(desk: Any) -> dict[str | None, str]:
    from deskwire_shared.contracts.channels import Channel

    return {channel_id: channel.name for channel_id, channel in desk.directory.all(Channel).items()}


def _lines(found: "Audit", names: dict[str | None, str]) -> list[str]:
    from deskwire_shared.runtime.telling import harmless

    ways: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for kind, count in found.counts.items():
        name = names.get(kind.channel_id, kind.channel_id or "")
        ways.setdefault((name, kind.via), []).append((kind.decision, count))
    counted = [_counted(f"{name} by {via}" if name else via, decided) for (name, via), decided in sorted(ways.items())]
    compared = [line for one in found.reconciliations for line in _compared(one)]
    return list(map(harmless, [*(counted or ["nothing came in"]), *compared, *_receipts(found)]))


def _counted(way: str, decided: "Iterable[tuple[str, int]]") -> str:
    return f"{way}: {', '.join(f'{count:,} {decision}' for decision, count in sorted(decided))}"


def _compared(one: "Reconciliation") -> list[str]:
    return [
        str(one),
        *_listed("wait to be fetched", one.waiting),
        *_listed("are not in the ledger", one.not_in_ledger),
        *_listed("are not on the server", one.not_on_server),
    ]


def _receipts(found: "Audit") -> list[str]:
    if not found.receipts:
        return []
    there = found.receipts - len(found.missing_receipts)
    sign = "≠" if found.missing_receipts else "="
    return [
        f"receipts: mail server {found.receipts:,} {sign} ledger {there:,}",
        *_listed("are not in the ledger", found.missing_receipts),
    ]


def _listed(what: str, missing: tuple[str, ...]) -> list[str]:
    if not missing:
        return []
    more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
    return [f"  {len(missing):,} {what}: {', '.join(missing[:SHOWN])}{more}"]


def _json_view(found: "Audit") -> dict[str, Any]:
    return {
        "agrees": found.agrees,
        "counts": [{**asdict(kind), "count": count} for kind, count in found.counts.items()],
        "mailboxes": [{**asdict(one), "agrees": one.agrees} for one in found.reconciliations],
        "receipts": {"given": found.receipts, "missing": found.missing_receipts},
    }
