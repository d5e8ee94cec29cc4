"""Configuration as code: read, checked as a whole, compared, stored and written again."""

import json
from pathlib import Path
from typing import Any

import pytest

from deskwire_routing.configuration.changes import Present, changes, written
from deskwire_routing.configuration.checking import check, references
from deskwire_routing.configuration.documents import KINDS, Configured, FaultyConfiguration, Key
from deskwire_routing.configuration.files import planned, read_configuration, store, write_configuration
from deskwire_routing.configuration.reading import read_documents
from deskwire_shared.contracts.directory import View
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.runtime.demo.furniture import furniture
from deskwire_shared.testing.ticket import AGENT, NOON

RULE = {"name": "Urgent", "actions": [{"do": "set_priority", "priority": "urgent"}]}


def a_directory() -> MemoryDirectory:
    return MemoryDirectory(MemoryKeyRing(), lambda: NOON)


async def furnished() -> MemoryDirectory:
    directory = a_directory()
    for document_id, document in furniture():
        await directory.put(document_id, document, actor=AGENT)
    return directory


def faults_of(file: str, data: Any) -> list[str]:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    with pytest.raises(FaultyConfiguration) as raised:
        read_documents(file, content)
    return [str(fault) for fault in raised.value.faults]


def a_rule_file(**changes: Any) -> bytes:
    return json.dumps({**RULE, **changes}).encode()


def test_a_file_in_the_folder_of_a_kind_is_a_document_of_its_name() -> None:
    (one,) = read_documents("config/rule/urgent.json", a_rule_file())
    assert (one.key, one.document) == (Key("rule", "urgent"), Rule.model_validate(RULE))


def test_a_file_can_hold_many_documents_by_kind_and_id() -> None:
    found = read_documents(
        "all.json", json.dumps({"rule": {"a": RULE, "b": RULE}, "team": {"t": {"name": "T"}}}).encode()
    )
    assert [str(one.key) for one in found] == ["rule/a", "rule/b", "team/t"]


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"trigger": "opend"}, "trigger", "'opened', 'customer_replied'"),
        ({"colour": "red"}, "colour", "there is no such field; there are actions, active, conditions, name, order"),
        ({"actions": []}, "actions", "at least 1 item"),
        ({"actions": [{"do": "set_prio"}]}, "actions[0]", "'set_priority'"),
        ({"actions": [{"do": "set_priority", "priority": "top"}]}, "actions[0].priority", 'it is "top"'),
        (
            {"actions": [{"do": "set_priority", "prio": "low", "priority": "low"}]},
            "actions[0].prio",
            "there are do, priority",
        ),
        ({"actions": [{"do": "set_team"}]}, "actions[0].team_id", "required"),
        ({"conditions": {"all": [{"field": "tickets.x", "op": "is", "value": 1}]}}, "conditions.all[0].field", "match"),
        ({"conditions": {"every": []}}, "conditions.every", "there are all, any"),
        ({"actions": [{"do": "write_note", "text": "{{ x }}"}]}, "actions[0].text", "there is no placeholder {{ x }}"),
        ({"kind": "team"}, "kind", "a rule stands here"),
    ],
)
def test_a_fault_names_the_file_the_place_and_what_can_stand_there(
    changes: dict[str, Any], place: str, says: str
) -> None:
    faults = faults_of("config/rule/urgent.json", {**RULE, **changes})
    assert faults[0].startswith(f"config/rule/urgent.json: {place}: ")
    assert says in faults[0]


def test_all_faults_of_a_file_are_told_at_once() -> None:
    faults = faults_of("all.json", {"rule": {"a": {**RULE, "order": "x"}, "b": {"name": ""}}, "team": []})
    assert [fault.split(": ")[1] for fault in faults] == ["rule.a.order", "rule.b.actions", "rule.b.name", "team"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000, b"null"])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    (fault,) = faults_of("config/rule/urgent.json", content)
    assert "JSON" in fault


@pytest.mark.parametrize("kind", ["agent", "customer", "api_token", "rules"])
def test_people_and_secrets_are_no_configuration(kind: str) -> None:
    (fault,) = faults_of("all.json", {kind: {"x": {}}})
    assert "there is no kind of document called" in fault
    assert ", ".join(KINDS) in fault


def test_an_id_is_a_word() -> None:
    (fault,) = faults_of("all.json", {"team": {"a team": {"name": "A"}}})
    assert "no id" in fault


def dangling(rule: dict[str, Any], **names: str) -> list[str]:
    one = Configured(Key("rule", "r"), Rule.model_validate({**RULE, **rule}), "rule/r.json")
    try:
        check([one], {Key(*key.split("__")): name for key, name in names.items()})
    except FaultyConfiguration as error:
        return [f"{fault.place}: {fault.sentence}" for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"actions": [{"do": "set_team", "team_id": "billng"}]}, "actions[0].team_id: there is no team billng"),
        ({"actions": [{"do": "set_assignee", "agent_id": "x"}]}, "actions[0].agent_id: there is no agent x"),
        ({"actions": [{"do": "add_followers", "agent_ids": ["x"]}]}, "actions[0].agent_ids: there is no agent x"),
        ({"actions": [{"do": "write_reply", "template_id": "x"}]}, "actions[0].template_id: there is no template x"),
        (
            {"conditions": {"any": [{"field": "ticket.team", "op": "in", "value": ["billing", "x"]}]}},
            "conditions.any[0].value: there is no team x",
        ),
        (
            {"conditions": {"all": [{"field": "calendar.x.open", "op": "is", "value": True}]}},
            "conditions.all[0].field: there is no calendar x",
        ),
        (
            {"conditions": {"all": [{"field": "sla.policy", "op": "is", "value": "x"}]}},
            "conditions.all[0].value: there is no sla policy x",
        ),
    ],
)
def test_nothing_names_what_is_not_there(rule: dict[str, Any], fault: str) -> None:
    (found,) = dangling(rule, team__billing="Billing", team__vip="VIP")
    assert found.startswith(fault)


