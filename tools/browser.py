"""Make sure that a Chromium is here for the browser tests; as root, install it.

Ends with a non-zero code and the line to type when it cannot.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
INSTALL = "apt-get install --yes --no-install-recommends chromium"


def main() -> int:
    """Find or install Chromium; 0 when it is here."""
    if find_chromium():
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium for the browser tests.", file=sys.stderr)
        install_chromium()
    if find_chromium():
        return 0
    line = (
        f"{sys.executable} -m playwright install --with-deps chromium" if is_ubuntu() else INSTALL
    )
    print(f"The browser tests need Chromium. Install it with:\n  sudo {line}", file=sys.stderr)
    print("or name the program in BALIE_CHROMIUM.", file=sys.stderr)
    return 1


def find_chromium() -> str | None:
    """The path of Chromium: BALIE_CHROMIUM, else one on PATH, else the one Playwright installed."""
    named = os.environ.get("BALIE_CHROMIUM")
    if named:
        return shutil.which(named)
    # On Ubuntu the programs on PATH only lead to a snap, which cannot run everywhere.
    on_path = None if is_ubuntu() else next(filter(None, map(shutil.which, NAMES)), None)
    return on_path or playwrights_own()


def install_chromium() -> None:
    """Install Chromium as root. A failure is reported by the caller, who looks again."""
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    playwright = f"{sys.executable} -m playwright install --with-deps chromium"
    commands = [playwright] if is_ubuntu() else ["apt-get update --quiet", INSTALL]
    for command in commands:
        subprocess.run(command.split(), env=quietly, stdout=sys.stderr, check=False)


def playwrights_own() -> str | None:
    """The path of the Chromium that Playwright installed for this user, if it did."""
    with sync_playwright() as playwright:
        return shutil.which(playwright.chromium.executable_path)


def is_ubuntu() -> bool:
    """Whether this is Ubuntu, whose package of Chromium is a snap."""
    release = Path("/etc/os-release")
    return release.exists() and "ID=ubuntu" in release.read_text().splitlines()


if __name__ == "__main__":
    sys.exit(main())
