"""All that the doctor looks at, in this order."""

import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from balie.app import data
from balie.app.operations.doctor import database, disk, network
from balie.app.operations.doctor.database import Found
from balie.app.operations.doctor.remarks import Remark, advice
from balie.app.settings import Settings

DESCRIPTORS = 4_096


def examine(settings: Settings, *, offline: bool = False) -> Iterator[Remark]:
    """Look at everything, whether the server runs or not. Nothing is changed. `offline`: ask nobody else's
    machines."""
    folder = settings.data_dir.expanduser().absolute()
    found, has_file = Found(), not settings.database_url
    yield from database.look_at_library(settings)
    yield from disk.look_at_folder(folder, has_database=has_file)
    yield from disk.look_at_disk(folder, settings.free_bytes)
    yield from disk.look_at_holder(folder)
    yield from _look_at_limits(folder)
    yield from database.look_at_clock(time.time_ns() // 1_000_000)
    yield from _look_at_ntp()
    if folder.is_dir() and (settings.database_url or (folder / data.DATABASE).exists()):
        yield from database.look_at_database(settings, found)
    yield from network.look_at_settings(settings)
    yield from network.look_at_origins(found.origins, ask=not offline)
    if url := getattr(settings, "nats_url", ""):
        yield from network.look_at_nats(url)
    if not offline:
        yield from _look_at_server(settings, folder, found)


def _look_at_server(settings: Settings, folder: Path, found: Found) -> Iterator[Remark]:
    if not settings.database_url and disk.holder_of(folder) is None:
        yield advice(
            "server", "none runs on this data directory", "start it, and ask again for the rest"
        )
        return
    try:
        secret = (folder / data.KEY_FILE).read_bytes()
    except OSError:
        return
    yield from network.look_at_server(settings, secret, found.site_key)


def _look_at_limits(folder: Path) -> Iterator[Remark]:
    pid = disk.holder_of(folder)
    own, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = own if pid is None else disk.soft_limit_of(pid)
    whose = "this shell" if pid is None else f"server (process {pid})"
    if limit is not None and limit != resource.RLIM_INFINITY:
        yield from disk.look_at_descriptors(limit, DESCRIPTORS, whose)


def _look_at_ntp() -> Iterator[Remark]:
    program = shutil.which("timedatectl")
    if program is None:
        return
    try:
        asked = subprocess.run(  # noqa: S603 - a program of the machine, without words of others
            [program, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if asked.stdout.strip() == "no":
        yield advice("clock", "nothing keeps it right", "`timedatectl set-ntp true`")
