"""How results are shown: a table for people or JSON for programs, always with the conditions."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Report:
    """Named tables of rows, the conditions they hold under, and goals reached or missed."""

    title: str
    conditions: dict[str, object] = field(default_factory=dict)
    tables: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)
    goals: list[tuple[str, bool]] = field(default_factory=list)

    def goal(self, text: str, reached: bool) -> None:
        """Note a goal, with the figure reached in its text."""
        self.goals.append((text, reached))

    def show(self, as_json: bool) -> None:
        """Print everything to standard output."""
        if as_json:
            parts = {"title": self.title, "conditions": self.conditions, "tables": self.tables}
            goals = [{"goal": text, "reached": reached} for text, reached in self.goals]
            print(json.dumps({**parts, "goals": goals}, indent=2, default=str))
        else:
            self._print()

    def _print(self) -> None:
        from rich.console import Console
        from rich.table import Table

        console = Console(width=None if sys.stdout.isatty() else 120, emoji=False)
        console.print(f"[bold]{self.title}[/bold]")
        for name, rows in self.tables.items():
            table = Table(title=name, title_justify="left")
            for number, column in enumerate(rows[0]):
                table.add_column(column, justify="left" if number == 0 else "right")
            for row in rows:
                table.add_row(*(str(value) for value in row.values()))
            console.print(table)
        for key, value in self.conditions.items():
            console.print(f"[dim]{key}:[/dim] {value}", highlight=False)
        for text, reached in self.goals:
            console.print(
                f"{'[green]reached[/green]' if reached else '[red]missed[/red] '} {text}", highlight=False
            )


def machine() -> dict[str, object]:
    """Describe what the figures were measured on."""
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "fdatasync": f"{fdatasync_ms():.2f} ms (median, appending 4 KiB, in the directory of the databases)",
    }


def fdatasync_ms(times: int = 40) -> float:
    """Return the median time in ms of making an append durable: the floor of an unbatched commit."""
    sync = getattr(os, "fdatasync", os.fsync)
    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
        handle = os.open(Path(place) / "probe", os.O_CREAT | os.O_WRONLY)
        for _ in range(times):
            started = time.perf_counter()
            os.write(handle, bytes(4096))
            sync(handle)
            taken.append(time.perf_counter() - started)
        os.close(handle)
    return median(taken) * 1000


def median(values: Sequence[float]) -> float:
    """Return the middle value (the upper of two)."""
    return sorted(values)[len(values) // 2]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
