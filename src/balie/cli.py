"""The command line: `balie COMMAND`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from balie.agents.setup import Beginning
from balie.app import commands
from balie.app.server import PortTakenError
from balie.app.settings import SettingError, Settings, read_settings
from balie.kernel.errors import BalieError
from balie.store.sqlite import UnsafeSqliteError

DEMO_FOLDER = Path("balie-demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `arguments` defaults to those of the process."""
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if "run" not in chosen:
        parser.print_help()
        return 0
    try:
        run: Callable[[argparse.Namespace], None] = chosen.run
        run(chosen)
    except (BalieError, PortTakenError, SettingError, UnsafeSqliteError) as error:
        print(f"balie: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    parser = argparse.ArgumentParser(prog="balie", description="The front desk of your website.")
    parser.add_argument("--version", action="version", version=f"balie {version('balie')}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_demo(subparsers)
    _add_serve(subparsers)
    _add_init(subparsers)
    _add_password(subparsers)
    _add_migrate(subparsers)
    return parser


Subparsers = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_demo(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(subparsers, "demo", "serve Balie with a demo shop in it", _demo)
    command.add_argument("--json", action="store_true", help="print one JSON line when ready")
    command.set_defaults(data_dir=DEMO_FOLDER)


def _demo(chosen: argparse.Namespace) -> None:
    commands.run_demo(_settings(chosen), as_json=chosen.json)


def _add_serve(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    _add(subparsers, "serve", "serve Balie", lambda chosen: commands.run_server(_settings(chosen)))


def _add_init(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(subparsers, "init", "make the first organisation, site and owner", _init)
    command.add_argument("--organisation", required=True, metavar="NAME")
    command.add_argument("--site", metavar="NAME", help="name of the site (as the organisation)")
    command.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="URL",
        help="where the site is, such as https://www.example.nl; may be given again",
    )
    command.add_argument("--name", required=True, help="the owner's name, as customers see it")
    command.add_argument("--email", required=True, help="the owner's address to sign in with")
    command.add_argument("--language", choices=("nl", "en"), default="nl")
    command.add_argument(
        "--password-stdin", action="store_true", help="read the password; else one is made"
    )
    command.add_argument("--json", action="store_true", help="print JSON")


def _init(chosen: argparse.Namespace) -> None:
    begun = commands.initialise(
        _settings(chosen),
        Beginning(
            organisation=chosen.organisation,
            site=chosen.site or chosen.organisation,
            origins=tuple(chosen.origin),
            owner=chosen.name,
            email=chosen.email,
            language=chosen.language,
            password=sys.stdin.readline().rstrip("\n") if chosen.password_stdin else None,
        ),
    )
    told = {
        "organisation_id": begun.organisation.id,
        "site_id": begun.site.id,
        "site_key": begun.site.key,
        "email": begun.owner.email,
    }
    if not chosen.password_stdin:
        told["password"] = begun.password
    _tell(told, as_json=chosen.json)


def _add_password(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(
        subparsers, "password", "make a one-time link for somebody's new password", _password
    )
    command.add_argument("email")
    command.add_argument("--json", action="store_true", help="print JSON")


def _password(chosen: argparse.Namespace) -> None:
    link = commands.reset_password(_settings(chosen), chosen.email)
    _tell({"email": chosen.email, "link": link.url}, as_json=chosen.json)


def _add_migrate(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    _add(
        subparsers,
        "migrate",
        "bring the store up to date",
        lambda chosen: print(f"revision {commands.migrate_store(_settings(chosen))}"),
    )


def _add(
    subparsers: Subparsers,  # type: ignore[valid-type]
    name: str,
    help_text: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = subparsers.add_parser(  # type: ignore[attr-defined]
        name, help=help_text, description=help_text
    )
    command.add_argument("--data-dir", type=Path, metavar="D", help="where everything is kept")
    if name in ("demo", "serve"):
        command.add_argument("--host", help="address to listen on (127.0.0.1)")
        command.add_argument("--port", type=_port, help="port to listen on (8000)")
    command.set_defaults(run=run)
    return command


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _settings(chosen: argparse.Namespace) -> Settings:
    return read_settings(
        data_dir=chosen.data_dir,
        host=getattr(chosen, "host", None),
        port=getattr(chosen, "port", None),
    )


def _tell(told: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    width = max(map(len, told))
    for name, value in told.items():
        print(f"{name.replace('_', ' '):<{width}}  {value}")
