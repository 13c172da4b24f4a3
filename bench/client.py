"""CPU per call and import time of MilkyWay clients, side by side."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

from bench.processes import free_port, pin, stop, vendor_python
from bench.report import Report, machine, median

HERE = Path(__file__).resolve().parent
SYNC, ASYNC = ("httpx2", "bursar", "vendor"), ("httpx2-async", "bursar-async")
IMPORTS = {
    "httpx2": "import httpx2",
    "httpx2, client made": "import httpx2; httpx2.Client()",
    "bursar.milkyway": "import bursar.milkyway",
    "bursar.milkyway, client made": (
        "from bursar.milkyway import MilkywayOptions as O, MilkywayPaymentsClient as C;"
        "C(O('https://a.example', 'https://a.example/t', 'i', 's'))"
    ),
    "vendor": "import milkyway_payments",
}


class Contestant:
    """A client in its own process."""

    def __init__(self, name: str, python: str, base: str, script: Path = HERE / "contestant.py") -> None:
        self.name = name
        command = [python, str(script), name, base]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin
        assert self.process.stdout
        self.orders, self.answers = self.process.stdin, self.process.stdout
        if self.answers.readline() != "ready\n":
            raise RuntimeError(f"{name} did not start")

    def cpu_us(self, operation: str, count: int) -> float:
        """Return microseconds of CPU per call, over `count` calls."""
        self.orders.write(f"{operation} {count}\n")
        self.orders.flush()
        return float(self.answers.readline()) / count * 1e6

    def close(self) -> None:
        """End it."""
        self.orders.close()
        self.process.wait(10)


@contextlib.contextmanager
def answering() -> Generator[str]:
    """Run the fixed-answer server; gives its base URL."""
    port = free_port()
    command = [sys.executable, str(HERE / "answerer.py"), str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert server.stdout
    server.stdout.readline()
    pin(server.pid, 1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)


def calls(report: Report, rounds: int, count: int) -> None:
    """Measure CPU per call; a round asks every contestant in turn, the figure is the median of the rounds."""
    pythons = {"vendor": vendor_python()}
    with answering() as base, contextlib.ExitStack() as stack:
        field = []
        for name in SYNC + ASYNC:
            if python := pythons.get(name, sys.executable):
                field.append(stack.enter_context(contextlib.closing(Contestant(name, python, base))))
                pin(field[-1].process.pid, 0)
        for operation in ("postcheck", "pay"):
            taken: dict[str, list[float]] = {contestant.name: [] for contestant in field}
            for contestant in field:
                contestant.cpu_us(operation, 50)  # warm: connection, token, codecs
            for _ in range(rounds):
                for contestant in field:
                    taken[contestant.name].append(contestant.cpu_us(operation, count))
            _tabulate(report, operation, {name: median(each) for name, each in taken.items()})
    if pythons["vendor"] is None:
        report.conditions["vendor"] = "not measured: run scripts/test once, which installs it"
    report.conditions["calls"] = (
        f"median of {rounds} interleaved rounds of {count} calls, one keep-alive connection"
    )


def _tabulate(report: Report, operation: str, cpu: dict[str, float]) -> None:
    rows = []
    for name, value in cpu.items():
        raw = cpu["httpx2-async" if name.endswith("-async") else "httpx2"]
        rows.append({"client": name, "CPU per call, us": round(value), "x raw httpx2": f"{value / raw:.2f}"})
    report.tables[f"{operation}: CPU of the client process"] = rows
    ratio = cpu["bursar"] / cpu["httpx2"]
    report.goal(f"{operation} costs {ratio:.2f}x of httpx2 get + json (goal: at most 1.30)", ratio <= 1.3)


def import_times(report: Report, rounds: int) -> None:
    """Measure wall time of fresh interpreters; the figure is the minimum, less that of an empty one."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, code in {"empty": "pass", **IMPORTS}.items():
            if python := vendor_python() if name == "vendor" else sys.executable:
                started = time.perf_counter()
                subprocess.run([python, "-c", code], check=True)
                best[name] = min(best.get(name, 9e9), time.perf_counter() - started)
    net = {name: (value - best["empty"]) * 1000 for name, value in best.items() if name != "empty"}
    report.tables["import time, less an empty interpreter's"] = [
        {"import": name, "ms": f"{value:.1f}"} for name, value in net.items()
    ]
    for suffix in ("", ", client made"):
        over = net[f"bursar.milkyway{suffix}"] - net[f"httpx2{suffix}"]
        report.goal(f"import{suffix}: {over:+.1f} ms against httpx2 (goal: at most +30)", over <= 30)
    report.conditions["imports"] = f"minimum of {rounds} fresh interpreters, bytecode cached"


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report("MilkyWay clients", machine())
    calls(report, chosen.rounds, chosen.count)
    import_times(report, chosen.rounds)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
