"""The doors of the desk: the first administrator's setup, signing in and signing out."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from deskwire_query.web.access import SIGN_IN, START, safe_next
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.entrance.attempts import Attempts
from deskwire_query.web.entrance.starter_desk import SETUP, furnish
from deskwire_query.web.rendering import page
from deskwire_shared.contracts.calendar import TimeZone
from deskwire_shared.contracts.document import MailAddress, Name
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.runtime.http_access import Authenticated, Unauthenticated
from deskwire_shared.runtime.identity import SESSION_COOKIE, SESSION_LIFE
from deskwire_shared.runtime.secrets import MAX_PASSWORD, MIN_PASSWORD

FAILURES_PER_ADDRESS: Final = 10
FAILURES_PER_PEER: Final = 50
WRONG: Final = "The address or the password is wrong."
SPENT: Final = "This link was used already, or a newer one was printed. Look at the terminal, or sign in."

Field = Annotated[str, StringConstraints(max_length=400)]
Next = Annotated[str | None, Query(max_length=2000)]

router = APIRouter()


class Newcomer(BaseModel):
    """The first administrator."""

    name: Name
    email: MailAddress


class SetupForm(BaseModel):
    """What the page of the first run sends; it is judged later, so that the page can say what is wrong."""

    token: Field = ""
    name: Field = ""
    email: Field = ""
    password: Field = ""
    time_zone: Field = "UTC"


class SignInForm(BaseModel):
    """What the sign-in page sends."""

    email: Field = ""
    password: Field = ""
    next: Field = START


class Doorkeeper:
    """Counts failed sign-ins by address and by network peer, those too that are still being looked at."""

    def __init__(self) -> None:
        self._by_address = Attempts(FAILURES_PER_ADDRESS)
        self._by_peer = Attempts(FAILURES_PER_PEER)

    def wait(self, email: str, request: Request, desk: Desk) -> timedelta | None:
        """Tell how long somebody has to wait; None when they may try."""
        now = desk.clock.now()
        return self._by_address.wait(_digest(email), now) or self._by_peer.wait(_peer(request), now)

    def tried(self, email: str, request: Request, desk: Desk) -> datetime:
        """Count an attempt; when it was."""
        now = desk.clock.now()
        self._by_address.tried(_digest(email), now)
        self._by_peer.tried(_peer(request), now)
        return now

    def succeeded(self, email: str, request: Request, at: datetime) -> None:
        """Forget an address's failures, and that its peer tried at a moment."""
        self._by_address.succeeded(_digest(email))
        self._by_peer.forgiven(_peer(request), at)


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


@router.get(SIGN_IN)
async def sign_in_page(request: Request, next: Next = None) -> Response:  # noqa: A002  # the query's name
    """Ask who somebody is."""
    return _sign_in_page(request, next=safe_next(next))


@router.post(SIGN_IN)
async def sign_in(request: Request, desk: TheDesk, sent: Annotated[SignInForm, Form()]) -> Response:
    """Open a session; the answer is the same for an unknown address and a wrong password."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    shown = {"next": safe_next(sent.next), "email": sent.email}
    wait = doorkeeper.wait(sent.email, request, desk)
    if wait is not None:
        minutes = int(wait.total_seconds() // 60) + 1
        return _sign_in_page(request, **shown, problem=f"Too many attempts. Try again in {minutes} min.", status=429)
    at = doorkeeper.tried(sent.email, request, desk)
    try:
        cookie = await desk.sessions.sign_in(sent.email, sent.password)
    except Unauthenticated:
        return _sign_in_page(request, **shown, problem=WRONG, status=401)
    doorkeeper.succeeded(sent.email, request, at)
    return _welcome(cookie, shown["next"], desk)


@router.post("/signout")
async def sign_out(request: Request, desk: TheDesk, principal: Authenticated) -> Response:
    """End the session."""
    del principal
    await desk.sessions.sign_out(request.cookies.get(SESSION_COOKIE, ""))
    answer = RedirectResponse(SIGN_IN, 303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.get("/setup")
async def setup_page(request: Request, desk: TheDesk, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Welcome whoever holds the one-time link."""
    if not await desk.credentials.check_setup_token(token):
        return _setup_page(request, token="", problem=SPENT, status=403)
    return _setup_page(request, token=token)


@router.post("/setup")
async def set_up(request: Request, desk: TheDesk, sent: Annotated[SetupForm, Form()]) -> Response:
    """Make the first administrator and a desk to start with."""
    given = {"name": sent.name, "email": sent.email}
    problem = _problem(given, sent.password)
    if problem is not None:
        return _setup_page(request, token=sent.token, problem=problem, status=422, **given)
    if not await desk.credentials.spend_setup_token(sent.token):
        return _setup_page(request, token="", problem=SPENT, status=403)
    newcomer = Newcomer.model_validate(given)
    team = await furnish(desk.directory, public_url=desk.public_url, time_zone=_known(sent.time_zone))
    agent_id = new_id()
    agent = Agent(email=newcomer.email, name=newcomer.name, role="admin", team_ids=(team,))
    await desk.sessions.set_password(agent_id, sent.password)
    await desk.directory.put(agent_id, agent, actor=SETUP)
    return _welcome(await desk.sessions.open_session(agent_id), START, desk)


def _problem(given: dict[str, str], password: str) -> str | None:
    try:
        Newcomer.model_validate(given)
    except ValidationError as error:
        return f"Please give your {' and your '.join(str(problem['loc'][0]) for problem in error.errors())}."
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    return None


def _known(time_zone: str) -> str:
    try:
        return TypeAdapter[str](TimeZone).validate_python(time_zone)
    except ValidationError:  # browsers may know zones that this machine does not
        return "UTC"


def _welcome(cookie: str, path: str, desk: Desk) -> Response:
    answer = RedirectResponse(path, 303)
    answer.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=desk.public_url.startswith("https:"),
    )
    return answer


def _sign_in_page(
    request: Request,
    *,
    next: str,  # noqa: A002  # the query's name
    email: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    return page(request, "signin.html", {"next": next, "email": email, "problem": problem}, status=status)


def _setup_page(
    request: Request, *, token: str, name: str = "", email: str = "", problem: str = "", status: int = 200
) -> Response:
    context = {"token": token, "name": name, "email": email, "problem": problem, "shortest": MIN_PASSWORD}
    return page(request, "setup.html", context, status=status)
