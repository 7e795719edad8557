"""Table of a run of `seawall bench video`: `seawall bench video --json > rows && python -m bench._publish_videos rows`.

Writes what stands in docs/videos.md between its two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench._publish import BEGIN, DOCS, END, FOUND

if TYPE_CHECKING:
    from bench.hash import Row

MARK = BEGIN.replace("_publish", "_publish_videos")


def publish(rows: list[Row]) -> None:
    """Write the table."""
    page = DOCS / "videos.md"
    before, _, rest = page.read_text().partition(MARK)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{MARK}\n\n{tables(rows)}\n{END}{after}")


def tables(rows: list[Row]) -> str:
    """What was found, and everything else, in Markdown."""
    found = [row for row in rows if row["what"].startswith(FOUND)]
    others = [row for row in rows if not row["what"].startswith(FOUND)]
    return "\n".join(
        [
            "| copy | uploads | by MD5 | published vPDQ | Seawall | target | |",
            "|---|---|---|---|---|---|---|",
            *(
                f"| {row['what'].removeprefix(FOUND)} | {row['uploads']} | {row['md5']:g} % | {_share(row['peer'])} "
                f"| **{row['ours']:.1f} %** | {row['target']} | {_met(row)} |"
                for row in found
            ),
            "",
            "| what | peer | Seawall | ratio | target | |",
            "|---|---|---|---|---|---|",
            *(
                f"| {row['what']} | {_peer(row)} | **{_amount(row['ours'], row['unit'])}** "
                f"| {'' if row['ratio'] is None else format(row['ratio'], '.2f')} | {row['target']} | {_met(row)} |"
                for row in others
            ),
            "",
        ]
    )


def _share(peer: float | None) -> str:
    return "" if peer is None else f"{peer:.1f} %"


def _peer(row: Row) -> str:
    return "" if row["peer"] is None else f"{_amount(row['peer'], row['unit'])} ({row['peer_name']})"


def _amount(number: float, unit: str) -> str:
    return f"{number:,.0f} {unit}".strip() if number >= 100 else f"{number:.3g} {unit}".strip()


def _met(row: Row) -> str:
    return "" if row["target"] == "none" else "met" if row["met"] else "**missed**"


if __name__ == "__main__":
    publish([json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()])
