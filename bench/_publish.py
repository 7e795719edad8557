"""Table and plot of a run of the scoreboard: `seawall bench robustness --json > rows && python -m bench._publish rows`.

Writes docs/robustness.svg, and in docs/robustness.md what stands between its two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bench import _pictures

if TYPE_CHECKING:
    from bench.hash import Row

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- written by bench/_publish.py -->", "<!-- up to here -->"
FOUND = "found: "

LINE, LEFT, RIGHT, TOP = 22, 300, 40, 64  # pixels
WIDTH = 900
OURS, PLAIN, TARGET, INK = "#1f5fa8", "#9a9a9a", "#c27a00", "#222222"


def publish(rows: list[Row]) -> None:
    """Write both files."""
    (DOCS / "robustness.svg").write_text(plot([row for row in rows if row["what"].startswith(FOUND)]))
    page = DOCS / "robustness.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{tables(rows)}\n{END}{after}")


def tables(rows: list[Row]) -> str:
    """What was found, everything else, and the sources, in Markdown."""
    found = [row for row in rows if row["what"].startswith(FOUND)]
    others = [row for row in rows if not row["what"].startswith(FOUND)]
    return "\n".join(
        [
            "| attack | uploads | plain PDQ | alone | with windows | 95 % interval | as at 100,000 | target | |",
            "|---|---|---|---|---|---|---|---|---|",
            *(
                f"| {row['what'].removeprefix(FOUND)} | {row.get('uploads', '')} | {row['peer']:.1f} % "
                f"| {row['alone']:.1f} % "
                f"| **{row['ours']:.1f} %** | {_interval(row)} | {row['large']:.1f} % "
                f"| {row['target']} | {_met(row)} |"
                for row in found
            ),
            "",
            "| what | plain PDQ | Seawall | target | |",
            "|---|---|---|---|---|",
            *(
                f"| {row['what']} | {'' if row['peer'] is None else format(row['peer'], 'g')} "
                f"| {_number(row)} | {row['target']} | {_met(row)} |"
                for row in others
            ),
            "",
        ]
    )


def sources() -> str:
    """The packages the pictures are from, with their licences, in Markdown."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for kind in (_pictures.PHOTOGRAPH, _pictures.ALIKE, _pictures.DRAWN, _pictures.SKY):
        for picture in _pictures.pictures(kind):
            row = counts.setdefault((picture.package, picture.licence), {})
            row[kind] = row.get(kind, 0) + 1
    lines = ["| package | pictures | licence, as the package states it |", "|---|---|---|"]
    for (package, licence), kinds in sorted(counts.items()):
        shown = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        lines.append(f"| {package} | {shown} | {licence} |")
    return "\n".join(lines)


def plot(rows: list[Row]) -> str:
    """A line a row: plain PDQ, ours with its interval, and the target."""
    height = TOP + LINE * len(rows) + 30
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            f'font-size="13" fill="{INK}" role="img" aria-labelledby="title">'
        ),
        "<title id='title'>Share of altered pictures that are found, by attack: plain PDQ and Seawall</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<circle cx="{LEFT}" cy="20" r="5" fill="{OURS}"/><text x="{LEFT + 12}" y="24">Seawall, 95 % interval</text>',
        f'<circle cx="{LEFT + 190}" cy="20" r="5" fill="{PLAIN}"/><text x="{LEFT + 202}" y="24">plain PDQ</text>',
        (
            f'<path d="M{LEFT + 310} 13v14" stroke="{TARGET}" stroke-width="2"/>'
            f'<text x="{LEFT + 320}" y="24">target</text>'
        ),
    ]
    for share in range(0, 101, 20):
        parts.append(f'<path d="M{_x(share)} {TOP - 12}V{height - 24}" stroke="#dddddd"/>')
        parts.append(f'<text x="{_x(share)}" y="{TOP - 18}" text-anchor="middle">{share} %</text>')
    for number, row in enumerate(rows):
        y = TOP + LINE * number + 4
        name = escape(row["what"].removeprefix(FOUND))
        parts.append(f'<text x="{LEFT - 14}" y="{y + 4}" text-anchor="end">{name}</text>')
        parts.append(f'<path d="M{_x(row["peer"])} {y}H{_x(row["ours"])}" stroke="#cfd8e3" stroke-width="2"/>')
        if "low" in row:
            parts.append(f'<path d="M{_x(row["low"])} {y}H{_x(row["high"])}" stroke="{OURS}" stroke-width="3"/>')
        if row["target"] != "none":
            bound = float(row["target"].split()[1])
            parts.append(f'<path d="M{_x(bound)} {y - 7}v14" stroke="{TARGET}" stroke-width="2"/>')
        parts.append(f'<circle cx="{_x(row["peer"])}" cy="{y}" r="5" fill="{PLAIN}"/>')
        parts.append(f'<circle cx="{_x(row["ours"])}" cy="{y}" r="5" fill="{OURS}"/>')
    return "\n".join([*parts, "</svg>", ""])


def _x(share: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share / 100, 1)


def _interval(row: Row) -> str:
    return f"{row['low']:.1f}-{row['high']:.1f}" if "low" in row else ""


def _met(row: Row) -> str:
    return "" if row["target"] == "none" else "met" if row["met"] else "**missed**"


def _number(row: Row) -> str:
    slowest = f" (slowest {row['slowest']:.0f})" if "slowest" in row else ""
    return f"**{row['ours']:.4g} {row['unit']}**".replace(" **", "**") + slowest


if __name__ == "__main__":
    publish([json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()])
    print(sources())
