"""Rows as the operator's contract shows them: decimals, times, the contract's names."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from bursar.engine.currency import to_decimal
from bursar.engine.piaxis.escrow_tables import DisputeRow, EscrowRow
from bursar.engine.piaxis.merchants import MERCHANT
from bursar.engine.piaxis.tables import (
    Account,
    ApiKey,
    AuditRow,
    FeeRow,
    Instruction,
    Movement,
    Payment,
    Profile,
    Refund,
    SuspenseRow,
)
from bursar.engine.piaxis.times import moment
from bursar.piaxis import operator as contract


def account(row: Account, balances: Sequence[contract.Balance]) -> contract.Account:
    """Return an account with its wallet."""
    return contract.Account(
        id=row.id,
        kind=contract.AccountKind(row.kind),
        name=row.name,
        email=row.email,
        phone_number=row.phone,
        created_at=moment(row.created_at),
        disabled_at=moment(row.disabled_at),
        profile=profile(row.settings) if row.kind == MERCHANT else None,
        balances=list(balances),
    )


def profile(row: Profile) -> contract.Profile:
    """Return a merchant's profile."""
    members: dict[str, Any] = {name: getattr(row, name) for name in row.__struct_fields__}
    members["mfa_above"] = {
        currency: to_decimal(units, currency) for currency, units in row.mfa_above.items()
    }
    return contract.Profile(**members)


def api_key(row: ApiKey, key: str | None = None) -> contract.ApiKey:
    """Return an API key; `key` is itself, when it was just made."""
    return contract.ApiKey(
        id=row.id,
        merchant=row.merchant,
        label=row.label,
        owner=row.owner,
        created_at=moment(row.created_at),
        revoked_at=moment(row.revoked_at),
        key=key,
    )


def movement(row: Movement) -> contract.Movement:
    """Return a movement of the platform's money."""
    return contract.Movement(
        id=row.id,
        kind=row.kind,
        party=row.party,
        amount=to_decimal(row.amount, row.currency),
        currency=row.currency,
        by=row.who,
        reason=row.why,
        at=moment(row.at),
    )


def fee(row: FeeRow) -> contract.Fee:
    """Return a fee rule."""
    maximum = None if row.maximum is None else to_decimal(row.maximum, row.currency)
    settings = contract.FeeSettings(
        percent=Decimal(row.percent),
        fixed=to_decimal(row.fixed, row.currency),
        minimum=to_decimal(row.minimum, row.currency),
        maximum=maximum,
    )
    return contract.Fee(kind=row.kind, method=row.method, currency=row.currency, settings=settings)


def instruction(row: Instruction) -> contract.Instruction:
    """Return what a provider was told."""
    return contract.Instruction(
        id=row.id,
        direction=row.direction,
        rail=row.rail,
        owner=f"{row.owner_kind}:{row.owner_id}",
        phone_number=row.phone,
        amount=to_decimal(row.amount, row.currency),
        currency=row.currency,
        provider_reference=row.reference,
        sent_at=moment(row.sent_at),
        unknown_since=moment(row.unknown_at),
        outcome=row.outcome,
        error=row.error,
    )


def suspense(row: SuspenseRow) -> contract.Suspense:
    """Return a suspense row."""
    return contract.Suspense(
        id=row.id,
        instruction=row.instruction,
        rail=row.rail,
        amount=to_decimal(row.amount, row.currency),
        currency=row.currency,
        why=row.why,
        at=moment(row.at),
        resolution=row.resolution or None,
    )


def refund(row: Refund) -> contract.Refund:
    """Return a refund."""
    return contract.Refund(
        id=row.id,
        object=f"{row.object_kind}:{row.object_id}",
        rail=row.rail,
        phone_number=row.phone,
        amount=to_decimal(row.amount, row.currency),
        currency=row.currency,
        status=row.status,
        attempts=row.attempts,
        error=row.error,
        created_at=moment(row.created_at),
    )


def dispute(row: DisputeRow, escrow: EscrowRow | None) -> contract.Dispute:
    """Return a dispute with what is still held."""
    if escrow is None:
        raise RuntimeError(f"dispute {row.id} is about escrow {row.escrow}, which is not there")
    return contract.Dispute(
        id=row.id,
        escrow=row.escrow,
        merchant=row.merchant,
        initiator_role=row.initiator_role,
        reason=row.reason,
        currency=escrow.currency,
        held=to_decimal(escrow.held, escrow.currency),
        opened_at=moment(row.opened_at),
        outcome=row.outcome,
        released=to_decimal(row.released, escrow.currency),
        reversed=to_decimal(row.reversed, escrow.currency),
        decided_at=moment(row.decided_at),
        decided_by=row.decided_by or None,
        why=row.why or None,
    )


def refunded(row: Payment) -> contract.RefundedPayment:
    """Return a payment that goes back."""
    return contract.RefundedPayment(
        payment_id=row.id,
        status=row.status,
        amount=to_decimal(row.amount, row.currency),
        currency=row.currency,
        refunded_at=moment(row.refunded_at),
    )


def audit_entry(row: AuditRow) -> contract.AuditEntry:
    """Return an audit row."""
    return contract.AuditEntry(
        id=row.id,
        at=moment(row.at),
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        detail=msgspec.json.decode(row.detail, type=dict[str, Any]),
    )
