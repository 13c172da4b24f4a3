"""Histories under concurrency: many submit at once, then the oracle repeats it all in the order of the log.

Of each operation its begin, its answer and its end are recorded. It is right when there is one order of all operations
in which the oracle gives every answer, and in which what ended before another began comes earlier. The log is the
order of those that wrote. The others (reads, refusals, dry runs, replays) go to the first place between two writes at
which the oracle answers the same. Those that used up ids without writing fill the gaps between ids.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any

from bursar.contract import Response
from tests.model.operations import LONG_KEY, Bulk, Create, Generator, Known, Operation, Revert, Write
from tests.model.oracle import Oracle, log_json
from tests.model.systems import System, difference

NEVER = 2**62
SEARCHES = 200
"""Orders that are tried before a history counts as wrong."""


@dataclass(eq=False)
class Call:
    """An operation and what came of it; begin and end are places in the order of all begins and ends."""

    operation: Operation
    began: int
    ended: int = NEVER
    answer: Response = field(default_factory=lambda: Response(0))
    first: int = 0
    """The number of writes that were over before this began."""
    last: int = NEVER
    """The number of writes that had begun when this was over."""
    log: int = 0
    """Id of its last log, if it wrote."""

    def differs(self, oracle: Oracle) -> str:
        """How answer and log differ from what the oracle says now; it does the operation."""
        wrong = difference(oracle.do(self.operation), self.answer)
        if self.log and not wrong and oracle.head["log"] != self.log:
            return f"log {oracle.head['log']} expected, not {self.log}"
        return wrong


class Wrong(AssertionError):
    """There is no order in which the oracle gives these answers."""


async def record(systems: list[System], ledger: str, submitters: int, each: int, seed: str) -> list[Call]:
    """Let many submit at once to one ledger, through whichever systems serve it. Their clocks stand still."""
    ticks, keys, now = count(), count(), systems[0].now()
    assert all(system.now() == now for system in systems)
    calls: list[Call] = []

    async def submitter(number: int) -> None:
        generator = Generator(Random(f"{seed}/{number}"))
        for _ in range(each):
            known = Known(now, len(calls) // 3, tuple(range(now, now + len(calls) + 1, 3)))
            operation = traceable(generator.operation(known), lambda: f"own-{next(keys)}")
            if operation is not None:
                call = Call(operation, next(ticks))
                calls.append(call)
                call.answer = await systems[number % len(systems)].do(ledger, operation)
                call.ended = next(ticks)

    await asyncio.gather(*(submitter(number) for number in range(submitters)))
    return calls


def traceable(operation: Operation, own_key: Callable[[], str]) -> Operation | None:
    """The operation so that its log can be told from all others, or None when it leaves ids without a trace."""
    match operation:
        case Write(key=key) if key == LONG_KEY:
            return None
        case Write() | Bulk() if "\\x00" in repr(operation):
            return None
        case Write(dry_run=True) if not isinstance(operation.request, Create | Revert):
            return None
        case Write(key=""):
            return operation if operation.dry_run else replace(operation, key=own_key())
        case Bulk():
            return replace(operation, elements=tuple(_plain(each) for each in operation.elements))
        case _:
            return operation


def _plain(write: Write) -> Write:
    """An element without key and reference: a bulk that uses up ids tells them, or uses up none."""
    request = write.request
    if isinstance(request, Create):
        body = {name: value for name, value in request.body.items() if name != "reference"}
        request = replace(request, body=body)
    return Write(request)


def check(calls: list[Call], logs: list[dict[str, Any]], now: int) -> Oracle:
    """Find the order. Raises Wrong."""
    writers = _in_order_of(logs, calls)
    _check_time(writers)
    writing = set(writers)
    others = sorted((call for call in calls if call not in writing), key=lambda call: call.began)
    for call in others:
        call.first = max((at + 1 for at, each in enumerate(writers) if each.ended < call.began), default=0)
        call.last = min(
            (at for at, each in enumerate(writers) if each.began > call.ended), default=len(writers)
        )
    replay = _search(writers, others, now)
    found = [log_json(log) for log in replay.oracle.logs.values()]
    if found != logs:
        raise Wrong(
            f"the logs differ: {next(pair for pair in zip(found, logs, strict=False) if pair[0] != pair[1])}"
        )
    return replay.oracle


def _search(writers: list[Call], others: list[Call], now: int) -> _Replay:
    """Place the most urgent first; where that ends nowhere, begin again and choose by chance."""
    first: Wrong | None = None
    for attempt in range(SEARCHES):
        replay = _Replay(Oracle(now), [*others], Random(attempt) if attempt else None)
        try:
            for place, writer in enumerate(writers):
                replay.fill(place, writer)
            replay.fill(len(writers), None)
        except Wrong as wrong:
            first = first or wrong
        else:
            return replay
    assert first is not None
    raise first


def _in_order_of(logs: list[dict[str, Any]], calls: list[Call]) -> list[Call]:
    """Those that wrote, in the order of their logs."""
    by_key: dict[str, Call] = {}
    by_log: dict[int, Call] = {}
    for call in calls:
        operation, answer = call.operation, call.answer
        if isinstance(operation, Bulk) and "data" in (body := json.loads(answer.body)):
            by_log |= {result["logID"]: call for result in body["data"] if result["logID"]}
        elif isinstance(operation, Write) and _has_written(operation, answer):
            if operation.key in by_key:
                raise Wrong(f"two writes with the key {operation.key}: {call}, {by_key[operation.key]}")
            by_key[operation.key] = call
    order: dict[Call, None] = {}
    for log in logs:
        key = log["idempotencyKey"]
        writer = by_key.pop(key, None) if key else by_log.get(log["id"])
        if writer is None:
            raise Wrong(f"nobody was told of {log}")
        order[writer] = None
        writer.log = log["id"]
    if by_key:
        raise Wrong(f"not in the log: {list(by_key.values())[:3]}")
    return list(order)


def _has_written(write: Write, answer: Response) -> bool:
    return answer.is_success and not write.dry_run and answer.headers.get("idempotency-hit") is None


def _check_time(writers: list[Call]) -> None:
    latest = -1
    for call in writers:
        if call.ended < latest:
            raise Wrong(f"in the log after one that began when this had ended: {call}")
        latest = max(latest, call.began)


class _Replay:
    """The oracle, and the operations that wrote nothing and have no place yet."""

    def __init__(self, oracle: Oracle, waiting: list[Call], chance: Random | None) -> None:
        self.oracle = oracle
        self.waiting = waiting
        self._chance = chance

    def fill(self, place: int, writer: Call | None) -> None:
        """Give places before this write to all that belong there, then do the write; None at the end."""
        while True:
            if self._take_ids(place, told=True):
                continue
            self._answer(place)
            due = next((call for call in self.waiting if call.last == place), None)
            wrong = "it is waiting" if writer is None else self._tried(writer, keep=due is None)[0]
            if due is None and (not wrong or not self.waiting):
                break
            if not self._take_ids(place, told=False):
                raise Wrong(
                    f"no place for {due}, at the last: {due and self._tried(due)[0]}; {writer}: {wrong}"
                )
        if wrong and writer is not None:
            raise Wrong(f"{writer}: {wrong}")
        if writer is None and self.waiting:
            raise Wrong(f"no place for {self.waiting[0]}")

    def _answer(self, place: int) -> None:
        """Those that use up nothing, each after those that ended before it began."""
        left: list[Call] = []
        for call in self.waiting:
            after = any(other.ended < call.began for other in left if not _takes(other))
            wrong, taken = ("early", False) if after or call.first > place else self._tried(call)
            if wrong or taken:
                left.append(call)
        self.waiting = left

    def _take_ids(self, place: int, *, told: bool) -> bool:
        """Place one that uses up ids: one that was told which, or the most urgent of the others."""
        able = [call for call in self.waiting if call.first <= place and _is_told(call) == told]
        able.sort(key=lambda call: call.last)
        if self._chance and not told:
            self._chance.shuffle(able)
        for call in able:
            wrong, taken = self._tried(call, keep=True)
            if not wrong and taken:
                self.waiting.remove(call)
                return True
            self.oracle.back()
        return False

    def _tried(self, call: Call, *, keep: bool = False) -> tuple[str, bool]:
        """How the answer differs here, and whether ids are used up; taken back unless it fits and is to be kept."""
        before = dict(self.oracle.head)
        wrong = call.differs(self.oracle)
        taken = self.oracle.head != before
        if wrong or not keep:
            self.oracle.back()
        return wrong, taken


def _is_told(call: Call) -> bool:
    """Whether the answer names ids."""
    operation = call.operation
    if isinstance(operation, Bulk):
        return re.search(rb'"logID":[1-9]', call.answer.body) is not None
    return isinstance(operation, Write) and operation.dry_run and call.answer.is_success


def _takes(call: Call) -> bool:
    """Whether it may have used up ids, which no other answer shows: it commutes with those that show no ids."""
    return _is_told(call) or call.answer.status == 409 or isinstance(call.operation, Bulk)
