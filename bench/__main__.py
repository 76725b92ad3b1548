"""`python -m bench`: measures, and prints tables. `--help` lists the parts; results also go to a JSON file."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.growth import growth_table, run_growth
from bench.herd import Herd, measure_idle, measure_return
from bench.peers import run_peers
from bench.server import Server
from bench.small import measure_demo, measure_install, measure_package, measure_state_route
from bench.table import herd_table, on_table, small_table, talk_table
from bench.talk import LOADS, ROUNDS, run_round
from bench.together import ON, run_on

REPOSITORY = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
PARTS = ("talk", "herd", "small", "install", "growth")


def main():
    """Run the parts that were asked for."""
    # Whoever stops us stops the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    chosen = _arguments()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    results = {"about": _about(chosen)}
    if chosen.on:
        results["on"] = run_on(chosen, _say)
        chosen.parts.remove("talk")
    for part in chosen.parts:
        _say(f"{part} …")
        results[part] = RUN[part](chosen)
    if chosen.peers and "talk" in results:
        _say("peers …")
        results["peers"] = _peers(chosen)
    chosen.out.write_text(json.dumps(results, indent=1) + "\n")
    report = _report(results)
    print(report)
    if chosen.write:
        _write(report)
    talks = [*results.get("talk", []), *results.get("on", [])]
    if lost := sum(row["lost"] + row["doubled"] for row in talks):
        sys.exit(f"{lost} messages were lost or doubled")


def _arguments():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="all but install and growth by default"
    )
    parser.add_argument("--seconds", type=float, default=10, help="length of each run")
    parser.add_argument("--rounds", type=int, default=1, help="how often each run is repeated")
    parser.add_argument("--visitors", type=int, default=10_000)
    parser.add_argument("--on", nargs="+", choices=ON, help="of talk: compare these, on all cores")
    parser.add_argument("--sizes", help="of growth: stored messages, with commas between")
    parser.add_argument("--port", type=int, default=8170)
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="measure these beside Balie")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "balie-bench")
    parser.add_argument("--out", type=Path, default=Path("bench-results.json"))
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    # Parts may stand on both sides of an option.
    chosen = parser.parse_intermixed_args()
    chosen.parts = chosen.parts or ["talk", "herd", "small"]
    cores = sorted(os.sched_getaffinity(0))
    chosen.server_core, chosen.driver_core = cores[0], cores[-1]
    return chosen


def _about(chosen):
    commit = subprocess.run(
        ["git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    packages = ("uvicorn", "uvloop", "msgspec", "litestar", "sqlalchemy", "pysqlite3")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit,
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
        "seconds": chosen.seconds,
        "versions": {name: version(name) for name in packages},
    }


def _talk(chosen):
    rows = []
    for each in ROUNDS:
        for _ in range(chosen.rounds):
            row = run_round(
                each,
                folder=chosen.folder,
                port=chosen.port,
                seconds=chosen.seconds,
                server_core=chosen.server_core,
                driver_core=chosen.driver_core,
            )
            _say(f"  {row['name']}: {row['msgs_s']}/s, {row['cpu_s_per_1000']} s per 1,000")
            rows.append({"who": "Balie"} | row)
    return rows


def _peers(chosen):
    rows, missing = run_peers(
        chosen.peers, LOADS, seconds=chosen.seconds, core=chosen.driver_core, say=_say
    )
    return {"rows": rows, "missing": missing}


def _herd(chosen):
    server = Server(chosen.folder / f"herd-{os.getpid()}", chosen.port, chosen.server_core)
    server.found().start()
    target = {
        "port": chosen.port,
        "origin": server.url,
        "site": server.site,
        "visitors": chosen.visitors,
    }
    crowd = subprocess.Popen(
        [
            *("taskset", "--cpu-list", str(chosen.driver_core)),
            *(sys.executable, "-m", "bench.herd", json.dumps(target)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        herd = Herd(crowd)
        return measure_idle(server, herd, chosen.visitors) | measure_return(server, herd)
    finally:
        crowd.kill()
        crowd.communicate()
        server.stop()
        server.remove()


def _small(chosen):
    found = measure_demo(chosen.folder, chosen.port) | measure_package(REPOSITORY)
    server = Server(chosen.folder / f"small-{os.getpid()}", chosen.port, chosen.server_core)
    server.found().start()
    try:
        return found | measure_state_route(server)
    finally:
        server.stop()
        server.remove()


def _install(chosen):
    return measure_install(REPOSITORY, chosen.folder, chosen.port)


def _growth(chosen):
    return run_growth(chosen, _say)


RUN = {
    "talk": _talk,
    "herd": _herd,
    "small": _small,
    "install": _install,
    "growth": _growth,
}


def _report(results):
    """The tables, with what is needed to judge them."""
    about = results["about"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    head = (
        f"{about['date']}, commit {about['commit']}, {about['cores']} cores, load average"
        f" {about['load_before']} before the run, {about['seconds']:g} s a run. Python"
        f" {about['python']}, {versions}."
    )
    parts = [head]
    if "talk" in results:
        peers = results.get("peers", {"rows": [], "missing": []})
        parts.append(talk_table([*results["talk"], *peers["rows"]]))
        parts += [f"Not measured, or not under every load: {each}." for each in peers["missing"]]
    if "on" in results:
        parts.append(on_table(results["on"]))
    if "herd" in results:
        parts.append(herd_table(results["herd"]))
    if "growth" in results:
        parts.append(growth_table(results["growth"]))
    if found := results.get("small", {}) | results.get("install", {}):
        parts.append(small_table(found))
    return "\n\n".join(parts)


def _write(report):
    """Put the report between the marks in README.md."""
    readme = REPOSITORY / "bench" / "README.md"
    head, mark, rest = readme.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    readme.write_text(f"{head}{mark}\n\n{report}\n\n{end}{tail}")


def _say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
