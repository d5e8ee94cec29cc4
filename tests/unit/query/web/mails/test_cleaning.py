import asyncio
from itertools import starmap

import pytest

from deskwire_query.web.mails.cleaning import LEFT_OUT, SHORT, harmless_or_text, is_light
from deskwire_query.web.mails.harmless import harmless

DEEP = "<div>" * 100_000
DEEP_BEHIND_STRAY_ENDS = "<div></zz>" * 50_000
REPEATED = "<p>" + "".join(f"<font size={i}>" for i in range(450)) + "<p>x" * 100_000
LONG = "<p>One of <b>many</b> lines.</p>" * 8_000


async def cleaned(html: str, text: str = "the words") -> str:
    return (await harmless_or_text(html, text, inline={})).html


@pytest.mark.parametrize("html", [DEEP, DEEP_BEHIND_STRAY_ENDS, REPEATED], ids=["deep", "stray ends", "repeated"])
async def test_a_layout_that_takes_too_much_gives_way_to_its_text(html: str) -> None:
    assert await cleaned(html, "1 < 2") == f"<p><em>{LEFT_OUT}</em></p>\n<pre>1 &lt; 2</pre>"


async def test_the_desk_goes_on_while_a_heavy_mail_is_cleaned() -> None:
    heavy = asyncio.create_task(cleaned(DEEP))
    turns = 0
    while not heavy.done():
        await asyncio.wait([heavy], timeout=0.01)
        turns += 1
    assert turns > 10


async def test_a_long_mail_is_shown_whole() -> None:
    assert not is_light(LONG)
    assert await cleaned(LONG) == harmless(LONG, inline={}).html


async def test_a_long_mail_is_cleaned_as_a_short_one_is() -> None:
    html = "<script>x</script><img src=cid:a><img src=//t.example/x>" + "<p>x</p>" * 5_000
    mail = await harmless_or_text(html, "", inline={"a": "/attachments/1"})
    assert mail == harmless(html, inline={"a": "/attachments/1"})
    assert mail.remote_images == 1


async def test_a_mail_like_most_needs_no_process() -> None:
    html = "<table><tr><td><a href='https://a.example'>One</a> <b>x</b></td></tr></table>" * 40
    assert is_light(html)


@pytest.mark.parametrize(
    "html", [*starmap(str.__mul__, [("<p>", SHORT), ("x", SHORT + 1)]), "<b>" * 400], ids=["many", "long", "formatted"]
)
def test_what_could_grow_is_not_light(html: str) -> None:
    assert not is_light(html)
