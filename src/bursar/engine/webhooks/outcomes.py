"""What the answers of endpoints do to deliveries, lanes and endpoints. One command records many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine.limits import WEBHOOK_TEXT_CHARS
from bursar.engine.store.base import Wanted
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import View
from bursar.engine.webhooks.lanes import advance, put_off, want_deliveries
from bursar.engine.webhooks.policy import Outcome, Policy
from bursar.engine.webhooks.sending import Answer
from bursar.engine.webhooks.tables import (
    ATTEMPTS,
    DELIVERIES,
    ENDPOINTS,
    FAILED,
    LANES,
    PENDING,
    SUCCEEDED,
    Attempt,
    Delivery,
    Endpoint,
)


class Tried(Struct, frozen=True, gc=False):
    """A try of a delivery that ended; `at` is when it began."""

    delivery: Delivery
    endpoint: Endpoint
    at: int
    answer: Answer
    former: bool
    """Whether it was signed with the endpoint's former secret."""


def _touched(tries: Iterable[Tried]) -> list[tuple[AnyTable, Key]]:
    """The rows that `record` will read: asked for at once, since a command is run again for each that it lacks."""
    keys: dict[tuple[AnyTable, Key], None] = {}
    for tried in tries:
        delivery, endpoint = tried.delivery, tried.endpoint
        keys[ENDPOINTS, (endpoint.source, endpoint.owner, endpoint.id)] = None
        keys[DELIVERIES, (delivery.id,)] = None
        keys[LANES, (delivery.endpoint, delivery.object)] = None
    return list(keys)


def record(view: View, tries: Sequence[Tried], policy: Policy) -> None:
    """Write down tries, and what follows from them. An accepted delivery is finished only by this commit."""
    view.want(Wanted(_touched(tries)))
    present = [view.get(DELIVERIES, tried.delivery.id) for tried in tries]
    want_deliveries(view, [row.follower for row in present if row is not None and row.follower is not None])
    for tried in tries:
        _record(view, tried, policy)


def _record(view: View, tried: Tried, policy: Policy) -> None:
    before, answer = tried.delivery, tried.answer
    attempt = before.attempts + 1
    outcome = policy.outcome(answer.status_code, attempt)
    view.put(ATTEMPTS, _attempt(tried, attempt, outcome))
    endpoint = view.get(ENDPOINTS, tried.endpoint.source, tried.endpoint.owner, tried.endpoint.id)
    if endpoint is None:
        return  # it was deleted meanwhile, its deliveries are or will be cancelled
    view.put(ENDPOINTS, _endpoint_after(endpoint, tried, outcome, policy))
    delivery = view.get(DELIVERIES, before.id)
    if delivery is None or delivery.status != PENDING or delivery.generation != before.generation:
        return  # it was cancelled meanwhile
    delivery = replace(
        delivery,
        attempts=attempt,
        last_status_code=answer.status_code or None,
        last_error=answer.error,
        updated_at=view.now,
    )
    if outcome == "succeeded":
        advance(view, replace(delivery, status=SUCCEEDED))
    elif outcome == "permanent_failure":
        advance(view, replace(delivery, status=FAILED))
    else:
        put_off(view, delivery, view.now + policy.pause(delivery, attempt, answer.retry_after, view.now))


def _attempt(tried: Tried, number: int, outcome: Outcome) -> Attempt:
    answer = tried.answer
    return Attempt(
        delivery=tried.delivery.id,
        generation=tried.delivery.generation,
        number=number,
        at=tried.at,
        url=tried.endpoint.url,
        outcome=outcome,
        status_code=answer.status_code,
        error=None if answer.error is None else answer.error[:WEBHOOK_TEXT_CHARS],
        duration_us=answer.duration_us,
        excerpt=answer.excerpt[:WEBHOOK_TEXT_CHARS],
    )


def _endpoint_after(endpoint: Endpoint, tried: Tried, outcome: Outcome, policy: Policy) -> Endpoint:
    if outcome == "succeeded":
        return replace(
            endpoint,
            last_triggered_at=tried.at,
            failure_count=0,
            failing_since=None,
            former_works=tried.former and endpoint.former_secret == tried.endpoint.former_secret,
        )
    after = replace(
        endpoint,
        last_triggered_at=tried.at,
        failure_count=endpoint.failure_count + 1,
        failing_since=tried.at if endpoint.failing_since is None else endpoint.failing_since,
    )
    reason = policy.disables(after, tried.answer.status_code, tried.at)
    if reason is None or not endpoint.active:
        return after
    return replace(after, active=False, disabled_reason=reason)
