"""The command line: `balie COMMAND`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from balie.agents.setup import Beginning
from balie.app import commands, privacy, upkeep
from balie.app.data import DataError
from balie.app.house import House
from balie.app.operations.command_line import Operations
from balie.app.places import Place
from balie.app.progress import ProgressBar
from balie.app.server import PortTakenError
from balie.app.settings import SettingError, Settings, read_settings
from balie.app.trouble import in_words
from balie.kernel.erasure import Person
from balie.kernel.errors import BalieError, ConflictError
from balie.store.driver import UnusableError
from balie.store.sqlite import UnsafeSqliteError

DEMO_FOLDER = Path("balie-demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 1 where it refuses, 2 where it cannot begin.

    `arguments` defaults to those of the process.
    """
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if "run" not in chosen:
        parser.print_help()
        return 0
    run: Callable[[argparse.Namespace], int | None] = chosen.run
    try:
        return run(chosen) or 0
    except (BalieError, PortTakenError, UnsafeSqliteError) as error:
        return _complain(str(error), 1)
    except (SettingError, DataError, UnusableError) as error:
        return _complain(str(error), 2)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if (told := in_words(error)) is None:
            raise
        return _complain(told, 2)


def _complain(told: str, code: int) -> int:
    print(f"balie: {told}", file=sys.stderr)
    return code


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
    _add_export(subparsers)
    _add_erase(subparsers)
    _add_retention(subparsers)
    Operations(lambda *about: _add(subparsers, *about), _settings)
    return parser


Subparsers = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_demo(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(subparsers, "demo", "serve Balie with a demo shop in it", _demo)
    command.add_argument("--json", action="store_true", help="print one JSON line when ready")
    _add_workers(command)
    command.set_defaults(data_dir=DEMO_FOLDER)


def _demo(chosen: argparse.Namespace) -> None:
    settings = _settings(chosen)
    if chosen.worker is not None:
        commands.run_demo_worker(settings, chosen.worker)
    else:
        commands.run_demo(settings, as_json=chosen.json, workers=chosen.workers)


def _add_serve(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    _add_workers(_add(subparsers, "serve", "serve Balie", _serve))


def _serve(chosen: argparse.Namespace) -> None:
    settings = _settings(chosen)
    if chosen.worker is not None:
        commands.run_worker(settings, chosen.worker)
    elif chosen.workers > 1:
        commands.run_workers(settings, chosen.workers)
    else:
        commands.run_server(settings)


def _add_workers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="processes over one PostgreSQL (1)"
    )
    # How the supervisor starts each of them.
    command.add_argument("--worker", type=Place.parse, help=argparse.SUPPRESS)


def _count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64")
    return int(text)


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
    settings = _settings(chosen)
    begun = commands.initialise(
        settings,
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
    if not chosen.json:
        print(say_next(settings.own_origin, begun.site.key))


def say_next(origin: str, site_key: str) -> str:
    """What comes after `balie init`."""
    return f"""
Start it with `balie serve`, sign in at {origin}/app, and paste this into your pages:

  <script async src="{origin}/balie.js" data-site="{site_key}"></script>
"""


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
    command = _add(subparsers, "migrate", "bring the store up to date", _migrate)
    command.add_argument(
        "--to", metavar="REVISION", help="back to what an older version needs; take a backup first"
    )


def _migrate(chosen: argparse.Namespace) -> None:
    print(f"revision {commands.migrate_store(_settings(chosen), chosen.to)}")


def _add_export(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(subparsers, "export", "hand over everything of one person", _export)
    _add_person(command)
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the zip to write")


def _export(chosen: argparse.Namespace) -> None:
    async def work(house: House) -> dict[str, object]:
        person = await privacy.find_person(house, _wanted(chosen))
        with ProgressBar("Exporting", quiet=chosen.json) as bar:
            await privacy.export_person(house, person, chosen.out, bar)
        return {**_sizes(person), "file": str(chosen.out)}

    _tell(commands.with_house(_settings(chosen), work), as_json=chosen.json)


def _add_erase(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(subparsers, "erase", "erase everything of one person, for good", _erase)
    _add_person(command)
    command.add_argument("--yes", action="store_true", help="do not ask")


def _erase(chosen: argparse.Namespace) -> None:
    async def work(house: House) -> dict[str, object] | None:
        person = await privacy.find_person(house, _wanted(chosen))
        if not chosen.yes and not _agreed(_sizes(person)):
            return None
        with ProgressBar("Erasing", quiet=chosen.json) as bar:
            erased = await privacy.erase_person(house, person, bar)
        return {**erased.counts, "scrubbed": erased.scrubbed}

    told = commands.with_house(_settings(chosen), work)
    if told is None:
        raise ConflictError("nothing was erased")
    _tell(told, as_json=chosen.json)


def _agreed(sizes: dict[str, object]) -> bool:
    """Whether whoever sits at the terminal means it. Nobody there means no."""
    for name, value in sizes.items():
        print(f"{name:<14} {value}", file=sys.stderr)
    if not sys.stdin.isatty():
        print("balie: add --yes to erase without being asked", file=sys.stderr)
        return False
    print("Erase all of this for good? Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("yes", "ja")


def _add_person(command: argparse.ArgumentParser) -> None:
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--visitor", metavar="ID")
    who.add_argument("--contact", metavar="ID")
    who.add_argument("--email", metavar="ADDRESS", help="all who said or proved this address")
    command.add_argument("--organisation", metavar="ID", help="whose he is: id or name")
    command.add_argument("--json", action="store_true", help="print JSON")


def _wanted(chosen: argparse.Namespace) -> privacy.Wanted:
    return privacy.Wanted(
        visitor=chosen.visitor,
        contact=chosen.contact,
        email=chosen.email,
        organisation=chosen.organisation,
    )


def _sizes(person: Person) -> dict[str, object]:
    return {
        "visitors": len(person.visitor_ids),
        "contacts": len(person.contact_ids),
        "conversations": len(person.conversation_ids),
        "files": len(person.file_ids),
    }


def _add_retention(subparsers: Subparsers) -> None:  # type: ignore[valid-type]
    command = _add(subparsers, "retention", "delete what was kept long enough", _retention)
    command.add_argument("--dry-run", action="store_true", help="only say what would go")
    command.add_argument(
        "--trust-clock", action="store_true", help="the clock is right, however long it was"
    )
    command.add_argument("--json", action="store_true", help="print JSON")


def _retention(chosen: argparse.Namespace) -> None:
    async def work(house: House) -> list[privacy.Swept]:
        with ProgressBar("Deleting", quiet=chosen.json) as bar:
            swept = await privacy.sweep(
                house, dry_run=chosen.dry_run, trust_clock=chosen.trust_clock, progress=bar
            )
        if chosen.dry_run and (reason := await upkeep.doubted(house)):
            print(f"balie: {reason}; without --trust-clock nothing will go", file=sys.stderr)
        return swept

    swept = commands.with_house(_settings(chosen), work)
    if chosen.json:
        print(msgspec.json.encode(swept).decode())
        return
    for each in swept:
        kept = f", kept {each.retention_days} days" if each.retention_days else ""
        print(f"{each.organisation or 'The installation'}{kept}")
        for kind, number in each.counts.items():
            print(f"  {kind:<15} {number:,}")


def _add(
    subparsers: Subparsers,  # type: ignore[valid-type]
    name: str,
    help_text: str,
    run: Callable[[argparse.Namespace], int | None],
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


def _tell(told: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    width = max(map(len, told))
    for name, value in told.items():
        print(f"{name.replace('_', ' '):<{width}}  {value}")


if __name__ == "__main__":
    sys.exit(main())