def test_who_names_an_unknown_team_is_told_the_teams() -> None:
    (found,) = dangling({"actions": [{"do": "set_team", "team_id": "x"}]}, team__billing="Money", team__vip="VIP")
    assert found.endswith("there is no team x; there are billing (Money), vip")


def test_documents_of_one_configuration_may_name_each_other() -> None:
    data = {"rule": {"r": {**RULE, "actions": [{"do": "set_team", "team_id": "t"}]}}, "team": {"t": {"name": "T"}}}
    check(read_documents("all.json", json.dumps(data).encode()), {})


def test_a_document_stands_in_one_file() -> None:
    twice = [*read_documents("a/rule/r.json", a_rule_file()), *read_documents("b/rule/r.json", a_rule_file())]
    with pytest.raises(FaultyConfiguration, match=r"b/rule/r.json: rule/r stands in a/rule/r.json, too"):
        check(twice, {})


def test_a_change_is_shown_by_place_and_value() -> None:
    before = Rule.model_validate({**RULE, "order": 5, "conditions": {"all": [condition("ticket.subject", "fire")]}})
    after = {
        **RULE,
        "stop": True,
        "conditions": {"all": [condition("ticket.subject", "smoke"), condition("ticket.type", "task")]},
    }
    one = Configured(Key("rule", "r"), Rule.model_validate(after), "r.json")
    (change,) = changes([one], {one.key: Present(before, 3)})
    assert change.revision == 3
    assert change.lines == (
        'conditions.all[0].value: "fire" → "smoke"',
        'conditions.all[1]: + {"field":"ticket.type","op":"is","value":"task"}',
        "order: - 5",
        "stop: + true",
    )


def condition(field: str, value: str) -> dict[str, str]:
    return {"field": field, "op": "is", "value": value}


def test_what_is_named_is_stored_before_what_names_it() -> None:
    keys = [Key("rule", "r"), Key("team", "t"), Key("calendar", "c"), Key("team", "a")]
    documents: list[Document] = [Rule.model_validate(RULE), Team(name="T"), a_calendar(), Team(name="A")]
    found = changes([Configured(*pair, "x.json") for pair in zip(keys, documents, strict=True)], {})
    assert [str(change.key) for change in found] == ["calendar/c", "team/a", "team/t", "rule/r"]


def a_calendar() -> Document:
    return KINDS["calendar"].model_validate({"name": "C", "time_zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}})


async def test_what_is_exported_can_be_applied_elsewhere_and_then_changes_nothing(tmp_path: Path) -> None:
    here, there = await furnished(), a_directory()
    count = write_configuration(here, tmp_path / "config")
    configured = read_configuration([tmp_path / "config"])
    assert len(configured) == count == len(list((tmp_path / "config").rglob("*.json")))
    assert planned(configured, here) == []
    plan = planned(configured, there)
    await store(plan, there, AGENT)
    assert planned(configured, there) == []
    for kind, model in KINDS.items():
        assert there.all(model) == here.all(model), kind


@pytest.mark.parametrize(("document_id", "document"), [pair for pair in furniture() if pair[1].kind in KINDS])  # type: ignore[attr-defined]  # every kind of document has one
def test_a_document_comes_back_as_it_was(document_id: str, document: Document) -> None:
    model = type(document)
    content = json.dumps(written(document)).encode()
    assert (
        read_documents(f"config/{model.model_fields['kind'].default}/{document_id}.json", content)[0].document
        == document
    )


async def test_people_secrets_and_private_views_are_not_exported(tmp_path: Path) -> None:
    directory = await furnished()
    await directory.put("mine", View(name="Mine", agent_id="ada"), actor=AGENT)
    await directory.put("ada", Agent(email="ada@desk.example", name="Ada"), actor=AGENT)
    write_configuration(directory, tmp_path)
    keys = [one.key for one in read_configuration([tmp_path])]
    assert {key.kind for key in keys} <= set(KINDS)
    assert Key("view", "mine") not in keys


async def test_applying_overwrites_nobodys_change_in_between() -> None:
    directory = await furnished()
    document_id, rule = next(iter(directory.all(Rule).items()))
    drafted = Configured(Key("rule", document_id), rule.model_copy(update={"order": 77}), "r.json")
    plan = changes([drafted], {drafted.key: Present(rule, 1)})
    await directory.put(document_id, rule.model_copy(update={"order": 78}), actor=AGENT)
    with pytest.raises(Exception, match="revision"):
        await store(plan, directory, AGENT)


def test_a_file_too_large_or_missing_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "rule").mkdir()
    (tmp_path / "rule" / "big.json").write_bytes(b" " * 1_000_001)
    for path, says in ((tmp_path, "larger than"), (tmp_path / "gone", "there is no such file")):
        with pytest.raises(FaultyConfiguration, match=says):
            read_configuration([path])


def test_what_others_define_is_no_reference() -> None:
    webhook = {"mapping": "telegram", "values": {"team_id": "42"}}
    channel = KINDS["channel"].model_validate({"name": "Bot", "medium": "webhook", "webhook": webhook, "team_id": "t"})
    assert [str(reference.key) for reference in references(channel)] == ["team/t"]
