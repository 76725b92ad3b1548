"""The data directory and the disk below it."""

import os
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from balie.app import data
from balie.app.operations.doctor.remarks import Remark, advice, fault

FORGETFUL = {"tmpfs", "ramfs", "rootfs"}
LAYERED = {"overlay", "aufs"}
DISTANT = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "fuse.s3fs",
    "ceph",
    "glusterfs",
}
NO_BARRIERS = re.compile(r"(^|,)(nobarrier|barrier=0|data=writeback)(,|$)")
SYNCS = 15
AT_ONCE_US = 8.0
"""No disk has anything for good within so many microseconds."""
SLOW_MS = 40.0
FEW_FILES = 1_000
MIB = 1_024 * 1_024


class Mount(msgspec.Struct, frozen=True):
    """What a folder lies on."""

    place: str
    kind: str
    options: str


def look_at_folder(folder: Path, *, has_database: bool) -> Iterator[Remark]:
    """Whose it is, what is in it, and who may read it."""
    about = f"data directory {folder}"
    if not folder.is_dir():
        yield fault(
            about, "it is not there", "name it with --data-dir, or make it with `balie init`"
        )
        return
    if folder.stat().st_uid != os.geteuid():
        yield fault(about, "it belongs to another user", "run Balie as its owner, or chown it")
    if folder.stat().st_mode & 0o077:
        yield advice(about, "others may look into it", f"chmod 700 {folder}")
    yield from _look_at_secret(folder / data.KEY_FILE)
    database = folder / data.DATABASE
    if has_database and not database.exists():
        yield fault(
            f"database {database}",
            "it is not there",
            "begin with `balie init`, or put a backup back with `balie restore`",
        )
    for place in (database, folder / data.LEDGER, folder / data.FILES):
        if place.exists() and place.stat().st_mode & 0o077:
            yield fault(str(place), "others may read it", f"chmod go= {place}")
        if place.exists() and not os.access(place, os.R_OK | os.W_OK):
            yield fault(str(place), "it cannot be written", "run Balie as its owner, or chown it")


def _look_at_secret(path: Path) -> Iterator[Remark]:
    about = f"secret {path}"
    if not path.exists():
        yield fault(
            about,
            "it is not there, and without it nobody's token holds",
            "put it back from a backup; `balie serve` says how to make a new one",
        )
        return
    if path.stat().st_size < data.SECRET_BYTES:
        yield fault(about, "it is damaged: too short", "put it back from a backup")
    if path.stat().st_mode & 0o077:
        yield fault(
            about, "others may read it, and could be any visitor with it", f"chmod 600 {path}"
        )


def look_at_disk(folder: Path, free_bytes: int) -> Iterator[Remark]:
    """Room, whether it can be written, and whether a sync is one."""
    if not folder.is_dir():
        return
    about = f"disk below {folder}"
    yield from _look_at_room(folder, free_bytes)
    if mount := mount_of(folder, Path("/proc/self/mountinfo").read_text()):
        yield from judge_mount(about, mount)
    try:
        took = _sync_often(folder)
    except OSError as error:
        yield fault(
            about,
            f"it takes nothing: {error.strerror}",
            "make room, mount it writable, or look into the log of the machine whether it fails",
        )
        return
    yield from judge_syncs(about, took)


def _look_at_room(folder: Path, free_bytes: int) -> Iterator[Remark]:
    about, room = f"disk below {folder}", os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if room.f_flag & os.ST_RDONLY:
        yield fault(about, "it is mounted read-only", "look why (`dmesg`), then mount it writable")
    if free < free_bytes:
        yield fault(
            about,
            f"{free // MIB:,} MiB are left: no files are taken from anybody below"
            f" {free_bytes // MIB:,} MiB (BALIE_FREE_BYTES)",
            "make room, or move the data directory to a larger disk",
        )
    if room.f_files and room.f_favail < FEW_FILES:
        yield fault(about, "hardly any files can be made", "delete files elsewhere on this disk")


