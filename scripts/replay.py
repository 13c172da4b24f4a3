"""Play recorded answers of the real services against Bursar, and compare the differences with docs/fidelity.md.

Prints a table, one row for each recording. Exits with 1 when a scenario differs that the page does not list, or agrees
although the page lists it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import shlex
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bursar.server.listener import HttpServer, address, listen
from bursar.server.runtime import Runtime, Settings
from bursar.testing import postgres

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("BURSAR_SHARED") or ROOT.parent / "shared")
PAGE = ROOT / "docs" / "fidelity.md"
STARTS = ("ledger_", "auth_")
LEFT_OUT = {
    "ledger_v2_auth": "needs an issuer of its own, and keys that are not recorded",
}
_LISTED = re.compile(r"^\| `([\w/.-]+)` \|", re.MULTILINE)


@dataclass
class Result:
    """What became of one recording; `differences` says where each scenario left it."""

    name: str
    agreed: list[str] = field(default_factory=list)
    differences: dict[str, str] = field(default_factory=dict)


def recordings() -> list[Path]:
    """The recordings that are played."""
    found = sorted((SHARED / "transcripts").glob("*.jsonl"))
    return [path for path in found if path.stem.startswith(STARTS) and path.stem not in LEFT_OUT]


def listed() -> frozenset[str]:
    """The scenarios whose differences the page explains."""
    return frozenset(_LISTED.findall(PAGE.read_text("utf-8")))


class Stage(NamedTuple):
    """What a scenario is played on: how many servers take its requests in turn, on which database."""

    servers: int = 1
    database: Callable[[], str] = lambda: "sqlite://"


ONE = Stage()
STACK = "/formance/api"


def play(path: Path, stage: Stage = ONE) -> Result:
    """Play one recording; scenarios that need an empty server or flags get servers of their own."""
    tool, result = _tool(), Result(path.stem)
    # The auth recordings use static clients, which only a sandbox has; its rail has a ledger from the start.
    sandbox = path.stem.startswith("auth_")
    with path.open(encoding="utf-8") as lines, staged(stage, sandbox=sandbox) as shared:
        for line in lines:
            scenario = json.loads(line)
            if scenario.get("fresh") or scenario.get("flags"):
                flags = shlex.join(scenario.get("flags", []))
                with staged(stage, flags, sandbox=sandbox) as roots:
                    difference = _difference(tool, scenario, roots)
            else:
                difference = _difference(tool, scenario, shared)
            if difference is None:
                result.agreed.append(scenario["id"])
            else:
                result.differences[scenario["id"]] = difference
    return result


@contextlib.contextmanager
def staged(stage: Stage, ledger_flags: str = "", *, sandbox: bool) -> Generator[list[str], None, None]:
    """Servers on one database until the end of the block; yields the URLs of their stacks' APIs."""
    database = stage.database()
    with contextlib.ExitStack() as stack:
        roots: list[str] = []
        for _ in range(stage.servers):
            opened = served(database, ledger_flags, roots[0] if roots else "", sandbox=sandbox)
            roots.append(stack.enter_context(opened))
        yield roots


@contextlib.contextmanager
def served(
    database: str, ledger_flags: str, known_as: str = "", *, sandbox: bool
) -> Generator[str, None, None]:
    """A server of its own, on a free port, until the end of the block; yields the URL of the stack's API."""
    listener = listen("127.0.0.1", 0)
    url = address(listener)
    public_url = known_as.removesuffix(STACK) or url
    settings = Settings(database, public_url, sandbox=sandbox, ledger_flags=ledger_flags)
    ready = threading.Event()
    stop: list[Any] = []

    async def serve() -> None:
        runtime = await Runtime.open(settings)
        try:
            server = HttpServer(runtime.app, ready.set)
            stop.extend((asyncio.get_running_loop(), server.stop))
            await server.serve(sockets=[listener])
        finally:
            ready.set()
            await runtime.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="replayed")
    thread.start()
    ready.wait()
    try:
        yield url + STACK
    finally:
        if stop:
            stop[0].call_soon_threadsafe(stop[1])
        thread.join()
        listener.close()


def _difference(tool: ModuleType, scenario: dict[str, Any], roots: Sequence[str]) -> str | None:
    """Where the scenario leaves its recording; None if it does not."""
    run = tool.Run(roots[0], scenario["service"])
    try:
        for number, step in enumerate(scenario["steps"], 1):
            run.root = roots[number % len(roots)]
            try:
                run.step(step)
            except (tool.Differs, OSError, HTTPException) as error:
                request = step.get("request", {"method": "", "path": ""})
                return f"step {number} {request['method']} {request['path']}: {error}"
        return None
    finally:
        for receiver in run.receivers.values():
            receiver.close()


def _tool() -> ModuleType:
    """The recordings' own player."""
    spec = importlib.util.spec_from_file_location("replay_tool", SHARED / "tools" / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(arguments: Sequence[str]) -> int:
    """Play what is selected, all by default; `--postgres` on PostgreSQL, `--two` on two servers of one database."""
    selected = [word for word in arguments if not word.startswith("--")]
    if "--postgres" not in arguments:
        return play_all(selected, Stage())
    with postgres.server() as running:
        return play_all(selected, Stage(2 if "--two" in arguments else 1, running.database))


def play_all(selected: Sequence[str], stage: Stage) -> int:
    """Play what is selected and print a table."""
    paths = [path for path in recordings() if not selected or any(part in path.stem for part in selected)]
    if not paths:
        print(f"no recordings in {SHARED} (BURSAR_SHARED names the directory)")
        return 1
    known = listed()
    wrong: list[str] = []
    print(f"{'recording':34} {'agree':>6} {'differ':>6} {'total':>6}")
    for path in paths:
        result = play(path, stage)
        total = len(result.agreed) + len(result.differences)
        print(f"{result.name:34} {len(result.agreed):6} {len(result.differences):6} {total:6}", flush=True)
        wrong += complaints(result, known)
    for complaint in wrong:
        print(complaint)
    return 1 if wrong else 0


def complaints(result: Result, known: frozenset[str]) -> list[str]:
    """What is not as the page says."""
    differing = [
        f"{name} differs: {text[:500]}" for name, text in result.differences.items() if name not in known
    ]
    return differing + [
        f"{name} agrees, but docs/fidelity.md lists it" for name in result.agreed if name in known
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
