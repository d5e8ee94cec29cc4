"""`deskwire doctor`: what is wrong, and how to mend it."""

import json
from typing import Annotated

import typer

health = typer.Typer()


@health.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything the desk depends on, and say how to mend what is wrong; exit code 1 when something is."""
    from deskwire_shared.runtime.clock import SystemClock
    from deskwire_shared.runtime.doctor import Finding, examine
    from deskwire_shared.runtime.running import known_server, load_settings, run_async

    def shown(finding: Finding, width: int) -> str:
        mark = typer.style("✔", fg="green") if finding.is_well else typer.style("✘", fg="red")
        advice = "" if finding.is_well else f"\n    → {finding.mend}"
        return f"{mark} {finding.name:<{width}} {finding.found}{advice}"

    async def work() -> None:
        findings = await examine(known_server(load_settings()), SystemClock())
        if as_json:
            typer.echo(json.dumps([{"name": f.name, "ok": f.is_well, "found": f.found, "mend": f.mend}
                                   for f in findings], indent=2, ensure_ascii=False))  # fmt: skip
        else:
            width = max(len(finding.name) for finding in findings)
            typer.echo("\n".join(shown(finding, width) for finding in findings))
        raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)

    run_async(work())
