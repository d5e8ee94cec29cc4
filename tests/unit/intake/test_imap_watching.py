"""Which mailboxes are watched, how each fares, and how long a troubled one is left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from deskwire_intake.channels.imap import fetcher as imap_fetcher
from deskwire_intake.channels.imap.channel import ImapChannel, WatchedMailbox, watched_mailboxes
from deskwire_intake.channels.imap.fetcher import MailboxFetcher, Pauses
from deskwire_intake.channels.imap.intake import ImapLimits, MailboxIntake
from deskwire_intake.channels.imap.session import FolderUnusable, MailboxUnreachable, Password, SignInRefused
from deskwire_intake.channels.imap.states import ImapFigures, MailboxState
from deskwire_shared.contracts.channels import Channel, ImapMailbox
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.port import EventStoreError
from unit.intake.mail_desk import ADA, SUPPORT, MailDesk
from unit.intake.memory_folder import MemoryFolder

IMAP = ImapMailbox(host="imap.example.com", username="support")


@dataclass
class MemorySession(MemoryFolder):
    """A folder that stays open and tells when it is waited on."""

    hides_read_mails: bool = False
    is_waited_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float) -> None:
        self.is_waited_on.set()
        await asyncio.Event().wait()


@dataclass
class MemoryCredentials:
    """A password that may be another one by now."""

    changed: bool | Exception = False

    async def get(self) -> Password:
        return Password("secret")

    async def have_changed(self) -> bool:
        if isinstance(self.changed, Exception):
            raise self.changed
        return self.changed

    def refused(self) -> None:
        """Nothing is kept."""


def a_channel(**changes: Any) -> Channel:
    return Channel.model_validate({"name": "Support", "medium": "email", "address": SUPPORT, "imap": IMAP} | changes)


def a_fetcher(desk: MailDesk, session: MemorySession, *failures: Exception) -> MailboxFetcher:
    """A fetcher whose first connections fail."""
    waiting = list(failures)

    @asynccontextmanager
    async def open_session(*_: object) -> AsyncIterator[MemorySession]:
        if waiting:
            raise waiting.pop(0)
        yield session

    intake = MailboxIntake(
        channel_id="support",
        address=SUPPORT,
        host="imap.example.com",
        channel=desk.channel,
        limits=ImapLimits(mail_bytes=1000),
        state=MailboxState(channel_id="support", figures=ImapFigures(CollectorRegistry()), clock=desk.clock),
        room=asyncio.Semaphore(1),
    )
    return MailboxFetcher(mailbox=IMAP, intake=intake, credentials=MemoryCredentials(), open_session=open_session)  # type: ignore[arg-type]


@asynccontextmanager
async def running(fetcher: MailboxFetcher) -> AsyncIterator[None]:
    task = asyncio.create_task(fetcher.run())
    try:
        yield
    finally:
        await end(task)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0)


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    pauses = Pauses(1, 5)
    assert [pauses.next() for _ in range(5)] == [1, 2, 4, 5, 5]
    pauses.reset()
    assert pauses.next() == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (MailboxUnreachable("cut"), "unreachable: cut"),
        (FolderUnusable("no such folder"), "unusable: no such folder"),
        (EventStoreError("away"), "held_up: away"),
        (KeyError("oops"), "failing: 'oops'"),
        (SignInRefused("wrong password"), "refused: wrong password"),
    ],
)
async def test_every_trouble_has_a_name_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception, state: str
) -> None:
    monkeypatch.setattr(imap_fetcher, "PAUSE_SECONDS", (0.05, 0.05))
    monkeypatch.setattr(imap_fetcher, "REFUSED_SECONDS", (0.05, 0.05))
    monkeypatch.setattr(imap_fetcher, "SECRET_SECONDS", 0.05)
    session = MemorySession()
    fetcher = a_fetcher(MailDesk(), session, error)
    async with running(fetcher):
        await until(lambda: str(fetcher.intake.state).startswith(state))
        await asyncio.wait_for(session.is_waited_on.wait(), 5)
        assert fetcher.intake.state.condition == "waiting"


@pytest.mark.parametrize("changed", [True, EventStoreError("away")])
async def test_a_refused_password_is_tried_again_at_once_only_when_there_is_another(
    monkeypatch: pytest.MonkeyPatch, changed: bool | Exception
) -> None:
    monkeypatch.setattr(imap_fetcher, "SECRET_SECONDS", 0.001)
    session = MemorySession()
    fetcher = a_fetcher(MailDesk(), session, SignInRefused("wrong"))
    fetcher.credentials = MemoryCredentials(changed)  # type: ignore[assignment]
    async with running(fetcher):
        waited_on = asyncio.wait_for(session.is_waited_on.wait(), 0.5)
        if changed is True:
            await waited_on
        else:
            with pytest.raises(TimeoutError):
                await waited_on


def test_channels_with_a_mailbox_are_watched_while_they_are_active() -> None:
    desk = MailDesk()

    async def fill() -> None:
        await desk.directory.put("support", a_channel(), actor=ADA)
        await desk.directory.put("old", a_channel(active=False), actor=ADA)
        await desk.directory.put("pushed", a_channel(imap=None), actor=ADA)
        await desk.directory.put("sales", a_channel(address="sales@example.com"), actor=ADA)

    asyncio.run(fill())
    assert {watched.channel_id for watched in watched_mailboxes(desk.directory)} == {"support", "sales"}
    assert watched_mailboxes(desk.directory, "sales") == {WatchedMailbox("sales", "sales@example.com", IMAP)}


async def test_a_mailbox_is_connected_anew_only_when_something_about_it_changed() -> None:
    desk, built = MailDesk(), list[WatchedMailbox]()

    def build(watched: WatchedMailbox) -> MailboxFetcher:
        built.append(watched)
        return a_fetcher(desk, MemorySession())

    channel = ImapChannel(desk.directory, build)
    task = asyncio.create_task(channel.run())
    await desk.directory.put("support", a_channel(), actor=ADA)
    await until(lambda: len(built) == 1)
    await desk.directory.put("support", a_channel(name="Another name"), actor=ADA)
    await desk.directory.put("support", a_channel(imap=IMAP.model_copy(update={"folder": "Help"})), actor=ADA)
    await until(lambda: len(built) == 2)
    assert [watched.imap.folder for watched in built] == ["INBOX", "Help"]
    await desk.directory.delete(Channel, "support", actor=ADA)
    await until(lambda: channel.states() == {})
    await end(task)


def test_the_same_trouble_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    state = MailboxState(channel_id="support", figures=ImapFigures(CollectorRegistry()), clock=MailDesk().clock)
    for _ in range(3):
        state.becomes("unreachable", "cut")
    state.becomes("unreachable", "no answer")
    assert capsys.readouterr().out.count("mailbox in trouble") == 2


def test_a_mailbox_that_is_gone_has_no_figures() -> None:
    registry = CollectorRegistry()
    state = MailboxState(channel_id="support", figures=ImapFigures(registry), clock=MailDesk().clock)
    assert registry.get_sample_value("deskwire_imap_waiting_mails", {"channel": "support"}) == 0
    state.ends()
    assert registry.get_sample_value("deskwire_imap_waiting_mails", {"channel": "support"}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "move"},
        {"after": "move", "move_to": "INBOX"},
        {"host": "imap.example.com/../x"},
        {"folder": "a\r\nb"},
        {"username": "a\r\nb"},
        {"poll_seconds": 0},
        {"oauth": {"grant": "refresh_token", "token_url": "http://token.example.com/", "client_id": "x"}},
    ],
)
def test_a_mailbox_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImapMailbox.model_validate({"host": "imap.example.com", "username": "support"} | wrong)


def test_only_a_channel_of_mails_with_an_address_has_a_mailbox() -> None:
    with pytest.raises(ValidationError):
        a_channel(address=None)
    with pytest.raises(ValidationError):
        a_channel(medium="web")
