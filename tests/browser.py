"""The browser of the end-to-end tests: any Chromium of the system, else the one Playwright installed."""

import os
import shutil
import sys
from pathlib import Path

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FOLDERS_OF_PLAYWRIGHT = (Path("~/.cache/ms-playwright"), Path("~/Library/Caches/ms-playwright"))
PROGRAMS_OF_PLAYWRIGHT = ("chromium-*/chrome-*/chrome", "chromium-*/chrome-*/*.app/Contents/MacOS/*")

ADVICE = """\
No browser found: the tests that drive the pages cannot run.
Install Chromium (`apt-get install chromium`) or run `.venv/bin/playwright install chromium`."""


def find_browser() -> Path | None:
    """Find a Chromium that Playwright can drive."""
    installed = next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)
    return Path(installed) if installed else _browser_of_playwright()


def browsers_are_required() -> bool:
    """Say whether a missing browser is a failure: it is in continuous integration."""
    return os.environ.get("CI") == "true"


def _browser_of_playwright() -> Path | None:
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folders = (Path(named),) if named else FOLDERS_OF_PLAYWRIGHT
    found = (
        program
        for folder in folders
        for pattern in PROGRAMS_OF_PLAYWRIGHT
        for program in sorted(folder.expanduser().glob(pattern), reverse=True)
    )
    return next(found, None)


if __name__ == "__main__":
    browser = find_browser()
    sys.stdout.write(f"Browser: {browser}\n" if browser else f"{ADVICE}\n")
    sys.exit(1 if browser is None and browsers_are_required() else 0)
