"""What opens a mailbox, and that it is never shown."""

from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from deskwire_intake.channels.imap.credentials import Credentials, MailboxSecret
from deskwire_intake.channels.imap.session import AccessToken, MailboxUnreachable, Password, SignInRefused
from deskwire_shared.contracts.channels import ImapMailbox
from deskwire_shared.runtime.buckets import NOTHING, Kept

TOKEN_URL = "https://token.example.com/token"


@dataclass
class MemorySecrets:
    """Secrets of channels in a dict."""

    kept: dict[str, Kept] = field(default_factory=dict)

    async def channel(self, channel_id: str) -> Kept:
        return self.kept.get(channel_id, NOTHING)

    async def set_channel(self, channel_id: str, secret: bytes, *, revision: int | None = None) -> bool:
        now = (await self.channel(channel_id)).revision
        if revision not in {None, now}:
            return False
        self.kept[channel_id] = Kept(secret, now + 1)
        return True


@dataclass
class Endpoint:
    """Answers requests for tokens one after the other, the last one again and again."""

    answers: list[httpx2.Response]
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.content.decode())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def a_token(name: str, **more: Any) -> httpx2.Response:
    return httpx2.Response(200, json={"access_token": name, "expires_in": 3600, **more})


async def credentials(
    secrets: MemorySecrets, *answers: httpx2.Response, grant: str = "client_credentials", **secret: str
) -> tuple[Credentials, Endpoint]:
    oauth = {"grant": grant, "token_url": TOKEN_URL, "client_id": "desk", "scope": "mail"} if answers else None
    mailbox = ImapMailbox.model_validate({"host": "imap.example.com", "username": "support", "oauth": oauth})
    await secrets.set_channel("support", MailboxSecret.model_validate(secret).stored())
    endpoint = Endpoint(list(answers))
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(endpoint))
    return Credentials("support", mailbox, secrets, http), endpoint


async def test_a_password_is_given_as_it_was_kept() -> None:
    given, _ = await credentials(MemorySecrets(), password="pässwörd ")
    assert await given.get() == Password("pässwörd ")


async def test_no_password_is_no_way_in() -> None:
    secrets = MemorySecrets()
    given, _ = await credentials(secrets, password="x")
    secrets.kept.clear()
    with pytest.raises(SignInRefused, match="no password"):
        await given.get()


async def test_another_password_is_noticed() -> None:
    secrets = MemorySecrets()
    given, _ = await credentials(secrets, password="old")
    await given.get()
    assert not await given.have_changed()
    await secrets.set_channel("support", MailboxSecret.model_validate({"password": "new"}).stored())
    assert await given.have_changed()
    assert await given.get() == Password("new")


def test_a_secret_is_not_shown() -> None:
    secret = MailboxSecret.model_validate({"password": "hush", "client_secret": "hush", "refresh_token": "hush"})
    assert "hush" not in f"{secret!r} {secret} {Password('hush')!r} {AccessToken('hush')!r}"


async def test_a_token_is_asked_for_once_while_it_lasts() -> None:
    given, endpoint = await credentials(MemorySecrets(), a_token("one"), a_token("two"), client_secret="shh")
    assert [await given.get(), await given.get()] == [AccessToken("one"), AccessToken("one")]
    assert endpoint.asked == ["grant_type=client_credentials&client_id=desk&client_secret=shh&scope=mail"]


async def test_a_token_that_is_over_or_was_refused_is_replaced() -> None:
    answers = (a_token("one", expires_in=30), a_token("two"), a_token("three"))
    given, _ = await credentials(MemorySecrets(), *answers, client_secret="shh")
    assert [await given.get(), await given.get(), await given.get()] == [
        AccessToken("one"), AccessToken("two"), AccessToken("two"),
    ]  # fmt: skip
    given.refused()
    assert await given.get() == AccessToken("three")


async def test_a_new_refresh_token_takes_the_place_of_the_old_one() -> None:
    secrets = MemorySecrets()
    answers = (a_token("one", expires_in=0, refresh_token="second"), a_token("two"))
    given, endpoint = await credentials(
        secrets, *answers, grant="refresh_token", client_secret="shh", refresh_token="first"
    )
    await given.get()
    assert not await given.have_changed()
    await given.get()
    assert [asked.rpartition("refresh_token=")[2] for asked in endpoint.asked] == ["first", "second"]


@pytest.mark.parametrize(
    ("answer", "refusal", "reason"),
    [
        (httpx2.Response(400, json={"error": "invalid_grant"}), SignInRefused, "invalid_grant"),
        (httpx2.Response(401, content=b"<html>"), SignInRefused, "without a reason"),
        (httpx2.Response(503, content=b""), MailboxUnreachable, "503"),
        (httpx2.Response(200, content=b"{}"), MailboxUnreachable, "no token"),
    ],
)
async def test_an_endpoint_that_gives_no_token_is_told_apart(
    answer: httpx2.Response, refusal: type[Exception], reason: str
) -> None:
    given, _ = await credentials(MemorySecrets(), answer, client_secret="shh")
    with pytest.raises(refusal, match=reason):
        await given.get()


@pytest.mark.parametrize("kept", [b'{"password": ["s3cret"]}', b'"s3cret"'])
def test_a_secret_that_cannot_be_read_is_not_told_by_the_error(kept: bytes) -> None:
    with pytest.raises(ValidationError) as trouble:
        MailboxSecret.model_validate_json(kept)
    assert "s3cret" not in str(trouble.value)
