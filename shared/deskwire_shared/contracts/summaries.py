"""What a fact says, in a sentence for people that repeats nothing personal."""

from deskwire_shared.contracts import facts
from deskwire_shared.contracts.facts import AnyFact

SENTENCES: dict[type[facts.Fact], str] = {
    facts.Opened: "The ticket was opened as number {number}.",
    facts.CustomerReplied: "The customer wrote.",
    facts.AgentReplied: "An answer was written.",
    facts.ReplyWithdrawn: "An answer was taken back.",
    facts.NoteAdded: "A note was left.",
    facts.SubjectChanged: "The subject was changed.",
    facts.PriorityChanged: "The priority went from {before} to {after}.",
    facts.TypeChanged: "The type went from {before} to {after}.",
    facts.TagsChanged: "The tags are now {tags}.",
    facts.FieldChanged: "The field {name} was changed.",
    facts.RequesterChanged: "The ticket belongs to another customer.",
    facts.FollowersChanged: "The followers were changed.",
    facts.Routed: "The ticket went to team {team_id}.",
    facts.Assigned: "The ticket was assigned to {agent_id}.",
    facts.Unassigned: "The ticket was taken from {before}.",
    facts.StatusChanged: "The status went from {before} to {after}.",
    facts.Snoozed: "The ticket sleeps until {until:%Y-%m-%d %H:%M} UTC.",
    facts.Woken: "The ticket woke up.",
    facts.Reopened: "The ticket was opened again.",
    facts.Merged: "The ticket was merged into number {into_number}.",
    facts.MergeReceived: "Number {source_number} was merged into the ticket.",
    facts.Split: "Messages became number {into_number}.",
    facts.Linked: "The ticket was linked to number {number}.",
    facts.TaskAdded: "A task was added.",
    facts.TaskCompleted: "A task was done.",
    facts.TimeLogged: "{seconds} seconds of work were logged.",
    facts.Rated: "The customer gave {score} of 5.",
    facts.SlaApplied: "The service-level clocks were set.",
    facts.SlaWarned: "The target {metric} is close.",
    facts.SlaBreached: "The target {metric} was missed.",
    facts.SlaMet: "The target {metric} was reached.",
    facts.RuleApplied: "The rule {rule_name} acted.",
    facts.ReplyDelivered: "An answer was delivered.",
    facts.ReplyBounced: "An answer could not be delivered.",
    facts.Acknowledged: "The customer was told that the ticket exists.",
    facts.WebhookRequested: "The webhook {webhook_name} is to be told.",
    facts.WebhookDelivered: "The webhook {webhook_name} was told.",
    facts.WebhookFailed: "The webhook {webhook_name} could not be told.",
    facts.Redacted: "A message was redacted.",
}


def summary(fact: AnyFact) -> str:
    """Say what happened; of a fact newer than this program, only its name."""
    sentence = SENTENCES.get(type(fact), "{type}")
    return sentence.format_map({name: _shown(value) for name, value in fact})


def _shown(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else value
