"""Forms: what is filled in comes back the same, edits do what they say, and problems stand at their fields."""

import contextlib
from typing import Any, cast, get_args

import pytest
from pydantic import JsonValue

from deskwire_query.web.admin.forms.automation import MACRO_FORM, RULE_FORM
from deskwire_query.web.admin.forms.calendars import CALENDAR_FORM, next_holidays
from deskwire_query.web.admin.forms.channels import CHANNEL_FORMS, EMAIL_FORM, WEBHOOK_FORM
from deskwire_query.web.admin.forms.condition_fields import FITTING, KNOWN
from deskwire_query.web.admin.forms.conditions import CONDITIONS, read_free, write_free
from deskwire_query.web.admin.forms.controls import Control, Drawing, Problems
from deskwire_query.web.admin.forms.derived import variants
from deskwire_query.web.admin.forms.form import Form, Rejected, paths_of, unplaced
from deskwire_query.web.admin.forms.integrations import HOOK_FORM
from deskwire_query.web.admin.forms.policies import POLICY_FORM
from deskwire_query.web.admin.forms.staff import AGENT_FORM, TEAM_FORM
from deskwire_query.web.admin.forms.trees import MalformedForm, Tree, edit, plant
from deskwire_query.web.admin.sections import SECTIONS
from deskwire_shared.contracts.actions import Action, EscalationAction
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import DOCUMENTS, Calendar, Template, View
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Macro, Rule, Wait
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook
from query_desk import MONDAY

RULE: JsonValue = {
    "name": "Fires first",
    "trigger": "waited",
    "wait": {"status": "pending", "after_minutes": 4320},
    "conditions": {
        "all": [
            {"field": "ticket.subject", "op": "matches_any_word", "value": ["fire", "thick smoke"]},
            {"field": "calendar.office.open", "op": "is", "value": False},
            {"field": "ticket.field.floor", "op": "greater", "value": 3},
            {"field": "ticket.field.code", "op": "is", "value": "42"},
            {"field": "ticket.field.code", "op": "is_not", "value": 42},
            {"field": "ticket.assignee", "op": "is_not_set", "value": None},
            {"field": "ticket.opened_at", "op": "before", "value": "2026-01-01"},
        ],
        "any": [{"field": "ticket.status", "op": "in", "value": ["new", "open"]}],
    },
    "actions": [
        {"do": "set_team", "team_id": "night"},
        {"do": "add_tags", "tags": ["fire", "urgent"]},
        {"do": "notify_agents", "agent_ids": ["ada"], "assignee": False, "team": True, "text": "Look!"},
        {"do": "set_type", "ticket_type": None},
        {"do": "set_field", "name": "floor", "value": 3},
        {"do": "set_field", "name": "floor", "value": "3"},
        {"do": "unassign"},
        {"do": "write_reply", "text": None, "template_id": "t1"},
        {"do": "open_follow_up", "subject": "Look again", "text": "Is it out?", "priority": "high"},
        {"do": "call_webhook", "webhook_id": "w1"},
    ],
    "stop": True,
    "order": 20,
}

POLICY: JsonValue = {
    "name": "Gold",
    "targets": [
        {"metric": "first_response", "seconds": {"urgent": 1800, "normal": 14_400}},
        {"metric": "resolution", "seconds": {"low": 172_800}},
    ],
    "calendar_id": "office",
    "pause_on": ["pending"],
    "warn_at": [0.5, 0.75],
    "automations_answer": True,
    "escalations": [
        {"when": "warned", "at": 0.75, "metrics": ["resolution"], "actions": [{"do": "raise_priority"}]},
        {"when": "breached", "actions": [{"do": "add_followers", "agent_ids": ["ada"]}]},
    ],
}

CALENDAR: JsonValue = {
    "name": "Berlin",
    "time_zone": "Europe/Berlin",
    "hours": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "tue": [["08:30", "17:00"]]},
    "holidays": {"country": "DE", "region": "BE", "dates": ["2026-05-15"], "yearly": ["12-24", "02-29"]},
    "exceptions": {"2026-12-31": [["09:00", "12:00"]], "2027-01-04": []},
}

