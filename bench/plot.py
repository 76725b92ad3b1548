"""The curve of `make bench BENCH="growth"`: `python -m bench.plot bench-results.json docs/operate/growth.svg`.

What an operation costs at each size, beside what it costs at the smallest. Readable on light and dark pages.
"""

import json
import math
import sys
from pathlib import Path

WIDTH, HEIGHT = 760, 312
PANEL, TOP, LEFT, FLOOR = 320, 64, 44, 262
MOST = 1.6
ALLOWED = 1.3
KINDS = {
    "message": ("message", "a message"),
    "opening a conversation": ("opening", "opening a conversation"),
}
OTHERS = ("lists", "each list of the inbox")
STYLE = """
  svg { font: 12px system-ui, sans-serif; }
  text { fill: #3a3f47; } .title { font-weight: 600; font-size: 13px; }
  .grid { stroke: #d9dce1; } .allowed { stroke: #9a4b00; stroke-dasharray: 4 4; } .warn { fill: #9a4b00; }
  polyline { fill: none; stroke-linejoin: round; }
  .lists { stroke: #8b919b; stroke-width: 1.25; } .message { stroke: #0b63ce; stroke-width: 2.5; }
  .opening { stroke: #00796b; stroke-width: 2.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9ced6; } .grid { stroke: #3a4048; } .allowed { stroke: #ffb066; } .warn { fill: #ffb066; }
    .lists { stroke: #7d848f; } .message { stroke: #6fb1ff; } .opening { stroke: #4fd1c0; }
  }
"""


def draw(rows):
    """An SVG of the rows that `bench.growth.run_growth` returns."""
    databases = list(dict.fromkeys(row["database"] for row in rows))
    panels = [
        _panel(name, [row for row in rows if row["database"] == name], LEFT + number * (PANEL + 64))
        for number, name in enumerate(databases)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        "<title>CPU time of an operation as the store grows, beside that of the smallest store</title>\n"
        f"<style>{STYLE}</style>\n{_legend()}\n{''.join(panels)}</svg>\n"
    )


def _legend():
    parts, left = [], LEFT
    for css, label in (*KINDS.values(), OTHERS):
        parts.append(
            f'<polyline class="{css}" points="{left},20 {left + 24},20"/>'
            f'<text x="{left + 30}" y="24">{label}</text>'
        )
        left += 60 + 7 * len(label)
    return "".join(parts)


def _panel(name, rows, left):
    sizes = [row["messages"] for row in rows]

    def x(size):
        share = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
        return round(left + share * PANEL, 1)

    parts = [f'<text class="title" x="{left}" y="{TOP - 14}">{name}</text>']
    for value in (0, 0.5, 1, 1.5):
        parts.append(_line("grid", left, left + PANEL, _y(value)))
        parts.append(f'<text x="{left - 8}" y="{_y(value) + 4}" text-anchor="end">{value:g}</text>')
    parts.append(_line("allowed", left, left + PANEL, _y(ALLOWED)))
    parts.append(f'<text class="warn" x="{left + 4}" y="{_y(ALLOWED) - 5}">{ALLOWED}</text>')
    parts += [
        f'<text x="{x(size)}" y="{FLOOR + 20}" text-anchor="{_anchor(size, sizes)}">{_short(size)}</text>'
        for size in sizes
    ]
    parts.append(f'<text x="{left}" y="{FLOOR + 42}">stored messages</text>')
    # What matters most comes last, and so lies on top.
    names = sorted(rows[0]["cpu_us"], key=lambda each: each in KINDS)
    parts += [_curve(each, rows, x) for each in names]
    return "\n".join(parts) + "\n"


def _anchor(size, sizes):
    """So that nothing sticks out."""
    return "start" if size == sizes[0] else "end" if size == sizes[-1] else "middle"


def _curve(name, rows, x):
    css = KINDS.get(name, OTHERS)[0]
    first = rows[0]["cpu_us"][name]
    points = " ".join(f"{x(row['messages'])},{_y(row['cpu_us'][name] / first)}" for row in rows)
    return f'<polyline class="{css}" points="{points}"><title>{name}</title></polyline>'


def _line(css, left, right, y):
    return f'<line class="{css}" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'


def _y(ratio):
    return round(FLOOR - ratio / MOST * (FLOOR - TOP), 1)


def _short(size):
    return f"{round(size / 1e6, 1):g} million" if size >= 1e6 else f"{round(size, -3):,}"


def main():
    results, place = map(Path, sys.argv[1:])
    place.write_text(draw(json.loads(results.read_text())["growth"]))


if __name__ == "__main__":
    main()
