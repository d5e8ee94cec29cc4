"""HTML that others can read without harm."""

import pytest

from deskwire_shared.testing.ticket import a_ticket
from deskwire_shared.ticket.commands import SendReply
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.markup import MOST_TAGS, is_modest
from deskwire_shared.ticket.refusals import TooElaborate

LETTER = "<p>Dear <b>Ann</b>,<br><a href='https://shop.example'>your order</a> is on its way.</p>"


def reply(html: str) -> SendReply:
    return SendReply(message_id="r1", agent_id="a", text="x", html=html)


@pytest.mark.parametrize(
    "html", ["", "words", LETTER * 40, "<div>" * MOST_TAGS], ids=["none", "plain", "letter", "most"]
)
def test_what_people_write_is_modest(html: str) -> None:
    assert is_modest(html)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * (MOST_TAGS + 1),
        "<div></x>" * MOST_TAGS,
        "<!-- <div>" * (MOST_TAGS + 1),
        "<p>" + "<FONT size=1>" * 200 + "<p>x" * 400,
    ],
    ids=["deep", "stray ends", "comments", "repeated"],
)
def test_what_could_grow_is_not_modest_whatever_hides_it(html: str) -> None:
    assert not is_modest(html)


def test_an_answer_that_no_mail_program_should_read_is_refused() -> None:
    with pytest.raises(TooElaborate):
        decide(reply("<div>" * 100_000), a_ticket())


def test_an_answer_with_usual_formatting_is_taken() -> None:
    assert decide(reply(LETTER), a_ticket())