MAILBOX: JsonValue = {
    "name": "Mail",
    "medium": "email",
    "address": "support@x.example",
    "imap": {
        "host": "imap.x.example", "port": 143, "tls": "starttls", "username": "me", "folder": "INBOX", "after": "move",
        "move_to": "Done", "since": "2026-11-01", "poll_seconds": 30,
        "oauth": {"grant": "refresh_token", "token_url": "https://x.example/token", "client_id": "c", "scope": ""},
    },
}  # fmt: skip

WEB: JsonValue = {
    "name": "Form",
    "medium": "web",
    "form": {
        "origins": ["https://shop.example"], "title": "Ask", "takes_files": False,
        "fields": [{"name": "about", "label": "About?", "answer": "choice", "choices": ["A bill", "A lamp"]}],
    },
}  # fmt: skip

HOOK: JsonValue = {
    "name": "Own",
    "medium": "webhook",
    "webhook": {
        "mapping": None,
        "inbound": {
            "signature": {"scheme": "bearer"}, "steps": [{"name": "m", "path": "body"}], "id": "{m.id}",
            "conversation": ["{m.c}"], "author": {"address": "{m.a}"}, "text": "{m.t}",
        },
        "values": {"account": "77"},
    },
}  # fmt: skip

AGENT: JsonValue = {
    "name": "Bo", "email": "bo@x.example", "team_ids": ["t1", "t2"], "skills": {"french": 4}, "capacity": {"chat": 0},
    "out_until": "2026-12-01T08:00:00Z", "calendar_id": "office",
}  # fmt: skip

TEAM: JsonValue = {
    "name": "Night", "assignment": "skills", "overflow": {"team_id": "t2", "after_minutes": 90},
    "reassign_after_minutes": 0, "within_hours": True,
}  # fmt: skip

DOCUMENTS_WITH_EVERYTHING: list[tuple[Form, Document]] = [
    (RULE_FORM, Rule.model_validate(RULE)),
    (MACRO_FORM, Macro(name="Ask", reply="Hello {{ customer.name }},\n\nwhich number?")),
    (POLICY_FORM, SlaPolicy.model_validate(POLICY)),
    (POLICY_FORM, SlaPolicy.model_validate({**POLICY, "warn_at": [], "escalations": []})),  # type: ignore[dict-item]
    (CALENDAR_FORM, Calendar.model_validate(CALENDAR)),
    (CHANNEL_FORMS["email"], Channel.model_validate(MAILBOX)),
    (CHANNEL_FORMS["web"], Channel.model_validate(WEB)),
    (CHANNEL_FORMS["webhook"], Channel.model_validate(HOOK)),
    (AGENT_FORM, Agent.model_validate(AGENT)),
    (TEAM_FORM, Team.model_validate(TEAM)),
    (
        SECTIONS["templates"].form,
        Template(name="T", purpose="reply", subject="{{ ticket.subject }}", body="\n {{ answer }}"),
    ),
    (SECTIONS["views"].form, View(name="Mine", agent_id="ada", order=3)),
    (
        HOOK_FORM,
        Webhook(name="W", url="https://x.example/h", headers={"X-Key": "{secret.key}"}, events=("ticket.opened",)),
    ),
]


def as_sent(form: Form, tree: Tree) -> Tree:
    """What a browser sends back of a form that was drawn from a tree."""
    sent: list[tuple[str, str]] = []
    for control in flattened([each for part in form.draw(tree, Drawing()) for each in part.controls]):
        sent += browser_sends(control)
    return plant(sent)


def browser_sends(control: Control) -> list[tuple[str, str]]:
    match control.widget:
        case "line" | "paragraph" | "hidden":
            return [(control.path, control.value.replace("\n", "\r\n"))]
        case "choice":
            chosen = control.value if control.values else control.choices[0][0] if control.choices else ""
            return [(control.path, chosen)]
        case "switch" | "choices":
            return [(control.path, value) for value in control.values]
        case "optional":
            return [(f"{control.path}.used", "on")] if control.values else []
        case _:
            return []


def flattened(controls: list[Control]) -> list[Control]:
    return [each for control in controls for each in (control, *flattened(list(control.children)))]


def put(tree: Tree, path: str, value: str | None) -> None:
    *branches, leaf = path.split(".")
    for name in branches:
        inner = tree[name]
        assert isinstance(inner, dict)
        tree = inner
    if value is None:
        tree.pop(leaf)
    else:
        tree[leaf] = [value]


