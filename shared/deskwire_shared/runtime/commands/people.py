"""`deskwire user` and `deskwire token`: who may use the desk."""

import sys
from datetime import timedelta
from typing import Annotated, get_args

import typer

from deskwire_shared.contracts.access import SCOPES, Permission, Role

user = typer.Typer(name="user", help="The agents of the desk.", no_args_is_help=True)
token = typer.Typer(name="token", help="The API tokens of integrations.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The agent's address.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@user.command("add")
def add_user(
    email: Email,
    name: Annotated[str, typer.Option(help="The name that colleagues and customers see.")],
    role: Annotated[Role, typer.Option(help="What the agent may do.")] = "agent",
    team: Annotated[list[str] | None, typer.Option(help="A team, by name or id. Repeatable.")] = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add an agent who can sign in."""
    from deskwire_shared.runtime.people import add_agent
    from deskwire_shared.runtime.running import run_async, running_desk

    password = _password(from_stdin=password_stdin)

    async def work() -> None:
        async with running_desk() as desk:
            agent_id = await add_agent(desk, email=email, name=name, role=role, teams=team or [], password=password)
            typer.echo(f"added {email} ({role}), id {agent_id}")

    run_async(work())


@user.command("list")
def list_users() -> None:
    """List the agents."""
    from deskwire_shared.contracts.staff import Agent, Team
    from deskwire_shared.runtime.running import run_async, running_desk
    from deskwire_shared.runtime.tables import print_table

    async def work() -> None:
        async with running_desk() as desk:
            teams = desk.directory.all(Team)
            print_table(
                ("Address", "Name", "Role", "Teams", "Active", "Id"),
                (
                    (agent.email, agent.name, agent.role,
                     ", ".join(teams[t].name for t in agent.team_ids if t in teams),
                     "yes" if agent.active else "no", agent_id)
                    for agent_id, agent in sorted(desk.directory.all(Agent).items(), key=lambda a: a[1].email)
                ),
            )  # fmt: skip

    run_async(work())


@user.command("password")
def change_password(email: Email, password_stdin: PasswordStdin = False) -> None:
    """Give an agent another password."""
    from deskwire_shared.runtime import people
    from deskwire_shared.runtime.running import run_async, running_desk

    password = _password(from_stdin=password_stdin)

    async def work() -> None:
        async with running_desk() as desk:
            await people.change_password(desk, email, password)
            typer.echo(f"{email} has another password")

    run_async(work())


@user.command("disable")
def disable_user(email: Email) -> None:
    """Let an agent sign in no more; what they did stays theirs."""
    from deskwire_shared.runtime.people import disable_agent
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            await disable_agent(desk, email)
            typer.echo(f"{email} can sign in no more")

    run_async(work())


@user.command("enable")
def enable_user(email: Email) -> None:
    """Let an agent sign in again who was disabled."""
    from deskwire_shared.runtime.people import enable_agent
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            await enable_agent(desk, email)
            typer.echo(f"{email} can sign in again")

    run_async(work())


@token.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="What the token is for.")],
    scopes: Annotated[str, typer.Option(help=f"What it may do, comma-separated: {', '.join(get_args(Permission))}.")],
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires. Default: never.")] = None,
) -> None:
    """Make an API token and print it; it is shown this once."""
    from deskwire_shared.runtime.people import COMMAND_LINE
    from deskwire_shared.runtime.running import run_async, running_desk

    asked = tuple(filter(None, (scope.strip() for scope in scopes.split(","))))
    unknown = [scope for scope in asked if scope not in SCOPES]
    if unknown or not asked:
        raise typer.BadParameter(f"no such scope: {', '.join(unknown) or '(none given)'}", param_hint="--scopes")
    granted = tuple(scope for scope in get_args(Permission) if scope in asked)

    async def work() -> None:
        async with running_desk() as desk:
            expires_at = desk.clock.now() + timedelta(days=days) if days else None
            typer.echo(await desk.identity.create_token(name, granted, actor=COMMAND_LINE, expires_at=expires_at))

    run_async(work())


@token.command("list")
def list_tokens() -> None:
    """List the API tokens, without their secrets."""
    from deskwire_shared.contracts.directory import ApiToken
    from deskwire_shared.runtime.running import run_async, running_desk
    from deskwire_shared.runtime.tables import print_table

    async def work() -> None:
        async with running_desk() as desk:
            print_table(
                ("Id", "Name", "Scopes", "Expires", "Active"),
                (
                    (token_id, known.name, ", ".join(known.scopes),
                     f"{known.expires_at:%Y-%m-%d}" if known.expires_at else "never", "yes" if known.active else "no")
                    for token_id, known in sorted(desk.directory.all(ApiToken).items(), key=lambda t: t[1].name)
                ),
            )  # fmt: skip

    run_async(work())


@token.command("revoke")
def revoke_token(token_id: Annotated[str, typer.Argument(help="The token's id, as `token list` shows it.")]) -> None:
    """End an API token at once."""
    from deskwire_shared.contracts.directory import ApiToken
    from deskwire_shared.runtime.people import COMMAND_LINE
    from deskwire_shared.runtime.running import CommandFailed, run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            known = desk.directory.get(ApiToken, token_id)
            if known is None:
                raise CommandFailed(f"there is no token {token_id}")
            await desk.directory.put(token_id, known.model_copy(update={"active": False}), actor=COMMAND_LINE)
            typer.echo(f"token {known.name} is revoked")

    run_async(work())


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
