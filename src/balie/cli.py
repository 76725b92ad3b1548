"""The command line: `balie COMMAND`."""

import argparse
from collections.abc import Sequence
from importlib.metadata import version


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `arguments` defaults to those of the process."""
    parser = build_parser()
    parser.parse_args(arguments)
    parser.print_help()
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    parser = argparse.ArgumentParser(prog="balie", description="The front desk of your website.")
    parser.add_argument("--version", action="version", version=f"balie {version('balie')}")
    return parser
