"""Idempotency: the first call with a key acts and its answer is stored in the same commit; later ones get that answer.

Keys are per merchant and kept for `KEPT` (PS97 to PS99). Only what succeeded is stored: after a refusal nothing has
changed, and the same key may be used again. Commands run one after another, so no key is ever seen "in flight".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec

from bursar.engine.core import Core
from bursar.engine.errors import InvalidInput
from bursar.engine.idempotency import fingerprint, parse_key
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Code, InvalidRequest, Issue, Kind, Refusal, bad_request
from bursar.engine.piaxis.submit import Reads, submit
from bursar.engine.piaxis.tables import KEYS, KeyRow
from bursar.engine.view import ReadView, View
from bursar.engine.work import Claimed, Work

T = TypeVar("T")

DAY: Final = 24 * 3600 * 1_000_000
KEPT: Final = 2 * DAY
"""How long a key is remembered, in microseconds."""
PURGE: Final = "piaxis.keys"
"""Kind of the work item that forgets the keys of one day; its key is the day's number since the epoch."""

_FORGOTTEN_AT_ONCE: Final = 500
_encode: Final = msgspec.json.Encoder().encode


class Done(msgspec.Struct, Generic[T], frozen=True):
    """An answer, and whether it is that of an earlier call."""

    answer: T
    replayed: bool = False


def chosen_key(piaxis: str | None, ietf: str | None) -> str | None:
    """Return the key of a request: `X-Idempotency-Key`, or its alias `Idempotency-Key` (E13).

    Raises `Refusal` when both are given and differ, or when the key is none.
    """
    given = [key for key in (piaxis, ietf) if key is not None]
    try:
        keys = {parse_key(key) for key in given}
    except InvalidInput as error:
        raise bad_request("IDEMPOTENCY_KEY_INVALID", error.message) from None
    if len(keys) > 1:
        raise bad_request("IDEMPOTENCY_KEY_INVALID", "X-Idempotency-Key and Idempotency-Key differ: send one")
    return next(iter(keys), None)


def once(
    view: View,
    caller: Caller,
    route: str,
    key: str | None,
    print_: bytes,
    act: Callable[[], T],
    kind: type[T],
) -> Done[T]:
    """Act, or return the answer of the call that used this key before.

    Raises `Refusal` when the key came with another route or body (422, PS98), and whatever `act` raises.
    """
    if key is None:
        return Done(act())
    known = view.get(KEYS, caller.merchant, key)
    if known is not None and view.now < known.created_at + KEPT:
        if (known.route, known.fingerprint) != (route, print_):
            raise _mismatch(known)
        return Done(msgspec.json.decode(known.answer, type=kind), replayed=True)
    answer = act()
    view.put(KEYS, KeyRow(caller.merchant, key, route, print_, _encode(answer).decode(), view.now))
    day = view.now // DAY
    view.schedule(Work(PURGE, str(day), (day + 1) * DAY + KEPT))
    return Done(answer)


async def keyed(
    core: Core,
    caller: Caller,
    route: str,
    key: str | None,
    asked: Any,
    act: Callable[[View], T],
    kind: type[T],
    *,
    reads: Reads = (),
) -> T:
    """Run a command at most once for a key; `asked` is what the request means: its path parameters and body.

    The caller's `replay` learns whether the answer is an old one.
    """
    key = chosen_key(key, None)
    if key is None:
        return await submit(core, act, reads=reads)
    try:
        print_ = fingerprint(asked)
    except InvalidInput as error:
        raise InvalidRequest([Issue(("body",), error.message)]) from None
    done = await submit(
        core,
        lambda view: once(view, caller, route, key, print_, partial(act, view), kind),
        reads=[(KEYS, (caller.merchant, key)), *reads],
    )
    caller.replay.replayed = done.replayed
    return done.answer


async def purge(core: Core, claimed: Claimed) -> None:
    """Forget the keys of one day, when the last of them has been kept long enough."""
    while rows := await core.read(lambda view: _keys_of(view, claimed)):
        await core.submit(partial(_forget, rows=rows))
    await core.submit(lambda view: view.unschedule(claimed.kind, claimed.key))


def _keys_of(view: ReadView, claimed: Claimed) -> list[KeyRow]:
    start = int(claimed.key) * DAY
    return view.select(KEYS, {"created_at >=": start, "created_at <": start + DAY}, limit=_FORGOTTEN_AT_ONCE)


def _forget(view: View, rows: list[KeyRow]) -> None:
    """Delete keys, but none that was bound anew since `rows` were read."""
    for row in rows:
        if view.get(KEYS, row.merchant, row.key) == row:
            view.delete(KEYS, row.merchant, row.key)


def _mismatch(known: KeyRow) -> Refusal:
    return Refusal(
        Kind.INVALID,
        Code.IDEMPOTENCY_MISMATCH,
        f"this idempotency key was used for another request ({known.route}); "
        "send the same request, or a new key for a new one",
    )
