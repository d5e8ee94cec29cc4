"""What a reply is written down as for another service, and what its answer means."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from deskwire_notify.channels.port import ACCEPTED
from deskwire_notify.mappings import shipped_mapping, shipped_names
from deskwire_notify.requests.webhook_requests import judge, missing_secrets, sign, split_text, write_request
from deskwire_notify.undeliverable import Undeliverable
from deskwire_shared.contracts.webhook_channels import OutboundRequest

SCOPE: dict[str, Any] = {
    "reply": {"id": "r1", "text": 'Use "water" & 🧯\nAda'},
    "conversation": ["C1", "17.2"],
    "ticket": {"id": "t1", "number": 42},
    "customer": {"address": "tel:+49301", "name": "Cora"},
    "agent": {"name": "Ada"},
    "channel": {"account_sid": "AC1", "reply_url": "https://shop.example/replies?key=1"},
    "secret": {"bot_token": "123:abc-DEF", "access_token": "EAA", "signing": "twilio token"},
}


def shipped(name: str) -> OutboundRequest:
    mapping = shipped_mapping(name)
    assert mapping is not None
    return mapping


def an_outbound(**changes: Any) -> OutboundRequest:
    usual: dict[str, Any] = {"url": "https://api.example.com/{conversation.0}/send", "body": {"text": "{reply.text}"}}
    return OutboundRequest.model_validate({**usual, **changes})


@pytest.mark.parametrize("name", shipped_names())
def test_every_mapping_that_is_shipped_can_be_read(name: str) -> None:
    assert write_request(shipped(name), SCOPE).content


def test_a_telegram_reply_goes_to_its_chat() -> None:
    request = write_request(shipped("telegram"), SCOPE)
    assert request.url == "https://api.telegram.org/bot123:abc-DEF/sendMessage"
    assert json.loads(request.content) == {"chat_id": "C1", "text": 'Use "water" & 🧯\nAda'}


def test_a_whatsapp_reply_names_its_number_and_carries_the_token() -> None:
    request = write_request(shipped("whatsapp"), SCOPE)
    assert request.url == "https://graph.facebook.com/v23.0/C1/messages"
    assert request.headers["Authorization"] == "Bearer EAA"
    assert json.loads(request.content)["to"] == "17.2"
    assert json.loads(request.content)["text"] == {"preview_url": False, "body": 'Use "water" & 🧯\nAda'}


def test_a_text_message_is_a_form_with_basic_credentials() -> None:
    scope = {**SCOPE, "conversation": ["+15550001", "+15550002"], "reply": {"text": "a&b=c\n"}}
    request = write_request(shipped("twilio_sms"), scope)
    assert request.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert request.content == b"From=%2B15550001&To=%2B15550002&Body=a%26b%3Dc%0A"
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"AC1:twilio token"


def test_a_slack_reply_stays_in_its_thread() -> None:
    body = json.loads(write_request(shipped("slack"), SCOPE).content)
    assert (body["channel"], body["thread_ts"]) == ("C1", "17.2")


def test_the_address_of_a_program_of_ones_own_is_kept_as_it_is() -> None:
    assert write_request(shipped("standard"), SCOPE).url == "https://shop.example/replies?key=1"


@pytest.mark.parametrize(
    ("conversation", "step"), [("a/b?c#d", "a%2Fb%3Fc%23d"), ("ü ", "%C3%BC%20"), ("@evil.example", "@evil.example")]
)
def test_a_conversation_cannot_leave_its_step_of_the_path(conversation: str, step: str) -> None:
    request = write_request(an_outbound(), {**SCOPE, "conversation": [conversation]})
    assert request.url == f"https://api.example.com/{step}/send"


@pytest.mark.parametrize("conversation", ["", ".", ".."])
def test_a_conversation_that_names_no_step_is_refused(conversation: str) -> None:
    with pytest.raises(Undeliverable):
        write_request(an_outbound(), {**SCOPE, "conversation": [conversation]})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "\0"])
def test_nobody_breaks_out_of_a_header(value: str) -> None:
    outbound = an_outbound(headers={"X-Customer": "{customer.name}"})
    with pytest.raises(Undeliverable):
        write_request(outbound, {**SCOPE, "customer": {"name": value}})


def test_words_stay_words_in_json() -> None:
    request = write_request(an_outbound(), {**SCOPE, "reply": {"text": '"}, "admin": true, {"{secret.signing}'}})
    assert json.loads(request.content) == {"text": '"}, "admin": true, {"{secret.signing}'}


def test_a_request_shows_no_secret_when_it_is_printed() -> None:
    assert "abc" not in repr(write_request(shipped("telegram"), SCOPE))


def test_a_signed_request_proves_itself_to_the_other_side() -> None:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    key = b"k" * 24
    request = sign(write_request(shipped("standard"), SCOPE), f"whsec_{base64.b64encode(key).decode()}", "r1", at)
    signed = f"r1.{int(at.timestamp())}.".encode() + request.content
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    with pytest.raises(Undeliverable):
        sign(request, "%%%", "r1", at)


def test_secrets_that_nobody_has_entered_are_named() -> None:
    assert missing_secrets(shipped("telegram"), {"signing"}) == ("bot_token",)
    assert missing_secrets(shipped("standard"), set()) == ("signing",)
    assert missing_secrets(shipped("twilio_sms"), {"signing"}) == ()


def test_a_short_text_is_one_part() -> None:
    assert split_text("  Hello \n", 100) == ["Hello"]
    assert split_text(" ", 100) == []


@pytest.mark.parametrize("mark", ["\n\n", "\n", " "])
def test_a_long_text_is_cut_where_it_pauses(mark: str) -> None:
    text = mark.join(["words" * 10] * 6)
    parts = split_text(text, 120)
    assert all(len(part) <= 120 for part in parts)
    assert mark.join(parts) == text


def test_a_text_without_pauses_is_cut_at_the_limit_and_no_character_in_two() -> None:
    assert split_text("x" * 250, 100) == ["x" * 100, "x" * 100, "x" * 50]
    parts = split_text("🔥" * 101, 101)
    assert parts == ["🔥" * 50, "🔥" * 50, "🔥"]


def test_a_text_of_too_many_parts_is_refused() -> None:
    assert len(split_text("x" * 1_000, 100)) == 10
    with pytest.raises(Undeliverable):
        split_text("x" * 1_001, 100)


ANSWERS: list[tuple[str, int, Any, str]] = [
    ("telegram", 200, {"ok": True, "result": {"message_id": 1}}, "accepted"),
    ("telegram", 200, "<html>", "refused"),
    ("telegram", 403, {"ok": False, "description": "Forbidden: bot was blocked by the user"}, "refused"),
    ("telegram", 401, {"ok": False, "description": "Unauthorized"}, "not_now"),
    ("telegram", 429, {"ok": False, "parameters": {"retry_after": 5}}, "not_now"),
    ("whatsapp", 200, {"messages": [{"id": "wamid.X"}]}, "accepted"),
    ("whatsapp", 400, {"error": {"code": 131047, "message": "Re-engagement message"}}, "refused"),
    ("whatsapp", 400, {"error": {"code": 130429, "message": "Rate limit hit"}}, "not_now"),
    ("twilio_sms", 201, {"sid": "SM1"}, "accepted"),
    ("twilio_sms", 400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"}, "refused"),
    ("slack", 200, {"ok": True}, "accepted"),
    ("slack", 200, {"ok": False, "error": "channel_not_found"}, "refused"),
    ("slack", 200, {"ok": False, "error": "token_expired"}, "not_now"),
    ("standard", 204, None, "accepted"),
    ("standard", 302, None, "refused"),
    ("standard", 404, None, "refused"),
    ("standard", 503, None, "not_now"),
    ("standard", 599, [[]], "not_now"),
]


@pytest.mark.parametrize(("name", "status", "answer", "verdict"), ANSWERS)
def test_an_answer_says_what_became_of_a_reply(name: str, status: int, answer: Any, verdict: str) -> None:
    assert judge(shipped(name), status, answer).verdict == verdict


def test_the_reason_of_a_refusal_is_told_in_bounds() -> None:
    answer = judge(shipped("telegram"), 403, {"description": "Forbidden:\n " + "x" * 5_000})
    assert answer.reason.startswith("403 Forbidden: xxx")
    assert len(answer.reason) == 500
    assert answer.code == "http 403"
    assert judge(shipped("telegram"), 200, {"ok": True}) is ACCEPTED
