"""Results as Markdown, each beside what was asked for."""

ASKED = {
    "closed loop, 1 on its way per conversation": "≥ 10,000/s at ≤ 0.10 s; wanted 20,000/s at 0.06 s",
    "open loop, 100/s": "p50 ≤ sync + 2 ms, p99 ≤ sync + 10 ms",
    "open loop, 1,000/s": "p50 ≤ sync + 2 ms, p99 ≤ sync + 10 ms",
    "open loop, 5,000/s": "a goal: as above",
}


def talk_table(rows):
    """One line a run; Balie first, then the others under the same load."""
    head = (
        "| load | who | messages/s | server CPU s per 1,000 | delivery ms p50 / p99 |"
        " one fdatasync ms p50 / p99 | lost, doubled, refused of sent | PSS / RSS MB |"
        " server, driver cores | asked |\n|" + "---|" * 10
    )
    order = {name: place for place, name in reversed(list(enumerate(row["name"] for row in rows)))}
    return "\n".join(
        [head, *(_talk_line(row) for row in sorted(rows, key=lambda r: order[r["name"]]))]
    )


def _talk_line(row):
    delivery, sync = row["delivery_ms"], row.get("fdatasync_ms", {})
    asked = ASKED.get(row["name"], "") if row["who"] == "Balie" else ""
    return (
        f"| {row['name']} | {row['who']} | {row['msgs_s']:,.0f} | {row['cpu_s_per_1000']:.3f} |"
        f" {_pair(delivery)} | {_pair(sync)} |"
        f" {row['lost']}, {row['doubled']}, {row['refused']} of {row['sent']:,} |"
        f" {row['pss_mb']} / {row['rss_mb']} | {row['cores']}, {row['driver_cores']} | {asked} |"
    )


def on_table(rows):
    """The same loads on one process and on several; CPU told apart by what kind of process spent it."""
    kinds = list(dict.fromkeys(kind for row in rows for kind in row["kinds"]))
    head = (
        "| load | on | messages/s | delivery ms p50 / p99 |"
        + "".join(f" {kind}: CPU s per 1,000 |" for kind in kinds)
        + " lost, doubled, refused of sent |\n|"
        + "---|" * (len(kinds) + 5)
    )
    return "\n".join([head, *(_on_line(row, kinds) for row in rows)])


def _on_line(row, kinds):
    spent = "".join(
        f" {row['kinds'][kind]:.3f} |" if kind in row["kinds"] else " |" for kind in kinds
    )
    return (
        f"| {row['name']} | {row['on']} | {row['msgs_s']:,.0f} | {_pair(row['delivery_ms'])} |{spent}"
        f" {row['lost']}, {row['doubled']}, {row['refused']} of {row['sent']:,} |"
    )


def _pair(spread):
    """p50 / p99 in milliseconds; nothing where nothing was measured."""
    if spread.get("p50") is None:
        return ""
    return f"{spread['p50']:.2f} / {spread['p99']:.2f}"


def herd_table(found):
    """The ten thousand."""
    return _pairs(
        [
            ("KiB for each idle connected visitor", found["kib_per_visitor"], "≤ 40"),
            ("visitors connected at once", found["visitors"], "10,000"),
            ("seconds to connect them", found["connect_s"], ""),
            ("after kill -9: seconds until it serves again", found["serving_again_s"], ""),
            ("server CPU s for all to come back, 5 events each", found["server_cpu_s"], "≤ 8"),
            ("wall seconds for that", found["wall_s"], "reported"),
            ("of them had to try again", found["retries"], ""),
        ]
    )


def small_table(found):
    """What is left."""
    asked = {
        "pss_mb": ("MB (PSS) of a demo that just started", "≤ 120"),
        "rss_mb": ("MB (RSS) of the same", "≤ 120"),
        "demo_ready_s": ("seconds until `balie demo` serves, empty folder", ""),
        "cpu_us_per_request": ("CPU µs for each state request of a launcher", "reported"),
        "requests_s": ("state requests a second", "reported"),
        "wheel_kb": ("KB of the wheel", "reported"),
        "packages": ("packages installed for it, itself included", "reported"),
        "cold_s": ("seconds of `make demo`, nothing cached", "≤ 120"),
        "fresh_clone_warm_cache_s": ("seconds of `make demo`, fresh clone, warm caches", "≤ 30"),
        "again_s": ("seconds of `make demo`, the second time", "≤ 30"),
    }
    return _pairs([(asked[key][0], found[key], asked[key][1]) for key in asked if key in found])


def _pairs(lines):
    head = "| what | measured | asked |\n|---|---|---|"
    return "\n".join([head, *(f"| {what} | {value} | {asked} |" for what, value, asked in lines)])