def problems_of(form: Form, tree: Tree) -> dict[str, list[str]]:
    with pytest.raises(Rejected) as caught:
        form.read(tree, None)
    drawn = form.draw(tree, Drawing(problems=caught.value.problems))
    assert set(caught.value.problems.found) - {""} <= set().union(*(paths_of(part.controls) for part in drawn))
    return caught.value.problems.found


def drawn_row(sent: list[tuple[str, str]]) -> dict[str, Control]:
    node = plant(sent)["conditions"]
    control = CONDITIONS.control(node, "conditions", Drawing())
    (item,) = control.children[0].children
    return {each.path.rpartition(".")[2]: each for each in item.children[0].children}


@pytest.mark.parametrize(("form", "document"), DOCUMENTS_WITH_EVERYTHING, ids=lambda each: type(each).__name__)
def test_saving_a_form_as_it_is_shown_changes_nothing(form: Form, document: Document) -> None:
    assert form.read(as_sent(form, form.fill(document)), document) == document


@pytest.mark.parametrize(("form", "document"), DOCUMENTS_WITH_EVERYTHING, ids=lambda each: type(each).__name__)
def test_a_form_holds_the_whole_document(form: Form, document: Document) -> None:
    alone = form.read(as_sent(form, form.fill(document)), None)
    asked = {each.name for each in form.fields}
    assert alone.model_dump(include=asked) == document.model_dump(include=asked)


@pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: section.key)
def test_every_section_has_a_new_form_that_can_be_drawn(section: Any) -> None:
    forms = CHANNEL_FORMS.values() if section.model is Channel else [section.form]
    for form in forms:
        assert form.draw(form.fill(None), Drawing())


def test_every_kind_of_document_has_a_section() -> None:
    assert {section.kind for section in SECTIONS.values()} == set(DOCUMENTS)


@pytest.mark.parametrize("union", [Action, EscalationAction])
def test_every_action_has_a_form_by_itself(union: Any) -> None:
    members = get_args(get_args(union)[0])
    assert {kind.name for kind in variants(union, "do", label="Do").kinds} == {
        model.model_fields["do"].default for model in members
    }


@pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: section.key)
def test_no_two_fields_of_a_form_share_a_path(section: Any) -> None:
    form: Form = section.form
    drawn = [control for part in form.draw(form.fill(None), Drawing()) for control in part.controls]
    paths = [control.path for control in flattened(drawn) if control.widget not in {"item", "cell", "variants"}]
    assert len(paths) == len(set(paths))


def test_items_are_added_moved_and_removed_in_the_order_of_the_page() -> None:
    tree = plant([("actions.0.do", "a"), ("actions.1.do", "b"), ("actions.2.do", "c")])
    assert edit(tree, "add:actions") == "actions.3"
    edit(tree, "up:actions.2")
    edit(tree, "drop:actions.0")
    edit(tree, "down:actions.1")
    assert list(tree["actions"]) == ["2", "3", "1"]


def test_the_first_cannot_move_up_and_the_last_not_down() -> None:
    tree = plant([("a.0.x", "1"), ("a.1.x", "2")])
    edit(tree, "up:a.0")
    edit(tree, "down:a.1")
    assert list(tree["a"]) == ["0", "1"]


def test_the_hours_of_one_day_are_copied_to_the_days_that_are_open() -> None:
    tree = plant([("hours.mon.0.from", "08:00"), ("hours.mon.0.to", "16:00"), ("hours.tue.0.from", "09:00")])
    edit(tree, "copy:hours.mon")
    hours = tree["hours"]
    assert isinstance(hours, dict)
    assert hours["tue"] == hours["mon"]


@pytest.mark.parametrize("asked", ["erase:actions", "add", "add:name.0", "up:" + ".".join(["a"] * 40), ""])
def test_an_edit_that_no_page_asks_for_is_refused_or_does_nothing(asked: str) -> None:
    tree = plant([("name", "x"), ("actions.0.do", "a")])
    with contextlib.suppress(MalformedForm):
        edit(tree, asked)
    assert tree["name"] == ["x"]


@pytest.mark.parametrize("names", [["a", "a.b"], ["a.b", "a"], [".".join("a" * 30)], ["a" * 400]])
def test_a_form_that_no_page_sends_is_refused(names: list[str]) -> None:
    with pytest.raises(MalformedForm):
        plant([(name, "x") for name in names])


