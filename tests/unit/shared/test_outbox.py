"""The local outbox keeps mails to be looked at."""

from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.outbox import UnknownMail, keep, list_outbox, read_outbox

FIRST, SECOND = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"


def a_mail(subject: str) -> bytes:
    return (
        f"From: Acme <support@acme.example>\r\nTo: =?utf-8?b?SsO8cmdlbg==?=\r\n <j@example.org>\r\n"
        f"Subject: {subject}\r\n\r\nHello\r\n"
    ).encode()


@pytest.fixture(params=["memory", "local"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path)


async def test_an_outbox_is_empty_at_first(objects: ObjectStore) -> None:
    assert await list_outbox(objects) == []


async def test_mails_are_listed_the_newest_first_and_can_be_read(objects: ObjectStore) -> None:
    await keep(Objects(objects), FIRST, a_mail("one"))
    await keep(Objects(objects), SECOND, a_mail("two"))
    newest, oldest = await list_outbox(objects)
    assert (newest.id, oldest.id) == (SECOND, FIRST)
    assert (newest.sender, newest.to, newest.subject) == (
        "Acme <support@acme.example>",
        "Jürgen <j@example.org>",
        "two",
    )
    assert newest.size == len(a_mail("two"))
    assert await read_outbox(objects, FIRST) == a_mail("one")
    assert len(await list_outbox(objects, most=1)) == 1


async def test_the_same_mail_again_is_not_another_one(objects: ObjectStore) -> None:
    await keep(Objects(objects), FIRST, a_mail("one"))
    await keep(Objects(objects), FIRST, a_mail("one"))
    assert len(await list_outbox(objects)) == 1


@pytest.mark.parametrize("mail_id", ["", SECOND, "../raw/secret", "aaaaaaaaaaaaaaaa/../x", "A" * 16])
async def test_what_the_outbox_does_not_hold_cannot_be_read(objects: ObjectStore, mail_id: str) -> None:
    with pytest.raises(UnknownMail):
        await read_outbox(objects, mail_id)
