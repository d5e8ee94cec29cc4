"""The selections of tickets in the workspace's rail: the ones every desk has, its teams' queues, its saved views."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from deskwire_query.reading.read_models import NOBODY, Sort, TicketFilter
from deskwire_shared.contracts.directory import View
from deskwire_shared.contracts.facts import Status
from deskwire_shared.contracts.staff import Team
from deskwire_shared.directory.port import Directory

WORKABLE: Final[tuple[Status, ...]] = ("new", "open")
UNSOLVED: Final[tuple[Status, ...]] = ("new", "open", "pending", "on_hold")
SOON: Final = timedelta(hours=2)
START: Final = "mine"
TEAM: Final = "team-"
SAVED: Final = "view-"


class UnknownView(LookupError):
    """No view is known by that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no view {key!r}")


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """A selection of tickets with its place in the rail and the words for when it is empty."""

    key: str
    name: str
    icon: str
    wanted: TicketFilter
    sort: Sort = "updated"
    descending: bool = True
    chord: str = ""
    """The key that goes there after `g`."""
    empty: str = "No ticket here."
    owner: str = ""
    """The agent whose tickets these are; without one it is the same view for everybody who has it."""

    @property
    def place(self) -> str:
        """Its key among those of all agents."""
        return f"{self.key}/{self.owner}" if self.owner else self.key


@dataclass(frozen=True, kw_only=True)
class Rail:
    """Every view an agent can open, in order."""

    desk: tuple[TicketView, ...]
    teams: tuple[TicketView, ...]
    saved: tuple[TicketView, ...]

    @property
    def all(self) -> tuple[TicketView, ...]:
        """The views of all sections."""
        return self.desk + self.teams + self.saved

    def find(self, key: str) -> TicketView:
        """Find a view by its key. Raises UnknownView."""
        for view in self.all:
            if view.key == key:
                return view
        raise UnknownView(key)


def rail_for(agent_id: str, directory: Directory, now: datetime) -> Rail:
    """Lay out the rail of an agent."""
    teams = sorted(directory.all(Team).items(), key=lambda item: item[1].name.lower())
    saved = sorted(directory.all(View).items(), key=lambda item: (item[1].order, item[1].name.lower()))
    return Rail(
        desk=_desk_views(agent_id, now),
        teams=tuple(_team_view(team_id, team) for team_id, team in teams),
        saved=tuple(_saved_view(view_id, view) for view_id, view in saved if view.agent_id in {None, agent_id}),
    )


def _desk_views(agent_id: str, now: datetime) -> tuple[TicketView, ...]:
    workable = TicketFilter(statuses=WORKABLE, snoozed=False)
    return (
        TicketView(
            key="mine", name="My open", icon="inbox", wanted=replace(workable, assignee_id=agent_id), owner=agent_id,
            chord="m", empty="Nothing waits for you. Take one from Unassigned.",
        ),
        TicketView(
            key="unassigned", name="Unassigned", icon="user-plus", wanted=replace(workable, assignee_id=NOBODY),
            sort="opened", descending=False, chord="u", empty="Every open ticket has somebody.",
        ),
        TicketView(key="open", name="All open", icon="layers", wanted=workable, chord="o",
                   empty="No open ticket on this desk."),
        TicketView(
            key="soon", name="Breaching soon", icon="timer",
            wanted=TicketFilter(statuses=UNSOLVED, due_before=_to_the_minute(now) + SOON), sort="due",
            descending=False, chord="b", empty="No promise is in danger in the next two hours.",
        ),
        TicketView(key="pending", name="Pending", icon="circle-pause",
                   wanted=TicketFilter(statuses=("pending", "on_hold")), chord="p",
                   empty="Nothing waits for a customer."),
        TicketView(key="solved", name="Solved", icon="circle-check", wanted=TicketFilter(statuses=("solved",)),
                   chord="s", empty="Nothing solved yet."),
    )  # fmt: skip


def _to_the_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _team_view(team_id: str, team: Team) -> TicketView:
    wanted = TicketFilter(statuses=WORKABLE, snoozed=False, team_id=team_id)
    return TicketView(key=f"{TEAM}{team_id}", name=team.name, icon="users", wanted=wanted,
                      empty=f"{team.name} has no open ticket.")  # fmt: skip


def _saved_view(view_id: str, view: View) -> TicketView:
    wanted = TicketFilter(conditions=view.conditions)
    return TicketView(key=f"{SAVED}{view_id}", name=view.name, icon="list-filter", wanted=wanted)