def test_a_problem_stands_at_its_field_however_deep() -> None:
    tree = as_sent(RULE_FORM, RULE_FORM.fill(Rule.model_validate(RULE)))
    put(tree, "actions.4.set_field.name", "No Name")
    put(tree, "actions.8.open_follow_up.text", "{{ customer.shoe }}")
    put(tree, "conditions.all.2.value", "many")
    put(tree, "wait.after_minutes", "soon")
    found = problems_of(RULE_FORM, tree)
    assert found["actions.4.set_field.name"] == ["Write small letters, digits and _ only, beginning with a letter."]
    assert "There is no placeholder {{ customer.shoe }}" in found["actions.8.open_follow_up.text"][0]
    assert found["conditions.all.2.value"] == ["Write a number."]
    assert found["wait.after_minutes"] == ["Write an amount of time such as 30m, 4h or 2d."]


def test_problems_follow_an_item_that_was_moved() -> None:
    tree = as_sent(RULE_FORM, RULE_FORM.fill(Rule.model_validate(RULE)))
    put(tree, "actions.1.add_tags.tags", "x" * 65)
    edit(tree, "up:actions.1")
    assert set(problems_of(RULE_FORM, tree)) == {"actions.1.add_tags.tags"}


def test_hours_that_make_no_sense_are_told_on_their_day() -> None:
    tree = as_sent(CALENDAR_FORM, CALENDAR_FORM.fill(Calendar.model_validate(CALENDAR)))
    put(tree, "hours.mon.1.from", "11:00")
    put(tree, "hours.tue.0.to", "25:00")
    put(tree, "exceptions.0.value.0.to", "08:00")
    found = problems_of(CALENDAR_FORM, tree)
    assert "overlap" in found["hours.mon"][0]
    assert "is not a time of day" in found["hours.tue.0"][0]
    assert "does not end after it starts" in found["exceptions.0.value.0"][0]


def test_a_day_cannot_be_an_exception_twice() -> None:
    tree = as_sent(CALENDAR_FORM, CALENDAR_FORM.fill(Calendar.model_validate(CALENDAR)))
    put(tree, "exceptions.1.key", "2026-12-31")
    assert problems_of(CALENDAR_FORM, tree) == {"exceptions.1.key": ["This is there twice."]}


def test_a_promise_that_is_too_long_is_told_in_its_cell() -> None:
    tree = as_sent(POLICY_FORM, POLICY_FORM.fill(SlaPolicy.model_validate(POLICY)))
    put(tree, "targets.resolution.low", "9999d")
    put(tree, "targets.first_response.urgent", "quick")
    found = problems_of(POLICY_FORM, tree)
    assert set(found) == {"targets.resolution.low", "targets.first_response.urgent"}


def test_what_concerns_the_form_as_a_whole_stands_above_it() -> None:
    breached = {"all": [{"field": "sla.breached", "op": "is", "value": True}]}
    tree = as_sent(POLICY_FORM, POLICY_FORM.fill(None))
    tree["conditions"] = CONDITIONS.fill(cast("JsonValue", breached)) or {}
    put(tree, "name", "Gold")
    with pytest.raises(Rejected) as caught:
        POLICY_FORM.read(tree, None)
    parts = POLICY_FORM.draw(tree, Drawing(problems=caught.value.problems))
    assert unplaced(caught.value.problems, parts) == ("Which policy holds cannot depend on sla.breached.",)


def test_a_rule_that_no_longer_waits_forgets_how_long() -> None:
    rule = Rule.model_validate(RULE)
    tree = as_sent(RULE_FORM, RULE_FORM.fill(rule))
    put(tree, "trigger", "opened")
    changed = RULE_FORM.read(tree, rule)
    assert isinstance(changed, Rule)
    assert (changed.trigger, changed.wait) == ("opened", None)


def test_a_rule_that_begins_to_wait_offers_how_long() -> None:
    tree = as_sent(RULE_FORM, RULE_FORM.fill(None))
    put(tree, "trigger", "waited")
    put(tree, "name", "Remind")
    put(tree, "actions.0.do", "unassign")
    changed = RULE_FORM.read(as_sent(RULE_FORM, tree), None)
    assert isinstance(changed, Rule)
    assert changed.wait == Wait(status="pending", after_minutes=3 * 1440)


