"""Assignment worked out by brute force: slow, plain, and with nothing of routing in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

WEIGHTS = {"low": 1, "normal": 2, "high": 4, "urgent": 8}
URGENCY = ("urgent", "high", "normal", "low")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A ticket, and how many seconds of work it is."""

    at: float
    priority: str
    skill: str | None
    customer: str
    work: float


@dataclass
class Person:
    """An agent: what they can, how much they take, and when they are away."""

    name: str
    capacity: int | None
    skills: dict[str, int]
    away: list[tuple[float, float]]
    holds: dict[int, float] = field(default_factory=dict)
    turn: int = 0
    idle: int = 0

    def is_there(self, at: float) -> bool:
        return not any(start <= at < end for start, end in self.away)

    def can_take(self, ticket: Arrival, at: float) -> bool:
        has_room = self.capacity is None or len(self.holds) < self.capacity
        return self.is_there(at) and has_room and (ticket.skill is None or ticket.skill in self.skills)

    def weight(self, tickets: Sequence[Arrival]) -> int:
        return sum(WEIGHTS[tickets[number].priority] for number in self.holds)


@dataclass
class Desk:
    """Everything at a moment."""

    tickets: Sequence[Arrival]
    people: Sequence[Person]
    strategy: str
    given: dict[int, tuple[str, float]] = field(default_factory=dict)
    knows: dict[str, str] = field(default_factory=dict)
    happened: int = 0

    def run(self, until: float) -> dict[int, tuple[str, float]]:
        """Who gets which ticket when."""
        at = -1.0
        while (following := self.next_moment(at)) is not None and following < until:
            at = following
            self.end_work(at)
            while self.give_one(at):
                pass
        return self.given

    def next_moment(self, at: float) -> float | None:
        moments = [ticket.at for ticket in self.tickets]
        for person in self.people:
            moments += [end for _, end in person.away]
            moments += person.holds.values()
        return min((moment for moment in moments if moment > at), default=None)

    def end_work(self, at: float) -> None:
        for person in self.people:
            for number in [number for number, end in person.holds.items() if end <= at]:
                del person.holds[number]
                self.happened += 1
                person.idle = self.happened

    def give_one(self, at: float) -> bool:
        waiting = [n for n, ticket in enumerate(self.tickets) if ticket.at <= at and n not in self.given]
        for number in sorted(waiting, key=lambda n: (URGENCY.index(self.tickets[n].priority), self.tickets[n].at)):
            able = [person for person in self.people if person.can_take(self.tickets[number], at)]
            if able:
                self.give(number, self.choose(able, self.tickets[number]), at)
                return True
        return False

    def give(self, number: int, person: Person, at: float) -> None:
        self.happened += 1
        person.turn = person.idle = self.happened
        person.holds[number] = at + self.tickets[number].work
        self.knows[self.tickets[number].customer] = person.name
        self.given[number] = person.name, at

    def choose(self, able: list[Person], ticket: Arrival) -> Person:
        known = [person for person in able if person.name == self.knows.get(ticket.customer)]
        if self.strategy == "sticky" and known:
            return known[0]
        skill = ticket.skill or ""
        ranks = {
            "round_robin": lambda one: (one.turn, one.name),
            "longest_idle": lambda one: (len(one.holds) > 0, one.idle, one.name),
            "skills": lambda one: (-one.skills.get(skill, 0), one.weight(self.tickets), one.turn, one.name),
        }
        least = lambda one: (one.weight(self.tickets), one.turn, one.name)  # noqa: E731 - one of a row
        return min(able, key=ranks.get(self.strategy, least))
