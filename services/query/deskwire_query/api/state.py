"""What the endpoints of one application share, as FastAPI dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from obstore.store import ObjectStore

from deskwire_query.live import Hub
from deskwire_query.reading.reader import Reader
from deskwire_query.settings import QuerySettings
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.codec import Codec


@dataclass(frozen=True, slots=True)
class Parts:
    """What an application is built from."""

    reader: Reader
    hub: Hub
    directory: Directory
    codec: Codec
    settings: QuerySettings
    objects: ObjectStore


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsOfDesk = Annotated[Parts, Depends(_parts)]