def test_a_folded_part_is_open_while_something_in_it_is_wrong() -> None:
    tree = as_sent(RULE_FORM, RULE_FORM.fill(None))
    problems = Problems()
    problems.add("order", "Write a whole number.")
    assert RULE_FORM.draw(tree, Drawing())[-1].folded
    assert not RULE_FORM.draw(tree, Drawing(problems=problems))[-1].folded


def test_a_field_is_compared_only_as_it_can_be() -> None:
    row = drawn_row([("conditions.all.0.field", "ticket.status"), ("conditions.all.0.op", "starts_with"),
                     ("conditions.all.0.was", "ticket.subject"), ("conditions.all.0.value", "abc")])  # fmt: skip
    assert row["op"].value == "is"
    assert row["value"].values == ()
    assert ("pending", "Pending") in row["value"].choices


def test_a_comparison_that_stands_in_a_file_stays_though_no_page_offers_it() -> None:
    row = drawn_row([("conditions.all.0.field", "ticket.status"), ("conditions.all.0.op", "contains"),
                     ("conditions.all.0.value", "pend")])  # fmt: skip
    assert row["op"].value == "contains"


def test_a_choice_that_is_no_longer_there_can_be_seen() -> None:
    row = drawn_row([("conditions.all.0.field", "ticket.team"), ("conditions.all.0.op", "is"),
                     ("conditions.all.0.value", "gone")])  # fmt: skip
    assert ("gone", "gone (no longer there)") in row["value"].choices


def test_nothing_can_be_compared_with_nothing() -> None:
    tree = as_sent(RULE_FORM, RULE_FORM.fill(None))
    edit(tree, "add:conditions.all")
    assert "conditions.all.0.value" in problems_of(RULE_FORM, tree)


@pytest.mark.parametrize(
    "value", ["", "text", 'say "hi"', "42", "yes", "No", "1e5", "007", 42, -3, 2.5, True, False, '"']
)
def test_a_value_of_any_kind_comes_back_as_it_was(value: JsonValue) -> None:
    assert read_free(write_free(value)) == value
    assert type(read_free(write_free(value))) is type(value)


def test_every_field_that_can_be_chosen_can_be_compared() -> None:
    assert all(FITTING[asked.kind] for asked in KNOWN.values())


def test_the_next_holidays_are_those_of_the_place_and_ones_own() -> None:
    tree = CALENDAR_FORM.fill(Calendar.model_validate(CALENDAR))
    shown = {holiday.day.isoformat(): holiday.name for holiday in next_holidays(tree, MONDAY.date())}
    assert any("Christmas" in name or "Weihnacht" in name or "New Year" in name for name in shown.values()) or shown
    assert list(shown) == sorted(shown)
    assert min(shown) >= MONDAY.date().isoformat()


def test_a_mailbox_asks_for_the_secrets_that_open_it() -> None:
    tree = as_sent(EMAIL_FORM, EMAIL_FORM.fill(Channel.model_validate(MAILBOX)))
    assert [line.name for line in EMAIL_FORM.secrets(tree)] == ["client_secret", "refresh_token"]
    put(tree, "imap.oauth.used", None)
    assert [line.name for line in EMAIL_FORM.secrets(tree)] == ["password"]
    put(tree, "imap.used", None)
    assert EMAIL_FORM.secrets(tree) == ()


def test_a_mapping_of_ones_own_asks_for_the_secrets_that_it_names() -> None:
    tree = plant([("webhook.mapping", ""), ("webhook.outbound", '{"headers": {"X": "{secret.api_key}"}}')])
    assert [line.name for line in WEBHOOK_FORM.secrets(tree)] == ["signing", "api_key"]


def test_a_secret_is_no_part_of_the_page() -> None:
    tree = as_sent(EMAIL_FORM, EMAIL_FORM.fill(Channel.model_validate(MAILBOX)))
    put(tree, "client_secret", "hush")
    parts = EMAIL_FORM.draw(tree, Drawing())
    assert all("hush" not in control.values for part in parts for control in flattened(list(part.controls)))
    assert EMAIL_FORM.given_secrets(tree) == {"client_secret": "hush"}
