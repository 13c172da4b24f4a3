"""Making, changing and ending endpoints. Each function is a command or a part of one."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import json
from msgspec.structs import replace

from bursar.engine import limits
from bursar.engine.errors import NotFound
from bursar.engine.view import ReadView, View
from bursar.engine.webhooks.cancelling import CANCEL
from bursar.engine.webhooks.errors import BadEndpoint, Problem
from bursar.engine.webhooks.lanes import wake
from bursar.engine.webhooks.policy import DAY_US
from bursar.engine.webhooks.subscriptions import known_types
from bursar.engine.webhooks.tables import (
    ENDPOINTS,
    EVERY,
    Endpoint,
)
from bursar.engine.work import Work

OVERLAP_US: Final = DAY_US
"""How long the secret before a rotation stays good (PS108)."""

Objection = Callable[[str], str | None]
"""Why a URL cannot be an endpoint's; None if it can."""


def check(
    source: str,
    objection: Objection,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    description: str | None = None,
    secret: str | None = None,
) -> None:
    """Look at what a caller gave. Raises BadEndpoint with every problem found."""
    problems: list[Problem] = []
    if url is not None and (reason := _bad_url(url, objection)):
        problems.append(Problem("INVALID_URL", "url", reason))
    if events is not None and (reason := _bad_events(source, events)):
        problems.append(Problem("INVALID_EVENTS", "events", reason))
    if description is not None and len(description) > limits.WEBHOOK_TEXT_CHARS:
        most = limits.WEBHOOK_TEXT_CHARS
        problems.append(Problem("INVALID_DESCRIPTION", "description", f"has more than {most} characters"))
    if secret is not None and (reason := _bad_secret(secret)):
        problems.append(Problem("INVALID_SECRET", "secret", reason))
    if problems:
        raise BadEndpoint(problems)


def create(view: View, endpoint: Endpoint) -> Endpoint:
    """Add an endpoint. Raises BadEndpoint when its owner has as many as one may have."""
    if len(view.scan(ENDPOINTS, endpoint.source, endpoint.owner)) >= limits.WEBHOOK_ENDPOINTS:
        text = f"there are {limits.WEBHOOK_ENDPOINTS} endpoints already: delete one first"
        raise BadEndpoint([Problem("TOO_MANY_ENDPOINTS", "url", text)])
    view.put(ENDPOINTS, endpoint)
    return endpoint


def new_endpoint(
    view: View,
    source: str,
    owner: str,
    url: str,
    *,
    events: Sequence[str],
    secret: str,
    description: str = "",
    active: bool = True,
) -> Endpoint:
    """An endpoint as it is at first. Its parts are checked already."""
    return Endpoint(
        source=source,
        owner=owner,
        id=view.ids.uuid(),
        url=url,
        description=description,
        events=_packed(events),
        active=active,
        disabled_reason=None,
        secret=secret,
        former_secret=None,
        former_until=None,
        former_works=False,
        created_at=view.now,
        updated_at=view.now,
        last_triggered_at=None,
        failure_count=0,
        failing_since=None,
        queued=0,
    )


def update(
    view: View,
    endpoint: Endpoint,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    description: str | None = None,
    active: bool | None = None,
) -> Endpoint:
    """Change what is given. Its parts are checked already. Switching it on makes what waited due."""
    changed = replace(
        endpoint,
        url=endpoint.url if url is None else url,
        events=endpoint.events if events is None else _packed(events),
        description=endpoint.description if description is None else description,
        updated_at=view.now,
    )
    if active is not None and active != endpoint.active:
        changed = replace(changed, active=active, disabled_reason=None, failure_count=0, failing_since=None)
    view.put(ENDPOINTS, changed)
    if changed.active and not endpoint.active:
        wake(view, changed)
    return changed


def rotate(view: View, endpoint: Endpoint, secret: str, *, overlap: int = OVERLAP_US) -> Endpoint:
    """Give an endpoint a new secret. The one before stays good for `overlap` microseconds (PS108)."""
    changed = replace(
        endpoint,
        secret=secret,
        former_secret=endpoint.secret if overlap else None,
        former_until=view.now + overlap if overlap else None,
        former_works=overlap > 0,
        updated_at=view.now,
    )
    view.put(ENDPOINTS, changed)
    return changed


def delete(view: View, endpoint: Endpoint) -> None:
    """End an endpoint. What was on its way is cancelled soon after."""
    view.delete(ENDPOINTS, endpoint.source, endpoint.owner, endpoint.id)
    view.schedule(Work(CANCEL, endpoint.id, view.now))


def find(view: View | ReadView, source: str, owner: str, endpoint_id: str) -> Endpoint:
    """The endpoint. Raises NotFound, also when it is somebody else's."""
    found = view.get(ENDPOINTS, source, owner, endpoint_id)
    if found is None:
        raise NotFound("there is no such webhook")
    return found


def _packed(events: Sequence[str]) -> str:
    return json.encode(list(dict.fromkeys(events))).decode()


def _bad_url(url: str, objection: Objection) -> str | None:
    if len(url) > limits.WEBHOOK_URL_CHARS:
        return f"the URL has more than {limits.WEBHOOK_URL_CHARS} characters"
    return objection(url)


def _bad_events(source: str, events: Sequence[str]) -> str | None:
    if not events:
        return f'name at least one event, or "{EVERY}" for all'
    if len(events) > limits.WEBHOOK_EVENT_TYPES:
        return f"more than {limits.WEBHOOK_EVENT_TYPES} events are named"
    known = known_types(source)
    unknown = [name for name in events if name != EVERY and (name not in known if known else not name)]
    if not unknown:
        return None
    return f"there is no event {unknown[0][:80]!r}; known are {', '.join(known)}"


def _bad_secret(secret: str) -> str | None:
    least, most = limits.WEBHOOK_SECRET_CHARS
    if not least <= len(secret) <= most:
        return f"a secret has {least} to {most} characters"
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        return "a secret has printable ASCII characters without spaces"
    if secret.startswith("whsec_"):
        try:
            b64decode(secret[6:], validate=True)
        except ValueError:
            return "after whsec_ comes base64"
    return None
