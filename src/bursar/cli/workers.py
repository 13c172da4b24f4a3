"""Several processes that serve one listening socket: they are forked, kept running, and stopped together."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final

SHORT_LIFE_S: Final = 2.0
"""A process that gives up sooner will most likely do so again."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Workers:
    """Processes that each run `serve(number)`, numbered from 0. One that dies is replaced; SIGTERM stops all."""

    def __init__(self, count: int, serve: Callable[[int], None]) -> None:
        self._count = count
        self._serve = serve
        self._begun = 0
        self._running: dict[int, float] = {}
        self._stopping = False
        self._failed = False

    def run(self) -> bool:
        """Run until stopped; false when a process could not even start."""
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            for _ in range(self._count):
                self._start()
            while self._running:
                self._ended(*os.wait())
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return not self._failed

    def _start(self) -> None:
        number, self._begun = self._begun, self._begun + 1
        pid = os.fork()
        if pid == 0:
            self._live(number)
        self._running[pid] = time.monotonic()
        if self._stopping:  # the signal came between the fork and this line
            os.kill(pid, signal.SIGTERM)

    def _live(self, number: int) -> None:
        """The life of a child; it never returns."""
        status = 1
        try:
            for name in SIGNALS:
                signal.signal(name, signal.SIG_DFL)
            self._serve(number)
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # noqa: BLE001 - nothing of the parent may run in the child
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _ended(self, pid: int, status: int) -> None:
        started = self._running.pop(pid)
        if self._stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        if code > 0 and time.monotonic() - started < SHORT_LIFE_S:
            self._failed = True
            self._stop()
            return
        print(f"the worker with pid {pid} ended with {code}; starting another", file=sys.stderr, flush=True)
        self._start()

    def _stop(self, *signalled: object) -> None:
        self._stopping = True
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
