"""What widgets may say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_intake.channels.chat.frames import Hello, Introduce, Say, Shown, Typing, UnreadableFrame, read_frame
from deskwire_intake.channels.chat.messages import Visitor, inbound_message
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Address
from deskwire_shared.ticket.state import Ticket

HELP = Channel(name="Help", medium="chat")
VISITOR = Visitor(chat_id="abcdefghijklmnop", channel_id="help", channel=HELP)
SAID = Say(type="say", id="abcdefgh", text=" Hello\r\nthere\x00 ")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"type": "hello"}, Hello),
        ({"type": "introduce", "name": "Cora"}, Introduce),
        ({"type": "say", "id": "abcdefgh", "text": "Hello"}, Say),
        ({"type": "typing"}, Typing),
        ({"type": "shown", "id": "abcdefghijklmnop"}, Shown),
    ],
)
def test_the_words_of_a_widget_are_read(sent: dict[str, str], kind: type) -> None:
    assert isinstance(read_frame(json.dumps(sent)), kind)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"type": "shout"},
        {"type": "say", "id": "abcdefgh", "text": ""},
        {"type": "say", "id": "abcdefgh", "text": "x" * 4_001},
        {"type": "say", "id": "short", "text": "Hello"},
        {"type": "say", "id": "../../etc/passwd", "text": "Hello"},
        {"type": "say", "id": "abcdefgh", "text": ["Hello"]},
        {"type": "hello", "last_seen": "UPPER"},
        {"type": "typing", "more": True},
    ],
)
def test_anything_else_is_refused(sent: dict[str, object]) -> None:
    with pytest.raises(UnreadableFrame):
        read_frame(json.dumps(sent))


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_whatever_is_sent_is_read_or_refused(sent: str) -> None:
    try:
        read_frame(sent)
    except UnreadableFrame:
        return


def test_nobody_is_known_by_their_chat_alone_until_they_tell_an_address() -> None:
    assert VISITOR.person == Address(address="chat:abcdefghijklmnop", name="Visitor ABCD")
    told = VISITOR.introduced(Introduce(type="introduce", name=" Cora\n", address="cora@example.org"))
    assert told is not None
    assert told.person == Address(address="cora@example.org", name="Cora")
    only_named = told.introduced(Introduce(type="introduce", name="Cora C."))
    assert only_named is not None
    assert only_named.person == Address(address="cora@example.org", name="Cora C.")


def test_an_address_that_reaches_nobody_is_not_taken() -> None:
    assert VISITOR.introduced(Introduce(type="introduce", address="cora")) is None


def test_the_first_message_gives_the_ticket_its_subject_and_later_ones_do_not() -> None:
    first = inbound_message(SAID, Ticket.unborn("t"), VISITOR)
    later = inbound_message(SAID, Ticket(id="t", exists=True), VISITOR)
    assert (first.subject, first.text) == ("Hello there", "Hello\nthere")
    assert later.subject == ""


def test_the_same_message_sent_again_has_the_same_fingerprint_in_its_chat_alone() -> None:
    one, again = (inbound_message(SAID, Ticket.unborn("t"), VISITOR) for _ in range(2))
    assert one.fingerprint == again.fingerprint
    assert inbound_message(SAID, Ticket.unborn("u"), VISITOR).fingerprint != one.fingerprint


def test_a_customer_whose_address_the_ticket_knows_speaks_under_it() -> None:
    cora = Address(address="cora@example.org", name="Cora")
    ticket = Ticket(id="t", exists=True, requester=cora)
    assert inbound_message(SAID, ticket, VISITOR).author == cora


def test_a_customer_speaks_under_no_address_of_somebody_else_on_the_ticket() -> None:
    requester = VISITOR.person
    ticket = Ticket(id="t", exists=True, requester=requester, participant_addresses=frozenset({"cora@example.org"}))
    cora, dora = (
        VISITOR.introduced(Introduce(type="introduce", address=f"{name}@example.org")) for name in ("Cora", "dora")
    )
    assert cora is not None
    assert dora is not None
    assert inbound_message(SAID, ticket, cora).author == requester
    assert inbound_message(SAID, ticket, dora).author == dora.person
