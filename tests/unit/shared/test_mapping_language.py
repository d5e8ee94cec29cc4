"""The language of mappings: what paths find, what templates say, and what is no mapping."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from deskwire_shared.contracts.conversations import conversation_of, parts_of
from deskwire_shared.contracts.mapping_language import (
    LONGEST_WORDS,
    Condition,
    Expression,
    Template,
    find,
    holds,
    require_shallow,
    words,
)
from deskwire_shared.contracts.webhook_channels import OutboundRequest, WebhookChannel

SCOPE: dict[str, Any] = {
    "body": {
        "entry": [{"values": [1, 2]}, {"values": [3]}, {"other": True}],
        "name": "Ann",
        "empty": "",
        "none": None,
        "yes": True,
        "half": 0.5,
        "huge": 10**60,
        "odd": {"*": "star", "0": "zero"},
    }
}
_expression: TypeAdapter[Expression] = TypeAdapter(Expression)
_template: TypeAdapter[str] = TypeAdapter(Template)


def said(expression: Any) -> str:
    return words(_expression.validate_python(expression), SCOPE)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("body.name", ["Ann"]),
        ("body.entry.*.values.*", [1, 2, 3]),
        ("body.entry.0.values.1", [2]),
        ("body.entry.-1", []),
        ("body.entry.١", []),
        ("body.entry.name", []),
        ("body.name.0", []),
        ("body.odd.0", ["zero"]),
        ("body.none", [None]),
        ("nobody", []),
        ("body.missing.deeper", []),
    ],
)
def test_a_path_leads_to_what_is_there(path: str, found: list[Any]) -> None:
    assert find(path, SCOPE) == found


@pytest.mark.parametrize(
    ("expression", "yielded"),
    [
        ("Hello {body.name}!", "Hello Ann!"),
        ("{{body.name}}", "{body.name}"),
        ("{body.missing}{body.none}{body.entry}{body.huge}", ""),
        ("{body.yes} {body.half} {body.entry.*.values.*}", "true 0.5 1"),
        ({"first_of": ["{body.empty}", " ", "{body.name}", "x"]}, "Ann"),
        ({"join": ["a", "{body.empty}", "b"], "between": ", "}, "a, b"),
        ({"each": "body.entry.*.values.*", "say": "<{item}>", "between": ""}, "<1><2><3>"),
        ({"choose": "{body.name}", "among": {"Ann": "yes"}, "otherwise": "no"}, "yes"),
        ({"choose": "{body.empty}", "among": {"Ann": "yes"}, "otherwise": {"first_of": ["no"]}}, "no"),
        ({"when": [{"path": "body.name", "exists": True}], "say": "there"}, "there"),
        ({"when": [{"path": "body.none", "exists": True}], "say": "there"}, ""),
    ],
)
def test_an_expression_yields_words(expression: Any, yielded: str) -> None:
    assert said(expression) == yielded


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ({"path": "body.name", "one_of": ["Ann"]}, True),
        ({"path": "body.name", "none_of": ["Ann"]}, False),
        ({"path": "body.missing", "none_of": ["Ann"]}, True),
        ({"path": "body.missing", "one_of": [""]}, True),
        ({"path": "body.yes", "one_of": ["true"], "exists": True}, True),
        ({"path": "body.none", "exists": False}, True),
    ],
)
def test_a_condition_asks_for_the_first_value(condition: dict[str, Any], held: bool) -> None:
    assert holds(Condition.model_validate(condition), SCOPE) is held


@pytest.mark.parametrize(
    "expression",
    [
        "{body.name",
        "body.name}",
        "{}",
        "{body..name}",
        "{body.na me}",
        "{__class__.__init__!r}}}{",
        "x" * 2_001,
        "{a}" * 31,
        {"first_of": []},
        {"join": ["x"], "code": "import os"},
        {"when": [{"path": "body.name"}], "say": "x"},
        7,
    ],
)
def test_what_is_no_expression_is_refused(expression: Any) -> None:
    with pytest.raises(ValidationError):
        _expression.validate_python(expression)


def test_a_template_reads_data_and_no_attributes() -> None:
    assert words("{body.__class__}{body.name.upper}", SCOPE) == ""


def test_words_are_bounded_however_often_a_long_value_is_named() -> None:
    scope: dict[str, Any] = {"body": ["x" * 100_000] * 500}
    expression = _expression.validate_python({"each": "body.*", "say": "{item}" * 10})
    assert len(words(expression, scope)) == LONGEST_WORDS


def test_depth_is_counted_without_recursion() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="deeper than 20"):
        require_shallow(value, 20)
    require_shallow([[1]], 3)


@pytest.mark.parametrize("parts", [("1",), ("C1", "17.2"), ("a/b", "ü%", "+49 30"), ("", "x")])
def test_a_conversation_is_named_by_its_parts(parts: tuple[str, ...]) -> None:
    assert parts_of(conversation_of(parts)) == parts


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/send/{conversation.0}",
        "https://api.example.com",
        "https://{channel.host}/x",
        "{channel.reply_url}",
        "{channel.base}/send/{conversation.0}",
        "http://10.0.0.1:8080/x",
    ],
)
def test_an_address_of_the_administrator_is_taken(url: str) -> None:
    assert OutboundRequest(url=url, body={}).url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://{conversation.0}/x",
        "https://api.{conversation.0}.example/x",
        "{conversation.0}",
        "{channel.base}{conversation.0}",
        "{channel.base}.example.com/x",
        "https://user@{customer.address}",
        "https://user:pass@example.com/x",
        "file:///etc/passwd",
        "//example.com",
        "https:///x",
    ],
)
def test_an_address_that_a_customer_could_choose_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        OutboundRequest(url=url, body={})


@pytest.mark.parametrize(
    "changes",
    [
        {"body": None},
        {"form": {"a": "b"}},
        {"body": {"text": "{reply.text"}},
        {"body": {"a": ["{"]}},
        {"headers": {"Bad Header": "x"}},
        {"body": {"a": "x" * 70_000}},
    ],
)
def test_a_request_that_is_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OutboundRequest.model_validate({"url": "https://api.example.com/x", "body": {}, **changes})


def test_a_mapping_that_is_nested_without_end_is_refused() -> None:
    text: Any = "x"
    for _ in range(30):
        text = {"first_of": [text]}
    inbound = {
        "signature": {"scheme": "bearer"},
        "steps": [{"name": "m", "path": "body"}],
        "id": "x",
        "conversation": ["x"],
        "author": {"address": "x"},
        "text": text,
    }
    with pytest.raises(ValidationError, match="nested deeper"):
        WebhookChannel.model_validate({"inbound": inbound})


def test_a_channel_that_reads_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        WebhookChannel()
