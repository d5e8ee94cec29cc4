from pathlib import Path

from deskwire_shared.contracts.facts import TagsChanged
from query_desk import opening, query_desk


async def test_a_ticket_that_changes_in_the_batch_it_was_opened_in_is_found_by_what_it_says_last(
    tmp_path: Path,
) -> None:
    async with query_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as desk:
        for number in range(1, 21):
            await desk.apply(
                [
                    await desk.history.add(number, opening(number, text="A burning printer")),
                    await desk.history.add(number, TagsChanged(added=("fire",), tags=("fire",))),
                ]
            )
            await desk.add(number, TagsChanged(removed=("fire",), added=("smoke",), tags=("smoke",)))
        assert len(await desk.reader.search("smoke", limit=50)) == 20
        assert await desk.reader.search("fire printer", limit=50) != ()
        assert await desk.reader.search("tag:fire", limit=50) == ()
