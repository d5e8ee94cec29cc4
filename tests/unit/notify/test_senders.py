"""Which mailbox a ticket's mails leave from."""

from deskwire_notify.mails.senders import Sender, mailboxes, sender_for
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.testing.ticket import a_ticket


def mail(address: str | None, **changes: object) -> Channel:
    usual = {"name": "Mail", "medium": "email", "address": address}
    return Channel.model_validate({**usual, **changes})


SALES = mail("sales@acme.example", team_id="sales", sender_name="Acme Sales", locale="de")
SUPPORT = mail("support@acme.example", team_id="support")
FORM = Channel(name="Form", medium="web", locale="fr")
CHANNELS = {"a": SUPPORT, "b": SALES, "c": FORM}


def test_an_answer_leaves_from_the_mailbox_the_ticket_came_in_by() -> None:
    ticket = a_ticket(channel_id="b", team_id="support")
    assert sender_for(ticket, CHANNELS, None) == Sender("sales@acme.example", "Acme Sales", "de")


def test_a_ticket_from_a_form_is_answered_from_its_teams_mailbox_in_the_forms_language() -> None:
    ticket = a_ticket(channel_id="c", team_id="sales")
    assert sender_for(ticket, CHANNELS, None) == Sender("sales@acme.example", "Acme Sales", "fr")


def test_any_mailbox_is_better_than_none() -> None:
    assert sender_for(a_ticket(), CHANNELS, "else@acme.example") == Sender("support@acme.example", "Mail", "en")


def test_a_mailbox_that_is_closed_or_cannot_be_one_is_passed_over() -> None:
    channels = {"a": mail("x@acme.example", active=False), "b": mail(None), "c": mail("not an address")}
    assert sender_for(a_ticket(channel_id="a"), channels, "else@acme.example") == Sender("else@acme.example")
    assert sender_for(a_ticket(channel_id="a"), channels, None) is None


def test_the_desk_knows_its_mailboxes() -> None:
    assert mailboxes(CHANNELS, "else@acme.example") == {
        "sales@acme.example",
        "support@acme.example",
        "else@acme.example",
    }
    assert mailboxes({}, None) == set()
