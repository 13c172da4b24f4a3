"""What an owner does with its endpoints and deliveries: the same for every API whose events are delivered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import json

from bursar.engine import limits
from bursar.engine.core import Core
from bursar.engine.errors import Conflict, NotFound
from bursar.engine.store.base import Sql
from bursar.engine.view import ReadView, View
from bursar.engine.webhooks import endpoints
from bursar.engine.webhooks.dispatch import Dispatcher
from bursar.engine.webhooks.outcomes import Tried
from bursar.engine.webhooks.replay import replay, replay_many
from bursar.engine.webhooks.tables import (
    ATTEMPTS,
    DELIVERIES,
    ENDPOINTS,
    EVENTS,
    PENDING,
    Attempt,
    Delivery,
    Endpoint,
    Event,
)


class WebhooksService:
    """The endpoints of one source. `default_secret`: what new ones get in a sandbox instead of a fresh secret."""

    def __init__(
        self, core: Core, dispatcher: Dispatcher, source: str, *, default_secret: str | None = None
    ) -> None:
        self._core = core
        self._dispatcher = dispatcher
        self._source = dispatcher.sources[source]
        self._name = source
        self._default_secret = default_secret

    async def create(
        self,
        owner: str,
        url: str,
        events: Sequence[str],
        *,
        description: str = "",
        secret: str | None = None,
        active: bool = True,
    ) -> Endpoint:
        """Add an endpoint; only its maker is ever shown its secret. Raises BadEndpoint."""
        self._check(url=url, events=events, description=description, secret=secret)

        def command(view: View) -> Endpoint:
            chosen = secret or self._default_secret or self._source.new_secret(view.ids.bytes(32))
            made = endpoints.new_endpoint(
                view,
                self._name,
                owner,
                url,
                events=events,
                secret=chosen,
                description=description,
                active=active,
            )
            return endpoints.create(view, made)

        return await self._core.submit(command)

    async def list(self, owner: str) -> list[Endpoint]:
        """All endpoints of an owner, the oldest first."""
        found = await self._core.read(lambda view: list(view.scan(ENDPOINTS, self._name, owner)))
        return sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.id))

    async def get(self, owner: str, endpoint_id: str) -> Endpoint:
        """One endpoint. Raises NotFound."""
        return await self._core.read(lambda view: self._find(view, owner, endpoint_id))

    async def update(
        self,
        owner: str,
        endpoint_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        active: bool | None = None,
    ) -> Endpoint:
        """Change what is given. Raises NotFound and BadEndpoint."""
        self._check(url=url, events=events, description=description)
        return await self._core.submit(
            lambda view: endpoints.update(
                view,
                self._find(view, owner, endpoint_id),
                url=url,
                events=events,
                description=description,
                active=active,
            )
        )

    async def delete(self, owner: str, endpoint_id: str) -> None:
        """End an endpoint; what is on its way to it is cancelled. Raises NotFound."""
        await self._core.submit(lambda view: endpoints.delete(view, self._find(view, owner, endpoint_id)))

    async def rotate(
        self,
        owner: str,
        endpoint_id: str,
        *,
        secret: str | None = None,
        overlap: int = endpoints.OVERLAP_US,
    ) -> Endpoint:
        """Give an endpoint a new secret; the former stays good for a while (PS108). Raises NotFound, BadEndpoint."""
        self._check(secret=secret)

        def command(view: View) -> Endpoint:
            chosen = secret or self._source.new_secret(view.ids.bytes(32))
            return endpoints.rotate(view, self._find(view, owner, endpoint_id), chosen, overlap=overlap)

        return await self._core.submit(command)

    async def test(self, owner: str, endpoint_id: str) -> Tried:
        """Send a made-up event once, now, also to an endpoint that is switched off; nothing of it is kept.

        It is signed with the newest secret. Raises NotFound.
        """
        endpoint = await self.get(owner, endpoint_id)
        name, data = self._source.trial()
        now, text = self._core.clock.now(), json.encode(data).decode()
        event = Event(self._core.ids.uuid(), self._name, owner, name, "test", text, now)
        delivery = Delivery(
            id=self._core.ids.uuid(),
            endpoint=endpoint.id,
            event=event.id,
            object=event.object,
            type=name,
            status=PENDING,
            attempts=0,
            generation=0,
            next_attempt_at=None,
            last_status_code=None,
            last_error=None,
            created_at=now,
            updated_at=now,
            follower=None,
        )
        return await self._dispatcher.try_now(endpoint, delivery, event, newest=True)

    async def deliveries(
        self, owner: str, endpoint_id: str, *, status: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[int, Sequence[tuple[Delivery, Event]]]:
        """How many deliveries an endpoint has, and some of them, the newest first. Raises NotFound."""

        def query(view: ReadView) -> tuple[int, Sequence[tuple[Delivery, Event]]]:
            where = {"endpoint": self._find(view, owner, endpoint_id).id}
            if status is not None:
                where["status"] = status
            conditions = " AND ".join(f'"{name}" = ?' for name in where)
            page = Sql(
                f'SELECT "id" FROM "{DELIVERIES.name}" WHERE {conditions} ORDER BY "id" DESC LIMIT ? OFFSET ?',
                (*where.values(), min(limit, limits.LISTED_ROWS), offset),
            )
            rows = [_own(view, where["endpoint"], str(found)) for (found,) in view.query(page)]
            return view.count(DELIVERIES, where), [(row, _event(view, row)) for row in rows]

        return await self._core.read(query)

    async def delivery(
        self, owner: str, endpoint_id: str, delivery_id: str
    ) -> tuple[Delivery, Event, Sequence[Attempt]]:
        """A delivery, its event and its attempts in order. Raises NotFound."""

        def query(view: ReadView) -> tuple[Delivery, Event, Sequence[Attempt]]:
            endpoint = self._find(view, owner, endpoint_id)
            row = _own(view, endpoint.id, delivery_id)
            return row, _event(view, row), list(view.scan(ATTEMPTS, delivery_id))

        return await self._core.read(query)

    async def replay(self, owner: str, endpoint_id: str, delivery_id: str) -> Delivery:
        """Deliver again, or now what is pending. Raises NotFound, and Conflict when the endpoint is switched off."""

        def command(view: View) -> Delivery:
            endpoint = self._find(view, owner, endpoint_id)
            return replay(view, endpoint, _own(view, endpoint.id, delivery_id))

        return await self._core.submit(command)

    async def replay_all(
        self,
        owner: str,
        endpoint_id: str,
        *,
        statuses: Sequence[str],
        since: int | None = None,
        until: int | None = None,
    ) -> int:
        """Deliver again, the oldest first, what has one of these statuses and was made in [since, until); how many.

        Raises NotFound, and Conflict when the endpoint is switched off.
        """
        if not (await self.get(owner, endpoint_id)).active:
            raise Conflict("the webhook is switched off: activate it first")
        replayed = 0
        for status in statuses:
            after = ""
            while True:
                select = partial(_of_status, endpoint_id=endpoint_id, status=status, after=after)
                page = await self._core.read(select)
                chosen = [
                    row.id
                    for row in page
                    if (since is None or row.created_at >= since)
                    and (until is None or row.created_at < until)
                ]
                replayed += await self._replay_page(owner, endpoint_id, chosen, status)
                if len(page) < limits.WEBHOOK_REPLAYED:
                    break
                after = page[-1].id
        return replayed

    async def _replay_page(self, owner: str, endpoint_id: str, chosen: Sequence[str], status: str) -> int:
        def command(view: View) -> int:
            endpoint = self._find(view, owner, endpoint_id)
            return replay_many(view, endpoint, chosen, [status])

        if not chosen:
            return 0
        return await self._core.submit(command)

    def _check(
        self,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        secret: str | None = None,
    ) -> None:
        objection = self._dispatcher.sender.objection
        endpoints.check(self._name, objection, url=url, events=events, description=description, secret=secret)

    def _find(self, view: View | ReadView, owner: str, endpoint_id: str) -> Endpoint:
        return endpoints.find(view, self._name, owner, endpoint_id)


def _of_status(view: ReadView, endpoint_id: str, status: str, after: str) -> list[Delivery]:
    where = {"endpoint": endpoint_id, "status": status, "id >": after}
    return view.select(DELIVERIES, where, order=("endpoint", "status", "id"), limit=limits.WEBHOOK_REPLAYED)


def _own(view: View | ReadView, endpoint_id: str, delivery_id: str) -> Delivery:
    row = view.get(DELIVERIES, delivery_id)
    if row is None or row.endpoint != endpoint_id:
        raise NotFound("there is no such delivery")
    return row


def _event(view: ReadView, delivery: Delivery) -> Event:
    found = view.get(EVENTS, delivery.event)
    if found is None:
        raise RuntimeError(f"delivery {delivery.id} lacks its event")
    return found
