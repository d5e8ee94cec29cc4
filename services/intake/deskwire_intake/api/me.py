"""What agents change about themselves."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError

from deskwire_intake.api import answers, bodies
from deskwire_intake.api.directory import TheDirectory
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.directory.port import UnknownDocument
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.http_access import requires

LONGEST_ABSENCE: Final = timedelta(days=730)

router = APIRouter(tags=["me"])


class NotAnAgent(Exception):
    """Only people are there or away; whoever asks is a program."""

    def __init__(self) -> None:
        super().__init__("Sign in as an agent: an API token has no availability.")


@router.put("/me/availability")
async def set_availability(
    body: bodies.Presence,
    request: Request,
    directory: TheDirectory,
    principal: Annotated[Principal, Depends(requires("tickets:reply"))],
) -> answers.StoredPresence:
    """Say whether you take tickets; without `out_until` you are back from any absence."""
    if principal.kind != "agent":
        raise NotAnAgent
    clock: Clock = request.app.state.clock
    if body.out_until is not None and body.out_until > clock.now() + LONGEST_ABSENCE:
        raise RequestValidationError([_too_far(body)])
    agent = directory.get(Agent, principal.id)
    if agent is None:
        raise UnknownDocument(f"there is no agent {principal.id}")
    changed = agent.model_copy(update={"availability": body.availability, "out_until": body.out_until})
    if changed == agent:
        return _stored(agent, directory.revision(Agent, principal.id))
    revision = directory.revision(Agent, principal.id)
    entry = await directory.put(principal.id, changed, actor=principal.actor, expected_revision=revision)
    return _stored(changed, entry.revision)


def _too_far(body: bodies.Presence) -> dict[str, object]:
    message = f"an absence ends within {LONGEST_ABSENCE.days} days"
    return {"type": "value_error", "loc": ("body", "out_until"), "msg": message, "input": str(body.out_until)}


def _stored(agent: Agent, revision: int) -> answers.StoredPresence:
    return answers.StoredPresence(availability=agent.availability, out_until=agent.out_until, revision=revision)
