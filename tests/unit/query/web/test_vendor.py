import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

MEMBER = Path(__file__).parents[4] / "services/query"
WEB = MEMBER / "deskwire_query/web"
PLAN = json.loads((MEMBER / "package.json").read_text())
LOCK = json.loads((MEMBER / "package-lock.json").read_text())

IN_TEMPLATES = re.compile(r'icon\("([a-z0-9-]+)"')
NAMES = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"')


def build_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", MEMBER / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sources() -> str:
    return "\n".join(
        path.read_text()
        for kind in ("*.py", "*.html", "*.js")
        for path in WEB.rglob(kind)
        if "vendor" not in path.parts
    )


def test_every_package_is_pinned_with_a_digest_and_without_an_address() -> None:
    locked = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert {name.removeprefix("node_modules/") for name in locked} == set(PLAN["dependencies"])
    for entry in locked.values():
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


def test_every_icon_that_is_drawn_is_shipped() -> None:
    drawn = set(IN_TEMPLATES.findall(sources()))
    assert drawn <= set(PLAN["vendor"]["icons"])


def test_every_icon_that_is_shipped_is_drawn() -> None:
    assert set(PLAN["vendor"]["icons"]) <= set(NAMES.findall(sources()))


def test_each_package_comes_with_its_licence() -> None:
    licences = [source for source in PLAN["vendor"]["files"] if source.endswith("LICENSE")]
    assert {source.removesuffix("/LICENSE") for source in licences} == set(PLAN["dependencies"])


def test_icons_become_symbols_of_one_drawing() -> None:
    drawn = build_hook().sprite({"x": '<svg width="24">\n  <path d="M1 1" />\n</svg>'})
    assert '<symbol id="x" viewBox="0 0 24 24"><path d="M1 1" /></symbol>' in drawn


def test_what_is_no_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="no SVG"):
        build_hook().sprite({"x": "<html>"})


def test_nothing_is_fetched_when_the_folder_is_up_to_date(tmp_path: Path) -> None:
    hook = build_hook()
    for name in hook.INPUTS:
        (tmp_path / name).write_text("{}")
    vendor = tmp_path / hook.VENDOR
    vendor.mkdir(parents=True)
    (vendor / hook.STAMP).write_text(hook._fingerprint(tmp_path))
    hook.fetch_vendor_files(tmp_path)
    assert [path.name for path in vendor.iterdir()] == [hook.STAMP]


def test_npm_trusts_the_authorities_that_the_rest_of_the_installation_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/authorities.pem")
    assert build_hook().environment()["NODE_EXTRA_CA_CERTS"] == "/etc/authorities.pem"


def test_authorities_meant_for_node_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/etc/nodes-own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/authorities.pem")
    assert build_hook().environment()["NODE_EXTRA_CA_CERTS"] == "/etc/nodes-own.pem"


def test_npm_believes_the_authorities_that_the_machine_believes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_USE_SYSTEM_CA", raising=False)

    assert build_hook().environment()["NODE_USE_SYSTEM_CA"] == "1"