def judge_mount(about: str, mount: Mount) -> Iterator[Remark]:
    """What kind of file system it is."""
    if mount.kind in FORGETFUL:
        yield fault(about, f"it is memory ({mount.kind})", "all is gone at a restart: use a disk")
    if mount.kind in LAYERED:
        yield fault(
            about,
            f"it is a layer of a container ({mount.kind})",
            "all is gone with the container: mount a volume for the data directory",
        )
    if mount.kind in DISTANT:
        yield fault(
            about,
            f"it is on another machine ({mount.kind})",
            "SQLite's log needs a disk of this machine; put the store into PostgreSQL instead",
        )
    if NO_BARRIERS.search(mount.options):
        yield fault(
            about,
            f"it is mounted with {mount.options}",
            "a loss of power may take what was acknowledged: mount it with barriers",
        )


def judge_syncs(about: str, microseconds: float) -> Iterator[Remark]:
    """What the time of a sync says of the disk."""
    if microseconds < AT_ONCE_US:
        yield fault(
            about,
            f"a sync takes {microseconds:.1f} µs, which is none",
            "something (eatmydata, a memory file system, a virtual disk without write-through)"
            " says done before it is; a loss of power may take what was acknowledged",
        )
    if microseconds > SLOW_MS * 1_000:
        yield advice(
            about,
            f"a sync takes {microseconds / 1_000:.0f} ms, and each message waits for one",
            "use a disk of this machine, or one that is less busy",
        )


def _sync_often(folder: Path) -> float:
    """The median time of a sync, in microseconds. Raises OSError."""
    path, took = folder / f".doctor-{os.getpid()}", []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for _ in range(SYNCS):
            os.write(descriptor, b"\0" * 4_096)
            began = time.perf_counter()
            os.fsync(descriptor)
            took.append((time.perf_counter() - began) * 1e6)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(took)


def mount_of(folder: Path, table: str) -> Mount | None:
    """What `folder` lies on, by a table of mounts (proc(5), mountinfo); None where it does not say."""
    found: Mount | None = None
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        place = left.split(" ")[4].encode().decode("unicode_escape")
        inside = folder.resolve().is_relative_to(place)
        if inside and (found is None or len(place) >= len(found.place)):
            kind, _, options = right.split(" ", 2)
            found = Mount(place, kind, f"{left.split(' ')[5]},{options}")
    return found


def look_at_holder(folder: Path) -> Iterator[Remark]:
    """Whether the server that runs here still has the files that stand here."""
    pid = holder_of(folder)
    if pid is None:
        return
    database = folder / data.DATABASE
    for link in _links(pid):
        if Path(link.removesuffix(" (deleted)")).name == data.DATABASE and link != str(database):
            yield fault(
                f"server (process {pid})",
                f"it holds {folder / data.LOCK} and writes to {link}",
                "the directory was moved or replaced while it ran: what is written now is written"
                " there; stop it, look at both, and start it on the one that is right",
            )
            return


def holder_of(folder: Path) -> int | None:
    """The process that serves this directory; None where there is none to be seen."""
    try:
        pid = int((folder / data.LOCK).read_text() or "0")
        is_server = pid > 0 and any(link.endswith(f"/{data.LOCK}") for link in _links(pid))
    except (OSError, ValueError):
        return None
    return pid if is_server else None


def _links(pid: int) -> list[str]:
    """What a process has open. Raises OSError."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except FileNotFoundError:
            continue
    return found


def look_at_descriptors(limit: int, needed: int, whose: str) -> Iterator[Remark]:
    """How many connections fit."""
    if limit < needed:
        yield advice(
            whose,
            f"it may have {limit:,} files and connections open, and {needed:,} are wanted",
            "raise it: `ulimit -n`, or LimitNOFILE= of the service",
        )


def soft_limit_of(pid: int) -> int | None:
    """How many descriptors a process may have; None where it does not say."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        soft = next(line for line in lines if line.startswith("Max open files")).split()[3]
    except (OSError, StopIteration):
        return None
    return None if soft == "unlimited" else int(soft)
