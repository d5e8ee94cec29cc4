"""What must be noted in the scripted fortnight, reckoned by counting seconds; it shares no code with the service.

It walks through the life of each ticket with the knowledge of that moment: which promises are under way, which
seconds count, what was noted already.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate, chain
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sla_script import END, MINUTE, START, TAKEN_BACK_AFTER, Change, Life

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OVER = {"solved", "closed"}
Seconds: TypeAlias = "array[int]"
"""How many open seconds have passed at each second of the fortnight."""
Noted = tuple[Any, ...]
"""What, second, metric, cycle, policy and the figures of it."""


def open_seconds(calendar: dict[str, Any] | None) -> Seconds:
    """Look at the wall clock every minute, and count the seconds in which the calendar is open."""
    zone = ZoneInfo(calendar["time_zone"] if calendar else "UTC")
    minutes = (START + timedelta(minutes=minute) for minute in range(END // MINUTE))
    open_or_not = (calendar is None or _is_open(calendar, minute.astimezone(zone)) for minute in minutes)
    return array("L", accumulate(chain([0], chain.from_iterable([is_open] * MINUTE for is_open in open_or_not))))


def _is_open(calendar: dict[str, Any], local: datetime) -> bool:
    day, wall = str(local.date()), f"{local:%H:%M}"
    hours = calendar["hours"].get(WEEKDAYS[local.weekday()], [])
    if day in calendar.get("holidays", {}).get("dates", []):
        hours = []
    hours = calendar.get("exceptions", {}).get(day, hours)
    return any(opens <= wall < closes for opens, closes in hours)


@dataclass(frozen=True)
class Rules:
    """Policies and calendars from a second on."""

    since: dict[str, int]
    policies: dict[str, dict[str, Any]]
    seconds: dict[str | None, Seconds]

    def choose(self, *, priority: str, is_vip: bool) -> str | None:
        """The policy for a ticket."""
        held = {"vip": is_vip, "urgent": priority == "urgent", "standard": True}
        return next((one for one in ("vip", "urgent", "standard") if self._holds(one) and held[one]), None)

    def _holds(self, policy: str) -> bool:
        return policy in self.policies and self.policies[policy].get("active", True)


def rules_over_time(changes: list[Change]) -> list[tuple[int, Rules]]:
    """The rules from each change on."""
    found: list[tuple[int, Rules]] = []
    since: dict[str, int] = {}
    policies: dict[str, dict[str, Any]] = {}
    seconds: dict[str | None, Seconds] = {None: open_seconds(None)}
    for change in changes:
        if change.kind == "calendar":
            seconds = {**seconds, change.id: open_seconds(change.document)}
        else:
            policies, since = {**policies, change.id: change.document}, {**since, change.id: change.second}
        found.append((change.second, Rules(since, policies, seconds)))
    return found


@dataclass(frozen=True)
class Promise:
    """One run of a clock."""

    metric: str
    first_cycle: int
    cycle: int
    start: int
    began: int
    stop: int | None = None
    before_any_answer: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """Which run it is."""
        return self.metric, self.cycle


@dataclass
class Walk:
    """A ticket on its way through the fortnight."""

    life: Life
    rules: list[tuple[int, Rules]]
    statuses: list[tuple[int, str]] = field(default_factory=list)
    priorities: list[tuple[int, str]] = field(default_factory=list)
    owed: dict[str, Promise] = field(default_factory=dict)
    ended: list[Promise] = field(default_factory=list)
    cycles: dict[str, int] = field(default_factory=dict)
    answered: bool = False
    merged: bool = False
    policy: str | None = None
    standing: set[tuple[str, int]] = field(default_factory=set)
    stages: dict[tuple[str, int], int] = field(default_factory=dict)
    breached: set[tuple[str, int]] = field(default_factory=set)
    met: set[tuple[str, int]] = field(default_factory=set)
    noted: list[Noted] = field(default_factory=list)

    def go(self) -> list[Noted]:
        """Walk to the end, and tell all that was noted."""
        self._open()
        looks = sorted(
            [*self._happenings(), *((at, None) for at, _ in self.rules if at > self.life.opened)],
            key=lambda look: look[0],
        )
        for at, what in [*looks, (END, None)]:
            self._wait_until(at)
            if at == END:
                break
            if what is None and self.status in OVER:
                continue
            if what is not None:
                self._live(at, what)
            self._look(at)
        return self.noted

    def _happenings(self) -> Iterator[tuple[int, str | None]]:
        for one in self.life.happenings:
            yield one.second, one.what
            if one.what == "agent takes back" and one.second + TAKEN_BACK_AFTER < END:
                yield one.second + TAKEN_BACK_AFTER, "taken back"

    @property
    def status(self) -> str:
        """The status as it is."""
        return self.statuses[-1][1]

    # What happens

    def _open(self) -> None:
        at = self.life.opened
        self.statuses, self.priorities = [(at, "new")], [(at, self.life.priority)]
        for metric in ("first_response", "periodic_update", "resolution"):
            self._begin(metric, at, at, before_any_answer=metric == "periodic_update")
        self._look(at)

    def _begin(self, metric: str, start: int, began: int, *, before_any_answer: bool = False) -> None:
        self.cycles[metric] = self.cycles.get(metric, 0) + 1
        first_cycle = 1 if metric == "resolution" else self.cycles[metric]
        self.owed[metric] = Promise(metric, first_cycle, self.cycles[metric], start, began, None, before_any_answer)

    def _finish(self, metric: str, at: int) -> None:
        if metric in self.owed:
            self.ended.append(replace(self.owed.pop(metric), stop=at))

    def _live(self, at: int, what: str) -> None:
        match what:
            case "customer writes":
                self._customer_writes(at)
            case "agent answers" | "agent takes back":
                self._answer(at)
            case "taken back":
                self._take_back()
            case "pending" | "on_hold" | "open" | "solved" | "closed":
                self._become(at, what)
            case "merged":
                self._become(at, "closed")
                self.merged = True
            case "low" | "normal" | "high" | "urgent":
                self.priorities.append((at, what))
            case _:  # machines and automations
                return

    def _customer_writes(self, at: int) -> None:
        if self.answered and "next_response" not in self.owed:
            self._begin("next_response", at, at)
        if self.status in {"pending", "on_hold", "solved"}:
            self._become(at, "open")

    def _answer(self, at: int) -> None:
        self.before = (dict(self.owed), self.answered, list(self.ended), at)
        for metric in ("first_response", "next_response", "periodic_update"):
            self._finish(metric, at)
        self._begin("periodic_update", at, at)
        self.answered = True
        if self.status == "new":
            self._become(at, "open")

    def _take_back(self) -> None:
        """The promises that the answer had ended go on as their next runs, with the seconds they had."""
        owed, self.answered, self.ended, at = self.before
        resolution = self.owed.get("resolution")
        self.owed = {}
        for metric, promise in owed.items():
            if metric == "resolution":
                continue
            self.cycles[metric] = promise.cycle + 1
            self.owed[metric] = replace(promise, cycle=promise.cycle + 1, began=at)
        if resolution:
            self.owed["resolution"] = resolution

    def _become(self, at: int, status: str) -> None:
        if status == self.status:
            return
        if status in OVER and self.status not in OVER:
            self._finish("resolution", at)
        if status not in OVER and self.status in OVER:
            self._begin("resolution", self.life.opened, at)
        self.statuses.append((at, status))

    # What is noted

    def _wait_until(self, end: int) -> None:
        """Note what comes due by itself."""
        while self.status not in OVER and (at := self._next_moment(end)) is not None:
            self._look(at)

    def _next_moment(self, end: int) -> int | None:
        rules = self._rules_at(end - 1)
        moments = []
        for promise in self.owed.values():
            target = self._target(promise, rules)
            if target is None or promise.key in self.breached:
                continue
            due = self._second_of(promise, target, rules)
            given = self.stages.get(promise.key, 0)
            moments += [due, *self._warnings(promise, target, rules)[given:]]
        return min((at for at in moments if at is not None and self.looked < at < end), default=None)

    def _rules_at(self, at: int) -> Rules:
        return [rules for since, rules in self.rules if since <= at][-1]

    def _look(self, at: int) -> None:
        self.looked = at
        if self.merged:
            return
        rules = self._rules_at(at)
        if self.status not in OVER or self.policy is None:
            self.policy = rules.choose(priority=self.priorities[-1][1], is_vip=self.life.is_vip)
        for promise in [*self.ended, *self.owed.values()]:
            self._judge(promise, at, rules)
        self.standing = set()
        if self.status not in OVER:
            self.standing = {one.key for one in self.owed.values() if self._target(one, rules) is not None}

    def _judge(self, promise: Promise, at: int, rules: Rules) -> None:
        target = self._target(promise, rules)
        if self.policy is None or target is None or promise.key in self.met:
            return
        last = promise.stop if promise.stop is not None else self._over_since() if self.status in OVER else at
        if last < rules.since[self.policy] and promise.key not in self.standing:
            return
        due = self._second_of(promise, target, rules)
        if promise.stop is not None:
            is_late = due is not None and due < promise.stop
            if is_late:
                self._breach(promise, target, due, at)
            self.met.add(promise.key)
            self._note(
                "met",
                at,
                promise,
                self._used(promise, promise.stop, rules),
                target,
                is_late or promise.key in self.breached,
            )
        elif due is not None and due <= at:
            self._breach(promise, target, due, at)
        elif self.status not in OVER and promise.key not in self.breached:
            self._warn(promise, target, at, rules)

    def _breach(self, promise: Promise, target: int, due: int | None, at: int) -> None:
        assert due is not None
        again = due <= promise.began and any(
            metric == promise.metric and promise.first_cycle <= cycle < promise.cycle for metric, cycle in self.breached
        )
        if promise.key not in self.breached and not again:
            self.breached.add(promise.key)
            self._note("breached", at, promise, due, target)

    def _warn(self, promise: Promise, target: int, at: int, rules: Rules) -> None:
        stage = len(
            [warning for warning in self._warnings(promise, target, rules) if warning is not None and warning <= at]
        )
        if stage > self.stages.get(promise.key, 0):
            self.stages[promise.key] = stage
            self._note("warned", at, promise, stage, self._used(promise, at, rules), target)

    def _note(self, what: str, at: int, promise: Promise, *figures: object) -> None:
        self.noted.append((what, at, promise.metric, promise.cycle, self.policy, *figures))

    # How much time it is

    def _target(self, promise: Promise, rules: Rules) -> int | None:
        if self.policy is None:
            return None
        held = [p for at, p in self.priorities if promise.stop is None or at <= promise.stop]
        promised = {one["metric"]: one["seconds"] for one in rules.policies[self.policy]["targets"]}
        if promise.before_any_answer and "first_response" in promised:
            return None
        seconds: int | None = promised.get(promise.metric, {}).get(held[-1])
        return seconds

    def _over_since(self) -> int:
        over = 0
        for at, status in reversed(self.statuses):
            if status not in OVER:
                break
            over = at
        return over

    def _warnings(self, promise: Promise, target: int, rules: Rules) -> list[int | None]:
        assert self.policy is not None
        shares = rules.policies[self.policy].get("warn_at", 0.75)
        return [
            self._second_of(promise, int(target * share), rules)
            for share in (sorted(shares) if isinstance(shares, list) else [shares])
        ]

    def _counting(self, start: int, rules: Rules) -> Iterator[tuple[int, int]]:
        """The stretches in which the ticket itself does not wait."""
        assert self.policy is not None
        waits = {*rules.policies[self.policy].get("pause_on", ["pending", "on_hold"]), *OVER}
        ends = [at for at, _ in self.statuses[1:]] + [END]
        for (begin, status), end in zip(self.statuses, ends, strict=True):
            if status not in waits and end > start:
                yield max(begin, start), end

    def _seconds(self, rules: Rules) -> Seconds:
        assert self.policy is not None
        return rules.seconds[rules.policies[self.policy].get("calendar_id")]

    def _used(self, promise: Promise, until: int, rules: Rules) -> int:
        passed = self._seconds(rules)
        stretches = [(begin, min(end, until)) for begin, end in self._counting(promise.start, rules) if begin < until]
        return sum(passed[end] - passed[begin] for begin, end in stretches)

    def _second_of(self, promise: Promise, amount: int, rules: Rules) -> int | None:
        """The second at which so many have been counted; None when that is not within the fortnight."""
        passed = self._seconds(rules)
        if amount == 0:
            return promise.start
        for begin, end in self._counting(promise.start, rules):
            if passed[end] - passed[begin] >= amount:
                return bisect_left(passed, passed[begin] + amount, begin, end)
            amount -= passed[end] - passed[begin]
        return None


def expected(life: Life, rules: list[tuple[int, Rules]]) -> list[Noted]:
    """All that must be noted on a ticket, in order."""
    return Walk(life, rules).go()
