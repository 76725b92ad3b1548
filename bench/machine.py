"""What processes use, as the kernel counts it; and what one sync to disk costs here."""

import os
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = 4_096
PROBE_EVERY = 0.02


def family(roots):
    """The processes `roots` and all that descend from them."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(entry.name)):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.append(pid)
            waiting += children.get(pid, [])
    return found


def cpu_seconds(roots):
    """User and system time that the processes have used so far; ticks of 10 ms."""
    total = 0
    for pid in family(roots):
        if fields := _stat(pid):
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def _stat(pid):
    """The fields of /proc/PID/stat from `state` on; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def memory_mb(roots):
    """(RSS, PSS) of the processes in MB of 1,048,576 bytes."""
    sums = {"Rss:": 0, "Pss:": 0}
    for pid in family(roots):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, rest = line.partition(" ")
            if name in sums:
                sums[name] += int(rest.split()[0])
    return round(sums["Rss:"] / 1024, 1), round(sums["Pss:"] / 1024, 1)


def percentile_ms(sorted_seconds, share):
    """A percentile in milliseconds; None of nothing."""
    if not sorted_seconds:
        return None
    place = min(len(sorted_seconds) - 1, int(len(sorted_seconds) * share))
    return round(sorted_seconds[place] * 1e3, 3)


class SyncProbe:
    """Times a single fdatasync of one page, every 20 ms, beside whatever else runs on that disk."""

    def __init__(self, folder):
        self._path = Path(folder) / "sync-probe"
        self._seconds = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._path.unlink()

    def _run(self):
        page = os.urandom(PAGE)
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, page * 64)
        os.fsync(descriptor)
        place = 0
        while not self._over.wait(PROBE_EVERY):
            place = (place + 1) % 64
            os.pwrite(descriptor, page, place * PAGE)
            start = time.perf_counter()
            os.fdatasync(descriptor)
            self._seconds.append(time.perf_counter() - start)
        os.close(descriptor)

    def figures(self):
        """p50 and p99 in milliseconds."""
        ordered = sorted(self._seconds)
        return {"p50": percentile_ms(ordered, 0.5), "p99": percentile_ms(ordered, 0.99)}
