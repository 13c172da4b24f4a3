"""CPU per call, time to first answers and memory of Formance clients, against one `bursar serve --sandbox`.

The vendor's SDK runs in an environment of its own: BURSAR_VENDOR_PYTHON names its interpreter, which must have
formance-sdk-python. Both clients read whole answers into typed models.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.client import Contestant
from bench.ledger import MANY, Load, generate
from bench.ledger_load import LEDGER, PAGE
from bench.processes import pin, rss_mb, serving, vendor_python
from bench.report import Report, machine, median

OPERATIONS = {"get": "get_transaction", "page": f"a page of {PAGE} transactions"}
FIRST = {
    "the first answer": (["get"], 0.33),
    "the first answers of two services": (["get", "info"], 0.25),
}
"""Which operations are called, and the share of the vendor's time that is the goal."""
SCRIPT = Path(__file__).resolve().parent / "formance_contestant.py"


def calls(report: Report, port: int, pythons: dict[str, str], rounds: int, count: int) -> None:
    """Measure CPU per call; a round asks every client in turn, the figure is the median of the rounds."""
    base = f"http://127.0.0.1:{port}/formance"
    with contextlib.ExitStack() as stack:
        field = [
            stack.enter_context(contextlib.closing(Contestant(name, python, base, SCRIPT)))
            for name, python in pythons.items()
        ]
        for contestant in field:
            pin(contestant.process.pid, 0)
        for operation, title in OPERATIONS.items():
            each = count if operation == "get" else max(count // 10, 1)
            taken: dict[str, list[float]] = {name: [] for name in pythons}
            for contestant in field:
                contestant.cpu_us(operation, max(each // 10, 3))  # warm: connection, models
            for _ in range(rounds):
                for contestant in field:
                    taken[contestant.name].append(contestant.cpu_us(operation, each))
            cpu = {name: median(values) for name, values in taken.items()}
            report.tables[f"{title}: CPU of the client process"] = [
                {"client": name, "CPU per call, us": f"{value:,.0f}"} for name, value in cpu.items()
            ]
            _against_vendor(report, f"{title}: CPU", cpu, 0.25)


def first_answers(report: Report, port: int, pythons: dict[str, str], rounds: int) -> None:
    """Measure from the start of an interpreter to the first answer of each service, less an empty interpreter."""
    base = f"http://127.0.0.1:{port}/formance"
    best: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as bytecode:
        # What pip compiles at an installation: a checkout may have none, and be told to write none.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(rounds + 1):
            for name, python in pythons.items():
                commands = {title: [str(SCRIPT), name, base, *first] for title, (first, _) in FIRST.items()}
                for title, command in {"empty": ["-c", ""], **commands}.items():
                    started = time.perf_counter()
                    subprocess.run([python, *command], check=True, env=environment)
                    taken = time.perf_counter() - started
                    best[name, title] = min(best.get((name, title), 9e9), taken)
    for title, (_, goal) in FIRST.items():
        net = {name: (best[name, title] - best[name, "empty"]) * 1000 for name in pythons}
        report.tables[f"from import to {title}, less an empty interpreter"] = [
            {"client": name, "ms": f"{value:.0f}"} for name, value in net.items()
        ]
        _against_vendor(report, f"{title}: time", net, goal)


def memory(report: Report, port: int, pythons: dict[str, str]) -> None:
    """Measure resident memory after one call of each of two services, whole and less an empty interpreter."""
    base = f"http://127.0.0.1:{port}/formance"
    whole: dict[str, float] = {}
    for name, python in pythons.items():
        with contextlib.closing(Contestant(name, python, base, SCRIPT)) as contestant:
            for operation in ("get", "info"):
                contestant.cpu_us(operation, 1)
            whole[name] = rss_mb(contestant.process.pid)
    net = {name: whole[name] - _empty_mb(python) for name, python in pythons.items()}
    report.tables["resident memory after one call of each of two services"] = [
        {"client": name, "MB": f"{whole[name]:.1f}", "less an empty interpreter": f"{net[name]:.1f}"}
        for name in pythons
    ]
    _against_vendor(report, "memory, whole process", whole, 0.5)
    _against_vendor(report, "memory, less an empty interpreter", net, 0.5)


def _empty_mb(python: str) -> float:
    command = [python, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        taken = rss_mb(process.pid)
        process.communicate(b"\n")
        return taken


def _against_vendor(report: Report, title: str, figures: dict[str, float], goal: float) -> None:
    if "vendor" in figures:
        share = figures["bursar"] / figures["vendor"]
        report.goal(f"{title}: {share:.2f} of the vendor's (goal: at most {goal:.2f})", share <= goal)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=200, help="calls of a round; a tenth as many pages")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report("Formance clients", machine())
    pythons = {"bursar": sys.executable}
    if python := vendor_python():
        pythons["vendor"] = python
    else:
        report.conditions["vendor"] = "not measured: set BURSAR_VENDOR_PYTHON"
    with serving("sqlite://") as (process, port):
        pin(process.pid, 1)
        urllib.request.urlopen(f"http://127.0.0.1:{port}{LEDGER}", b"{}", timeout=10).close()
        generate(port, Load("fill", "create", 8, MANY), 0.5)
        calls(report, port, pythons, chosen.rounds, chosen.count)
        first_answers(report, port, pythons, chosen.rounds)
        memory(report, port, pythons)
    report.conditions |= {
        "calls": f"median of {chosen.rounds} interleaved rounds of {chosen.count} calls (pages: a tenth), synchronous, "
        "one keep-alive connection, typed models",
        "server": "bursar serve --sandbox in memory, on the other core; open, so no token is fetched",
        "imports": f"minimum of {chosen.rounds} fresh interpreters, bytecode cached",
    }
    report.show(chosen.json)


if __name__ == "__main__":
    main()
