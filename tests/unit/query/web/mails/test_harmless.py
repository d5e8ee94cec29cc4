import pytest

from deskwire_query.web.mails.harmless import harmless


def shown(html: str, **inline: str) -> str:
    return harmless(html, inline=inline).html


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>", "<style>body{display:none}</style>", "<iframe src='/admin'></iframe>",
        "<object data='x'></object>", "<form action='/x'><input></form>", "<svg onload=alert(1)><script>1</script></svg>",
        "<math><mtext><script>1</script></mtext></math>", "<meta http-equiv=refresh content='0;url=//x'>",
        "<base href='https://x.example'>", "<link rel=stylesheet href='//x'>", "<template><script>1</script></template>",
    ],
)  # fmt: skip
def test_what_can_act_is_dropped_with_all_that_is_in_it(html: str) -> None:
    assert shown(html) == ""


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick=alert(1)>x</p>", "<a href='javascript:alert(1)'>x</a>", "<a href=' JaVaScRiPt:alert(1)'>x</a>",
        "<a href='data:text/html,<script>1</script>'>x</a>", "<a href='/signout'>x</a>", "<p hx-get='/signout'>x</p>",
        "<p id='main' class='rail'>x</p>", "<p style='position:fixed;inset:0'>x</p>",
        "<p style='background-color:url(https://t.example/x)'>x</p>", "<p style='width:ur\\6c(//t)'>x</p>",
    ],
)  # fmt: skip
def test_what_is_shown_keeps_its_words_and_loses_what_could_act(html: str) -> None:
    cleaned = shown(html)
    assert ">x<" in cleaned
    for trap in ("javascript", "data:", "signout", "onclick", "hx-", "id=", "class=", "position", "url(", "ur\\"):
        assert trap not in cleaned.lower()


def test_plain_styles_and_tables_stay() -> None:
    html = '<table border="1"><tbody><tr><td style="color:red">x</td></tr></tbody></table>'
    assert shown(html) == html


def test_links_open_elsewhere_and_tell_nobody_where_from() -> None:
    cleaned = shown("<a href='https://shop.example/'>x</a>")
    assert 'target="_blank"' in cleaned
    assert "noreferrer" in cleaned


@pytest.mark.parametrize(
    "source", ["https://t.example/p.gif", "http://t.example/p.gif", "//t.example/p.gif", " HTTPS://t"]
)
def test_a_remote_image_is_counted_and_not_loaded(source: str) -> None:
    mail = harmless(f"<img src='{source}' alt='logo'>", inline={})
    assert mail.remote_images == 1
    assert "src" not in mail.html
    assert "logo" in mail.html


def test_a_remote_image_is_loaded_once_an_agent_asks() -> None:
    assert (
        "https://t.example/p.gif" in harmless("<img src='https://t.example/p.gif'>", inline={}, remote_images=True).html
    )


def test_an_image_inside_the_mail_is_shown_from_its_attachment() -> None:
    mail = harmless('<img src="cid:logo@x">', inline={"logo@x": "/attachments/t/1/0/logo.png"})
    assert 'src="/attachments/t/1/0/logo.png"' in mail.html
    assert mail.remote_images == 0


def test_an_image_that_no_attachment_has_is_not_asked_for() -> None:
    assert "src" not in shown('<img src="cid:other@x">')
    assert "src" not in shown('<img src="/admin/agents">')
