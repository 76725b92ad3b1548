"""Make sure that a Chromium is here for the browser tests; as root, install it.

Ends with a non-zero code and the line to type when it cannot.
"""

import os
import shutil
import subprocess
import sys

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
INSTALL = "apt-get install --yes --no-install-recommends chromium"


def main() -> int:
    """Find or install Chromium; 0 when it is here."""
    if find_chromium():
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        install_chromium()
    if find_chromium():
        return 0
    print(f"The browser tests need Chromium. Install it with:\n  sudo {INSTALL}", file=sys.stderr)
    print("or name the program in BALIE_CHROMIUM.", file=sys.stderr)
    return 1


def find_chromium() -> str | None:
    """The path of Chromium: BALIE_CHROMIUM, else the first one on PATH."""
    named = os.environ.get("BALIE_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)


def install_chromium() -> None:
    """Install Chromium with apt. A failure is reported by the caller, who looks again."""
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update --quiet", INSTALL):
        subprocess.run(command.split(), env=quietly, stdout=sys.stderr, check=False)


if __name__ == "__main__":
    sys.exit(main())
