"""Somebody on a page of the administration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from deskwire_query.web.access import Administrator
from deskwire_query.web.admin.sections import GROUPS, SECTIONS, Section
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.rendering import page
from deskwire_shared.contracts.access import Principal


@dataclass(frozen=True)
class Visit:
    """Who looks at which section of which desk."""

    request: Request
    desk: Desk
    principal: Principal
    section: Section

    def page(self, template: str, context: Mapping[str, object], *, status: int = 200) -> Response:
        """Answer with a page of the section."""
        around = {
            "me": self.principal,
            "sections": GROUPS,
            "section": self.section.key,
            "name": self.section.name,
            "spec": self.section,
        }
        return page(self.request, template, {**around, **context}, status=status)

    def to_list(self, query: str = "") -> Response:
        """Go on to the list of the section."""
        return RedirectResponse(f"/admin/{self.section.key}{query}", 303)


async def _visit(request: Request, desk: TheDesk, principal: Administrator, section: str) -> Visit:
    found = SECTIONS.get(section)
    if found is None:
        raise HTTPException(404, "There is no such section.")
    principal.require(found.permission)
    return Visit(request, desk, principal, found)


AVisit = Annotated[Visit, Depends(_visit)]
"""A visit to the section that the address names, by somebody who may change it."""
