"""Several processes that serve one listening socket: they are forked, kept running, and stopped together."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final, NamedTuple

SHORT_LIFE_S: Final = 2.0
"""A process that gives up sooner will most likely do so again."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log: Final = logging.getLogger(__name__)


class _Started(NamedTuple):
    number: int
    at: float


class Workers:
    """Processes that each run `serve(number, again)`, numbered from 0. SIGTERM stops all.

    One that dies is replaced by one of the same number, with `again` true.
    """

    def __init__(self, count: int, serve: Callable[[int, bool], None]) -> None:
        self._count = count
        self._serve = serve
        self._running: dict[int, _Started] = {}
        """By pid."""
        self._stopping = False
        self._failed = False

    def run(self) -> bool:
        """Run until stopped; false when a process could not even start."""
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            for number in range(self._count):
                self._start(number, again=False)
            while self._running:
                self._ended(*os.wait())
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return not self._failed

    def _start(self, number: int, *, again: bool) -> None:
        pid = os.fork()
        if pid == 0:
            self._live(number, again)
        self._running[pid] = _Started(number, time.monotonic())
        if self._stopping:  # the signal came between the fork and this line
            os.kill(pid, signal.SIGTERM)

    def _live(self, number: int, again: bool) -> None:
        """The life of a child; it never returns."""
        status = 1
        try:
            for name in SIGNALS:
                signal.signal(name, signal.SIG_DFL)
            self._serve(number, again)
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # noqa: BLE001 - nothing of the parent may run in the child
            _log.exception("the worker with pid %d failed", os.getpid())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _ended(self, pid: int, status: int) -> None:
        started = self._running.pop(pid)
        if self._stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        if code > 0 and time.monotonic() - started.at < SHORT_LIFE_S:
            self._failed = True
            self._stop()
            return
        _log.warning("the worker with pid %d ended with %d; starting another", pid, code)
        self._start(started.number, again=True)

    def _stop(self, *signalled: object) -> None:
        self._stopping = True
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
