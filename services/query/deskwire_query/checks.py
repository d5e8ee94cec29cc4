"""What `deskwire doctor` asks about the read models."""

import asyncio
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import SQLAlchemyError

from deskwire_query.database import open_database
from deskwire_shared.runtime.doctor import Finding
from deskwire_shared.runtime.settings import CommonSettings

DATABASE = "database"


async def check_database(settings: CommonSettings) -> list[Finding]:
    """Look whether the database of the read models answers."""
    url = settings.database_url.get_secret_value()
    parts = make_url(url)
    shown = parts.render_as_string(hide_password=True)
    if parts.get_backend_name() == "sqlite" and not await asyncio.to_thread(Path(parts.database or "").exists):
        return [Finding(DATABASE, f"{shown} is made at the first start")]
    database = open_database(url)
    try:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error)
        return [Finding(DATABASE, f"{shown} does not answer: {reason}", "start it, or correct DESKWIRE_DATABASE_URL")]
    finally:
        await database.close()
    return [Finding(DATABASE, f"{shown} answers")]
