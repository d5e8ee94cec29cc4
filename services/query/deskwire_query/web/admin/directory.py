"""How the administration reads and writes documents, and what it refuses."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from pydantic import TypeAdapter

from deskwire_query.web.admin.forms.controls import Problems
from deskwire_query.web.admin.forms.form import Rejected
from deskwire_query.web.admin.sections import Section
from deskwire_query.web.desk import Desk
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import RevisionConflict
from deskwire_shared.runtime.buckets import Kept
from deskwire_shared.runtime.secrets import MAX_PASSWORD, MIN_PASSWORD

ORDER_STEP: Final = 10

ReadSecrets = Callable[[str], Awaitable[Kept]]


class KeepSecrets(Protocol):
    """Keeps the secrets of a document; False when they were changed in between."""

    async def __call__(self, document_id: str, secret: bytes, /, *, revision: int | None = None) -> bool:
        """Keep them."""
        ...


_secrets: Final = TypeAdapter(dict[str, str])


async def find(desk: Desk, section: Section, document_id: str) -> tuple[Document | None, int]:
    """The document as it is now, and its revision; a customer without one is who the desk has met."""
    if section.model is not Customer:
        return desk.directory.get(section.model, document_id), desk.directory.revision(section.model, document_id)
    history = await desk.directory.history(Customer, document_id)
    if history:
        return history[-1][1], history[-1][0].revision
    met = await desk.reads.customer(document_id)
    return Customer(address=met.address, name=met.name), 0


def reject(path: str, sentence: str) -> Rejected:
    """A form that cannot be stored for one reason."""
    problems = Problems()
    problems.add(path, sentence)
    return Rejected(problems)


def require_sound(desk: Desk, document_id: str, changed: Document | None) -> None:
    """Keep one administrator, and one agent an address. Raises Rejected."""
    agents = desk.directory.all(Agent)
    after = {key: agent for key, agent in agents.items() if key != document_id}
    if isinstance(changed, Agent):
        if any(agent.email == changed.email for agent in after.values() if agent.active):
            raise reject("email", "Somebody else has this e-mail address.")
        after[document_id] = changed
    elif document_id not in agents:
        return
    if not any(agent.active and agent.role == "admin" for agent in after.values()):
        raise reject("", "Somebody must stay an administrator.")


def require_password(password: str | None, *, needed: bool) -> None:
    """Refuse a password that is too short or too long. Raises Rejected."""
    if (password or needed) and not MIN_PASSWORD <= len(password or "") <= MAX_PASSWORD:
        raise reject("password", f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")


async def keep_secrets(desk: Desk, model: type[Document], document_id: str, given: Mapping[str, str]) -> None:
    """Keep what was entered, beside what was kept before. Raises RevisionConflict."""
    if not given:
        return
    if model is Agent:
        await desk.sessions.set_password(document_id, given["password"])
        return
    read, keep = _safe(desk, model)
    kept = await read(document_id)
    secrets = {**_secrets.validate_json(kept.value or b"{}"), **given}
    if not await keep(document_id, _secrets.dump_json(secrets), revision=kept.revision):
        raise RevisionConflict("the secrets were changed in between")


async def secrets_kept(desk: Desk, model: type[Document], document_id: str) -> tuple[str, ...]:
    """The names of the secrets that a channel or a webhook has."""
    if model not in {Channel, Webhook}:
        return ()
    read, _ = _safe(desk, model)
    return tuple(_secrets.validate_json((await read(document_id)).value or b"{}"))


def _safe(desk: Desk, model: type[Document]) -> tuple[ReadSecrets, KeepSecrets]:
    """Where the secrets of a kind of document are kept."""
    if model is Webhook:
        return desk.credentials.webhook, desk.credentials.set_webhook
    return desk.credentials.channel, desk.credentials.set_channel


async def renumber(desk: Desk, section: Section, ids: list[str], principal: Principal) -> None:
    """Store the order of documents; those that stay in their place are not touched."""
    documents = desk.directory.all(section.model)
    for place, document_id in enumerate(ids, 1):
        document, order = documents[document_id], place * ORDER_STEP
        if getattr(document, "order", None) != order:
            revision = desk.directory.revision(section.model, document_id)
            moved = document.model_copy(update={"order": order})
            await desk.directory.put(document_id, moved, actor=principal.actor, expected_revision=revision)


def next_order(desk: Desk, section: Section) -> int:
    """The order behind that of all documents."""
    orders = (getattr(document, "order", 0) for document in desk.directory.all(section.model).values())
    return max(orders, default=0) + ORDER_STEP


def in_order(section: Section, documents: Mapping[str, Document]) -> list[tuple[str, Document]]:
    """Documents as they are asked, or by name."""
    if section.ordered:
        return sorted(documents.items(), key=lambda item: (getattr(item[1], "order", 0), item[0]))
    return sorted(documents.items(), key=lambda item: str(getattr(item[1], "name", "")).lower())
