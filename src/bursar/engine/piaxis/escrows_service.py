"""The escrows group as methods: each takes who calls, then the parameters of its endpoint in the contract."""

from __future__ import annotations

from typing import Final

from bursar.engine.core import Core
from bursar.engine.piaxis import disputes, escrow_shown, escrow_terms, escrows
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.escrow_moves import Whole
from bursar.engine.piaxis.escrow_tables import ESCROWS, SLICES, TERMS, EscrowRow
from bursar.engine.piaxis.keys import keyed
from bursar.engine.piaxis.pages import asked_page, page_of
from bursar.engine.piaxis.submit import submit
from bursar.engine.store.table import AnyTable, Key, Scalar
from bursar.engine.view import ReadView, View
from bursar.piaxis.models.escrows import (
    DisputeEscrow,
    DisputeOpened,
    Escrow,
    EscrowPage,
    EscrowReleased,
    EscrowReversed,
    EscrowState,
    EscrowStatus,
    FulfillTerm,
    NewEscrow,
    ReleaseEscrow,
    ReverseEscrow,
    TermFulfilled,
)

ROUTE: Final = "POST /escrows/"


class EscrowsService:
    """Serves merchants, and customers with an access token. A method returns when its effect is durable."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def create_escrow(
        self, caller: Caller, payload: NewEscrow, *, idempotency_key: str | None = None
    ) -> Escrow:
        """Open an escrow and have it funded. Raises `InvalidRequest` and `Refusal` (PS43-PS50)."""

        def act(view: View) -> Escrow:
            return escrow_shown.shown(escrows.create(view, caller, payload))

        return await keyed(self._core, caller, ROUTE, idempotency_key, payload, act, Escrow)

    async def list_escrows(
        self,
        caller: Caller,
        *,
        status: EscrowStatus | None = None,
        external_order_id: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> EscrowPage:
        """Return a page of the caller's escrows, newest first (E29, PS50). Raises `InvalidRequest`."""
        page = asked_page(limit, offset)
        where: dict[str, Scalar] = {"merchant": caller.merchant}
        if status is not None:
            where["shown"] = status.value
        if external_order_id is not None:
            where["external_order_id"] = external_order_id
        if caller.key is None:
            where["customer"] = caller.user

        def query(view: ReadView) -> EscrowPage:
            rows, total = page_of(view, ESCROWS, where, page)
            results = [escrow_shown.shown(_whole(view, row)) for row in rows]
            return EscrowPage(total=total, offset=page.offset, limit=page.limit, results=results)

        return await self._core.read(query)

    async def get_escrow(self, caller: Caller, escrow_id: str) -> Escrow:
        """Return an escrow of the caller's. Raises `Refusal` (PS78)."""
        return await self._core.read(
            lambda view: escrow_shown.shown(_whole(view, escrows.own(view, caller, escrow_id)))
        )

    async def get_escrow_status(self, caller: Caller, escrow_id: str) -> EscrowState:
        """Return what an escrow of the caller's waits for. Raises `Refusal`."""
        return await self._core.read(
            lambda view: escrow_shown.state(_whole(view, escrows.own(view, caller, escrow_id)))
        )

    async def release_escrow(
        self, caller: Caller, escrow_id: str, payload: ReleaseEscrow, *, idempotency_key: str | None = None
    ) -> EscrowReleased:
        """Pay the receiver. Raises `InvalidRequest` and `Refusal` (PS52-PS64)."""

        def act(view: View) -> EscrowReleased:
            whole, chosen = escrows.release(view, caller, escrow_id, payload)
            return escrow_shown.released(whole, chosen, payload.reason, force=bool(payload.force))

        asked = [escrow_id, payload]
        route, first = f"{ROUTE}release", reads(escrow_id)
        return await keyed(
            self._core, caller, route, idempotency_key, asked, act, EscrowReleased, reads=first
        )

    async def reverse_escrow(
        self, caller: Caller, escrow_id: str, payload: ReverseEscrow, *, idempotency_key: str | None = None
    ) -> EscrowReversed:
        """Give the sender back. Raises `InvalidRequest` and `Refusal` (PS64-PS66)."""

        def act(view: View) -> EscrowReversed:
            whole, chosen = escrows.reverse(view, caller, escrow_id, payload)
            return escrow_shown.reversed_(whole, chosen, payload.reason)

        asked = [escrow_id, payload]
        route, first = f"{ROUTE}reverse", reads(escrow_id)
        return await keyed(
            self._core, caller, route, idempotency_key, asked, act, EscrowReversed, reads=first
        )

    async def fulfill_escrow_term(
        self,
        caller: Caller,
        escrow_id: str,
        term_id: str,
        payload: FulfillTerm,
        *,
        idempotency_key: str | None = None,
    ) -> TermFulfilled:
        """Take evidence for a term. Raises `InvalidRequest` and `Refusal` (PS67-PS74)."""

        def act(view: View) -> TermFulfilled:
            return escrow_shown.fulfilled(*escrows.fulfil(view, caller, escrow_id, term_id, payload))

        asked = [escrow_id, term_id, payload]
        route, first = f"{ROUTE}terms/fulfill", reads(escrow_id)
        return await keyed(self._core, caller, route, idempotency_key, asked, act, TermFulfilled, reads=first)

    async def dispute_escrow(self, caller: Caller, escrow_id: str, payload: DisputeEscrow) -> DisputeOpened:
        """Freeze an escrow until an operator has decided. Raises `InvalidRequest` and `Refusal` (PS76)."""

        def command(view: View) -> DisputeOpened:
            dispute = disputes.open_dispute(view, caller, escrow_id, payload)
            return DisputeOpened(
                message="Dispute initiated successfully",
                dispute_id=dispute.id,
                initiator_role=dispute.initiator_role,
            )

        return await submit(self._core, command, reads=reads(escrow_id))


def reads(escrow_id: str) -> list[tuple[AnyTable, Key]]:
    """Return what a command on an escrow reads first."""
    return [(ESCROWS, (escrow_id,))]


def register(core: Core) -> None:
    """Name the step that lets the clock act on escrows; once for each core, before its worker starts."""
    core.worker.register_step(escrow_terms.ALARM, escrows.wake, reads)


def _whole(view: ReadView, row: EscrowRow) -> Whole:
    return Whole(row, list(view.scan(SLICES, row.id)), list(view.scan(TERMS, row.id)))
