"""Turns a story into what happened when: steps with times in the past, for a ticket that ends in a wished state."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from deskwire_shared.contracts.actions import Action, AddTags, SetPriority, SetTeam
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address, Attachment, Status
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.runtime.demo.furniture import CHANNEL, TEAMS, TIME_ZONE, WELCOME, demo_id, furniture
from deskwire_shared.runtime.demo.stories import Person, StaffMember, Story, Turn, details, staff
from deskwire_shared.ticket.commands import (
    AddNote,
    AddTask,
    ApplyRule,
    AssignTicket,
    ChangeFollowers,
    ChangePriority,
    ChangeStatus,
    ChangeTags,
    LogTime,
    OpenTicket,
    RateTicket,
    ReceiveReply,
    RecordAcknowledgement,
    RecordDelivery,
    RouteTicket,
    SendReply,
    Several,
    SingleCommand,
    SnoozeTicket,
    TicketCommand,
)
from deskwire_shared.ticket.conditions import holding, ticket_context
from deskwire_shared.ticket.state import Ticket

Ending = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Wish = Callable[[Ticket], TicketCommand | None]

AGES: Final[dict[Ending, tuple[float, float]]] = {
    "new": (0.01, 0.3),
    "open": (0.2, 4),
    "pending": (0.5, 6),
    "on_hold": (2, 9),
    "solved": (0.6, 10),
    "closed": (6, 14),
}
"""How many days ago a ticket that ends like this was opened."""

RATINGS: Final = (5, 5, 5, 4, 4, 3, 2)
COMMENTS: Final = {5: "Quick and friendly, thank you.", 3: "Took a while.", 2: "I had to explain everything twice."}
JUST_NOW: Final = timedelta(minutes=2)
OPENS, CLOSES, FRIDAY = 8, 18, 4


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody did at a moment; `because` is the number of the step that caused it."""

    at: datetime
    actor: Actor
    wish: Wish
    command_id: str
    because: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A ticket that is to be: who tells which story, since when, and how it ends."""

    ticket_id: str
    story: Story
    customer: Person
    ending: Ending
    opened_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """A draft with everything it needs to be played."""

    draft: Draft
    number: int
    customer_id: str
    attachments: tuple[Attachment, ...]


def opening_time(ending: Ending, now: datetime, dice: random.Random) -> datetime:
    """When a ticket that ends like this was opened."""
    youngest, oldest = AGES[ending]
    moment = now - timedelta(days=dice.uniform(youngest, oldest))
    return moment if ending == "new" else min(_daytime(moment, dice), now - timedelta(hours=1))


def plot(cast: Cast, *, now: datetime, dice: random.Random) -> list[Step]:
    """Make up what happened to a ticket until now."""
    writer = _Writer(cast, dice, now, cast.draft.opened_at)
    writer.write()
    return _compressed(writer.steps, until=now - JUST_NOW)


@dataclass
class _Writer:
    """Writes one plot, step by step."""

    cast: Cast
    dice: random.Random
    now: datetime
    at: datetime
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gaps = details(self.cast.draft.story, self.cast.draft.customer, self.dice)
        team = team_of(self.cast.draft.story.subject.format(**self.gaps))
        self.agent = self.dice.choice([member for member in staff() if team in member.teams and _answers(member)])

    def write(self) -> None:
        turns = _turns(self.cast.draft.story.turns, self.cast.draft.ending)
        self._open(turns[0])
        for number, turn in enumerate(turns[1:], 2):
            self._say(turn, is_last=number == len(turns))
        self._by_the_way()
        self._end(turns[-1])

    def _open(self, turn: Turn) -> None:
        person = self._address()
        self._step(
            self._customer,
            OpenTicket(
                number=self.cast.number, requester_id=self.cast.customer_id, message_id=self._id("m0"),
                channel="email", channel_id=CHANNEL, author=person, text=self._fill(turn.text),
                subject=self._fill(self.cast.draft.story.subject), attachments=self.cast.attachments,
                ticket_type=self.cast.draft.story.type, internet_message_id=f"<{self._id('mail')}@demo.invalid>",
            ),
        )  # fmt: skip
        self._wait(seconds=1)
        occasion = derived_id("routing", self.cast.draft.ticket_id, "opened")
        self._step(Actor(kind="rule", id="routing"), ruled, because=0, command_id=occasion)
        self._step(
            Actor(kind="system", id="routing"),
            AssignTicket(agent_id=self._agent_id, strategy="round_robin"),
            because=0,
        )
        self._wait(seconds=2)
        acknowledgement = RecordAcknowledgement(message_id=self._id("ack"), template_id=WELCOME)
        self._step(Actor(kind="system", id="notify"), acknowledgement, because=0)

    def _say(self, turn: Turn, *, is_last: bool) -> None:
        message_id, text = self._id(f"m{len(self.steps)}"), self._fill(turn.text)
        if turn.speaker == "c":
            self._wait(hours=self.dice.uniform(0.5, 16))
            if is_last and self.cast.draft.ending == "open" and self._by_chance(0.8):
                self.at = max(self.at, self.now - timedelta(hours=self.dice.uniform(0.2, 6)))
            self._step(
                self._customer,
                ReceiveReply(message_id=message_id, channel="email", channel_id=CHANNEL, author=self._address(),
                             text=text, author_id=self.cast.customer_id),
            )  # fmt: skip
            return
        if turn.speaker == "n":
            self._wait(minutes=self.dice.uniform(5, 40))
            self._step(self._me, AddNote(message_id=message_id, agent_id=self._agent_id, text=text))
            return
        self._wait(hours=self._answer_hours())
        self.at = _daytime(self.at, self.dice)
        is_solution = is_last and self.cast.draft.ending in ("solved", "closed")
        status: Literal["solved", "pending"] = "solved" if is_solution else "pending"
        self._step(self._me, SendReply(message_id=message_id, agent_id=self._agent_id, text=text, status=status))
        self._wait(seconds=self.dice.uniform(2, 9))
        self._step(
            Actor(kind="system", id="notify"), RecordDelivery(message_id=message_id), because=len(self.steps) - 1
        )

    def _by_the_way(self) -> None:
        """Add what agents do beside answering."""
        self._wait(minutes=self.dice.uniform(1, 20))
        if self.cast.draft.ending == "new":
            return
        asides: list[tuple[float, SingleCommand]] = [
            (0.35, LogTime(agent_id=self._agent_id, seconds=60 * self.dice.randrange(3, 45), activity="answering")),
            (0.2, ChangeTags(add=(self.dice.choice(("vip", "warranty", "firmware", "bug", "refund", "follow-up")),))),
            (0.12, ChangeFollowers(add=(demo_id("agent", staff()[0].person.address),))),
            (0.1, ChangePriority(priority=self.dice.choice(("low", "high")))),
            (0.06, AddTask(task_id=self._id("task"), title="Call back", assignee_id=self._agent_id)),
        ]
        done = tuple(command for chance, command in asides if self._by_chance(chance))
        if done:
            self._step(self._me, Several(commands=done))

    def _end(self, last: Turn) -> None:
        self._wait(minutes=self.dice.uniform(2, 40))
        match self.cast.draft.ending:
            case "open":
                self._step(self._me, _unless_it_is("open"))
            case "pending" if self._by_chance(0.15):
                until = self.at + timedelta(days=20)
                self._step(self._me, SnoozeTicket(until=until, at=self.at, agent_id=self._agent_id))
            case "on_hold":
                text = "Waiting for the warehouse."
                note = AddNote(message_id=self._id("hold"), agent_id=self._agent_id, text=text)
                self._step(self._me, Several(commands=(note, ChangeStatus(status="on_hold"))))
            case "solved" | "closed":
                if last.speaker != "a":
                    self._step(self._me, _unless_it_is("solved"))
                self._close()

    def _close(self) -> None:
        if self._by_chance(0.45):
            self._wait(hours=self.dice.uniform(1, 30))
            score = self.dice.choice(RATINGS)
            self._step(self._customer, RateTicket(score=score, comment=COMMENTS.get(score, "")))
        if self.cast.draft.ending == "closed":
            self._wait(hours=96)
            self._step(Actor(kind="system", id="lifecycle"), ChangeStatus(status="closed"))

    def _step(
        self, actor: Actor, wish: Wish | TicketCommand, *, because: int | None = None, command_id: str | None = None
    ) -> None:
        command_id = command_id or self._id(f"command {len(self.steps)}")
        self.steps.append(Step(self.at, actor, wish if callable(wish) else _always(wish), command_id, because))

    def _wait(self, **span: float) -> None:
        self.at += timedelta(**span)

    def _answer_hours(self) -> float:
        """Mostly soon; now and then far too late."""
        return self.dice.uniform(5, 30) if self._by_chance(0.12) else self.dice.triangular(0.05, 3.5, 0.5)

    def _by_chance(self, share: float) -> bool:
        return self.dice.random() < share

    def _id(self, name: str) -> str:
        return derived_id("demo", self.cast.draft.ticket_id, name)

    def _fill(self, text: str) -> str:
        return text.format(**self.gaps, agent=self.agent.person.first_name)

    def _address(self) -> Address:
        return Address(address=self.cast.draft.customer.address, name=self.cast.draft.customer.name)

    @property
    def _agent_id(self) -> str:
        return demo_id("agent", self.agent.person.address)

    @property
    def _me(self) -> Actor:
        return Actor(kind="agent", id=self._agent_id)

    @property
    def _customer(self) -> Actor:
        return Actor(kind="customer", id=self.cast.customer_id)


def ruled(ticket: Ticket) -> Several | None:
    """What the rules of the demo desk wish for a ticket that was just opened."""
    commands: list[SingleCommand] = []
    for rule_id, rule, held in _holding(ticket_context(ticket)):
        commands += [_acted(action, rule_id) for action in rule.actions]
        commands.append(
            ApplyRule(rule_id=rule_id, rule_name=rule.name, rule_revision=1, trigger="opened", conditions=held)
        )
    return Several(commands=tuple(commands)) if commands else None


def team_of(subject: str) -> str:
    """The team that the rules of the demo desk find for a subject."""
    actions = [action for _, rule, _ in _holding({"ticket.subject": subject, "ticket.team": None})
               for action in rule.actions]  # fmt: skip
    (team_id,) = [action.team_id for action in actions if isinstance(action, SetTeam)]
    return next(key for key in TEAMS if demo_id("team", key) == team_id)


def _holding(context: dict[str, object]) -> Iterator[tuple[str, Rule, tuple[str, ...]]]:
    for rule_id, rule in _rules():
        held = holding(rule.conditions, context)
        if held is not None:
            yield rule_id, rule, held
            if rule.stop:
                return


@cache
def _rules() -> tuple[tuple[str, Rule], ...]:
    rules = [(document_id, rule) for document_id, rule in furniture() if isinstance(rule, Rule)]
    return tuple(sorted(rules, key=lambda one: one[1].order))


def _acted(action: Action, rule_id: str) -> SingleCommand:
    match action:
        case SetTeam(team_id=team_id):
            return RouteTicket(team_id=team_id, rule_id=rule_id)
        case SetPriority(priority=priority):
            return ChangePriority(priority=priority)
        case AddTags(tags=tags):
            return ChangeTags(add=tags)
        case _:
            raise NotImplementedError(f"no demo rule does {action.do}")


def _turns(turns: tuple[Turn, ...], ending: Ending) -> tuple[Turn, ...]:
    """As much of a story as has been told when a ticket stands like this."""
    last: dict[Ending, str] = {"open": "c", "pending": "a", "on_hold": "a"}
    if ending == "new":
        return turns[:1]
    if ending in ("solved", "closed"):
        return turns
    told = [count for count in range(2, len(turns) + 1) if turns[count - 1].speaker == last[ending]]
    return turns[: told[0]] if told else turns[:1]


def _compressed(steps: list[Step], *, until: datetime) -> list[Step]:
    """Let everything have happened by now, faster if need be."""
    first, last = steps[0].at, steps[-1].at
    if last <= until:
        return steps
    share = (until - first) / (last - first)
    return [replace(step, at=first + (step.at - first) * share) for step in steps]


def _daytime(moment: datetime, dice: random.Random) -> datetime:
    """The moment, or one soon after the office opens again."""
    local = moment.astimezone(ZoneInfo(TIME_ZONE))
    while local.weekday() > FRIDAY or not OPENS <= local.hour < CLOSES:
        days = 1 if local.hour >= CLOSES or local.weekday() > FRIDAY else 0
        local = (local + timedelta(days=days)).replace(hour=OPENS, minute=dice.randrange(60))
    return local.astimezone(UTC)


def _answers(member: StaffMember) -> bool:
    return member.role != "light_agent"


def _always(command: TicketCommand) -> Wish:
    return lambda _: command


def _unless_it_is(status: Status) -> Wish:
    return lambda ticket: None if ticket.status == status else ChangeStatus(status=status)
