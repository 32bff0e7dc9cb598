"""Finds the machine's Chromium and opens it, for tests/browser/ and scripts/screenshots.sh.

Finding needs the standard library only: scripts/test.sh asks it before anything is installed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What it may be called on PATH, in this order."""

_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_INSTALL = "(Debian: apt install chromium; Fedora: dnf install chromium; macOS: brew install --cask chromium)"


class NoChromiumError(Exception):
    """There is no Chromium; the message says where it was looked for and how to get one."""


def find_chromium(environ: Mapping[str, str]) -> Path:
    """The program to run: what CHROMIUM names, else on PATH, else Playwright's own, else an application.

    A name on PATH may stand for a package that is not there (Ubuntu's chromium-browser), so one counts
    only when it says its version. Raises NoChromiumError.
    """
    path = environ.get("PATH", os.defpath)
    wished = environ.get("CHROMIUM")
    if wished:
        found = shutil.which(wished, path=path)
        if found and _answers(found):
            return Path(found)
        raise NoChromiumError(f"CHROMIUM is {wished!r}, which is not a Chromium that runs {_INSTALL}")
    for name in (*NAMES, *_of_playwright(environ), *_APPLICATIONS):
        found = shutil.which(name, path=path)
        if found and _answers(found):
            return Path(found)
    raise NoChromiumError(
        f"there is no Chromium: CHROMIUM is not set, and PATH has none of {', '.join(NAMES)} that runs. "
        f"Install one {_INSTALL} or name the program in CHROMIUM"
    )


@contextmanager
def opened_chromium(program: Path) -> Iterator["Browser"]:
    """A headless Chromium that finds no host but 127.0.0.1."""
    # Here, because the packages may not be installed yet when somebody only looks for a Chromium.
    from playwright.sync_api import sync_playwright

    # Not even names get out; what a page asks for elsewhere fails at once instead of in a time-out.
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def _of_playwright(environ: Mapping[str, str]) -> list[str]:
    """Where `playwright install chromium` puts them, the newest first."""
    home = Path(environ.get("HOME", "/"))
    own = environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folders = [Path(own)] if own else [home / ".cache/ms-playwright", home / "Library/Caches/ms-playwright"]
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    found = [path for folder in folders for pattern in patterns for path in folder.glob(pattern)]
    return [str(path) for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]


def _answers(program: str) -> bool:
    """Whether it says its version, as one that can run does."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Print the path of the Chromium. The exit code: 0, or 2 with a message when there is none."""
    try:
        print(find_chromium(os.environ))
    except NoChromiumError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
