"""Changing the people and settings of a desk; whatever is secret goes in and never comes out."""

from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError

from deskwire_intake.api import answers, bodies
from deskwire_intake.api.answers import DocumentWithHistory, StoredDocument
from deskwire_intake.api.asking import MAX_KEY, matched_version
from deskwire_intake.api.bodies import DocumentId
from deskwire_shared.contracts.access import Permission, Principal
from deskwire_shared.contracts.directory import DOCUMENTS, ApiToken, Customer, Entry
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.directory.port import Directory, UnknownDocument
from deskwire_shared.runtime.http_access import Authenticated, requires
from deskwire_shared.runtime.identity import TOKEN_PREFIX, Identity

HISTORY: Final = 100
"""The latest revisions of a document that are told."""
SECRET_FIELDS: Final = {"secret_sha256"}
READING: Final[dict[type[Document], Permission]] = {Customer: "customers:read", ApiToken: "admin"}
WRITING: Final[dict[type[Document], Permission]] = {Customer: "customers:write", ApiToken: "admin", Agent: "admin"}

D = TypeVar("D", bound=Document)

router = APIRouter(tags=["directory"])


class WouldLockOut(Exception):
    """Nobody could administer the desk any more."""

    def __init__(self) -> None:
        super().__init__("This is the last active administrator; make another one first.")


class AddressIsTaken(Exception):
    """Another agent signs in with the address."""

    def __init__(self) -> None:
        super().__init__("Another agent has this address.")


class MadeElsewhere(Exception):
    """Documents of this kind are made in another way."""

    def __init__(self) -> None:
        super().__init__("An API token is made by POST /tokens, which makes its secret.")


def _model(kind: str) -> type[Document]:
    model = DOCUMENTS.get(kind)
    if model is None:
        raise UnknownDocument(f"there is no kind of document called {kind}")
    return model


async def _of_application(request: Request) -> Directory:
    directory: Directory = request.app.state.directory
    return directory


Kind = Annotated[str, Path(max_length=64)]
TheDirectory = Annotated[Directory, Depends(_of_application)]
IfMatch = Annotated[str | None, Header(max_length=MAX_KEY)]
Administrator = Annotated[Principal, Depends(requires("admin"))]


@router.get("/directory/{kind}/{document_id}")
async def read_document(
    kind: Kind, document_id: DocumentId, directory: TheDirectory, principal: Authenticated, response: Response
) -> DocumentWithHistory:
    """Read a document with its latest revisions."""
    model = _model(kind)
    principal.require(READING.get(model, "directory:read"))
    history = [_stored(*revision) for revision in await directory.history(model, document_id)]
    if not history:
        raise UnknownDocument(f"there is no such document {document_id}")
    response.headers["ETag"] = f'"{history[-1].revision}"'
    return DocumentWithHistory(**history[-1].model_dump(), history=history[-HISTORY:])


@router.put("/directory/{kind}/{document_id}")
async def write_document(
    kind: Kind,
    document_id: DocumentId,
    *,
    body: dict[str, JsonValue],
    directory: TheDirectory,
    principal: Authenticated,
    response: Response,
    if_match: IfMatch = None,
) -> StoredDocument:
    """Write a document, the whole of it."""
    model = _model(kind)
    principal.require(WRITING.get(model, "directory:write"))
    if model is ApiToken:
        raise MadeElsewhere
    document = _validated(model, body)
    if isinstance(document, Agent):
        _require_sound_agents(directory, document_id, document)
    entry = await directory.put(
        document_id, document, actor=principal.actor, expected_revision=matched_version(if_match)
    )
    response.headers["ETag"] = f'"{entry.revision}"'
    return _stored(entry, document)


@router.delete("/directory/{kind}/{document_id}")
async def delete_document(
    kind: Kind,
    document_id: DocumentId,
    *,
    directory: TheDirectory,
    principal: Authenticated,
    if_match: IfMatch = None,
) -> StoredDocument:
    """Delete a document; its history stays. A deleted API token is valid no more."""
    model = _model(kind)
    principal.require(WRITING.get(model, "directory:write"))
    if model is Agent:
        _require_sound_agents(directory, document_id, None)
    return _stored(
        await directory.delete(model, document_id, actor=principal.actor, expected_revision=matched_version(if_match)),
        None,
    )


@router.post("/agents", status_code=HTTPStatus.CREATED)
async def add_agent(
    body: bodies.NewAgent, request: Request, directory: TheDirectory, principal: Administrator
) -> StoredDocument:
    """Add somebody who answers customers, with the password they sign in with."""
    agent_id = new_id()
    agent = Agent(email=body.email, name=body.name, role=body.role, team_ids=body.team_ids)
    _require_sound_agents(directory, agent_id, agent)
    identity: Identity = request.app.state.identity
    await identity.set_password(agent_id, body.password.get_secret_value())
    return _stored(await directory.put(agent_id, agent, actor=principal.actor, expected_revision=0), agent)


@router.put("/agents/{agent_id}/password", status_code=HTTPStatus.NO_CONTENT)
async def set_password(
    agent_id: DocumentId, body: bodies.Password, request: Request, directory: TheDirectory, principal: Administrator
) -> None:
    """Give an agent another password; their sessions end."""
    del principal
    if directory.get(Agent, agent_id) is None:
        raise UnknownDocument(f"there is no agent {agent_id}")
    identity: Identity = request.app.state.identity
    await identity.set_password(agent_id, body.password.get_secret_value())


@router.post("/tokens", status_code=HTTPStatus.CREATED)
async def create_token(body: bodies.NewToken, request: Request, principal: Administrator) -> answers.Token:
    """Make an API token, with no more than one's own permissions; it is shown this once."""
    for scope in body.scopes:
        principal.require(scope)
    identity: Identity = request.app.state.identity
    token = await identity.create_token(body.name, body.scopes, actor=principal.actor, expires_at=body.expires_at)
    return answers.Token(id=token.removeprefix(TOKEN_PREFIX).partition("_")[0], token=token)


def _validated(model: type[D], body: dict[str, JsonValue]) -> D:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError([{**found, "loc": ("body", *found["loc"])} for found in error.errors()]) from error


def _require_sound_agents(directory: Directory, agent_id: str, changed: Agent | None) -> None:
    """Keep one administrator, and one agent an address. Raises WouldLockOut or AddressIsTaken."""
    agents = directory.all(Agent)
    before, others = agents.get(agent_id), [agent for other_id, agent in agents.items() if other_id != agent_id]
    if changed is not None and any(other.email == changed.email for other in others):
        raise AddressIsTaken
    if before is not None and _administers(before) and not any(map(_administers, filter(None, (*others, changed)))):
        raise WouldLockOut


def _administers(agent: Agent) -> bool:
    return agent.active and agent.role == "admin"


def _stored(entry: Entry, document: Document | None) -> StoredDocument:
    told: dict[str, Any] | None = None if document is None else document.model_dump(mode="json", exclude=SECRET_FIELDS)
    return StoredDocument(
        kind=entry.kind,
        id=entry.id,
        revision=entry.revision,
        at=entry.at,
        actor=entry.actor.model_dump(),
        deleted=entry.deleted,
        document=told,
    )
