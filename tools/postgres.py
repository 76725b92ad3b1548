"""Where PostgreSQL's programs are: `python tools/postgres.py` installs them where it may and prints the folder.

Debian keeps them out of the PATH, one folder a version. Without root, and without PostgreSQL, it says what to
run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LINE = "apt-get install --yes --no-install-recommends postgresql"
DEBIAN = Path("/usr/lib/postgresql")
# Debian starts a cluster of its own when it installs; ours are of the tests.
QUIET = Path("/etc/postgresql-common/createcluster.conf")


def find() -> Path | None:
    """The folder of `initdb` and its kin, of the newest version; None where there is none."""
    known = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    if known:
        return known[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def install() -> None:
    """Install it, without a cluster that starts by itself."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    if not QUIET.exists():
        QUIET.parent.mkdir(parents=True, exist_ok=True)
        QUIET.write_text("create_main_cluster = false\n")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (LINE, "apt-get update --quiet", LINE):
        done = subprocess.run(command.split(), env=environment, check=False, **quiet)  # type: ignore[call-overload]
        if done.returncode == 0 and command == LINE:
            return


def main() -> int:
    """Print the folder, or what to do."""
    if find() is None:
        install()
    if (folder := find()) is not None:
        print(folder)
        return 0
    print(f"The tests of PostgreSQL need it. Install it with:\n  sudo {LINE}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
