"""What is stored of escrows. Amounts are minor units of the row's currency, times microseconds of engine time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from bursar.engine import limits
from bursar.engine.piaxis.allocations import PENDING
from bursar.engine.piaxis.errors import Loc, invalid
from bursar.engine.piaxis.escrow_states import State
from bursar.engine.piaxis.terms.base import Role
from bursar.engine.store.table import AnyTable, Table


class _Personal(msgspec.Struct, frozen=True):
    """A row that names people: it must not reach a log by accident."""

    def __repr__(self) -> str:
        first = self.__struct_fields__[0]
        return f"{type(self).__name__}({first}={getattr(self, first)!r})"


class EscrowRow(_Personal, frozen=True):
    """Money held between a sender and a receiver. `merchant` is whose object it is, and one of the two.

    In a collection the merchant receives what a buyer paid; in a payout, an item of a batch, he is the sender and
    somebody else receives. The other side is the *customer*: an account, or somebody at `email` or `phone`.
    """

    id: str
    merchant: str
    state: str
    """An `escrow_states.State`."""
    shown: str
    """The same in the words of the wire, to filter listings by."""
    method: str
    currency: str
    amount: int
    created_at: int
    updated_at: int
    customer: str | None
    """Account id of the side that is not the merchant; None for somebody without account."""
    email: str | None
    phone: str | None
    verified: bool
    """The customer has shown that a contact of his is his own."""
    batch: str | None = None
    """The escrow disbursement that a payout belongs to."""
    fee: int = 0
    payer_pays_fee: bool = False
    fee_taken: int = 0
    """How much of the fee is income now (E11)."""
    released: int = 0
    reversed: int = 0
    rest: int = 0
    """What is left of what no slice names."""
    steps: int = 0
    """How many movements of money there were: numbers their postings."""
    funded_at: int | None = None
    instruction: str | None = None
    error: str | None = None
    dispute: str | None = None
    """The open dispute."""
    external_user_id: str | None = None
    external_order_id: str | None = None
    metadata: str = "null"
    """JSON text: the caller's own keys."""
    location: str = "null"
    """JSON text."""

    @property
    def at(self) -> State:
        """Where it is in its life."""
        return State(self.state)

    @property
    def held(self) -> int:
        """What the escrow's accounts hold."""
        return self.amount - self.released - self.reversed if self.at not in _EMPTY else 0

    @property
    def is_payout(self) -> bool:
        """Whether the merchant is the sender."""
        return self.batch is not None

    @property
    def customer_role(self) -> Role:
        """The side that is not the merchant's."""
        return "receiver" if self.is_payout else "sender"

    @property
    def merchant_role(self) -> Role:
        """The merchant's side."""
        return "sender" if self.is_payout else "receiver"

    @property
    def contacts(self) -> list[str]:
        """Where the customer can be reached."""
        return [contact for contact in (self.phone, self.email) if contact is not None]


_EMPTY: Final = frozenset({State.AWAITING, State.CANCELLED, State.RELEASED, State.REVERSED})


class SliceRow(msgspec.Struct, frozen=True):
    """A named part of an escrow; an `allocations.Slice` with what is known of it."""

    escrow: str
    position: int
    key: str
    amount: int
    status: str = PENDING
    seller_reference: str | None = None
    description: str | None = None
    metadata: str = "null"
    """JSON text."""
    status_reason: str | None = None
    status_updated_at: int | None = None


class TermRow(_Personal, frozen=True):
    """A condition of an escrow. `data` and `given` are JSON texts; a secret is stored as salt and hash only (PS72)."""

    escrow: str
    position: int
    id: str
    type: str
    data: str
    given: str = "{}"
    """What was brought so far."""
    salt: bytes | None = None
    digest: bytes | None = None
    tries: int = 0
    expires_at: int | None = None
    due_at: int | None = None
    """When the clock meets it; known once the escrow is funded."""
    met_at: int | None = None
    expired_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Neither met nor expired."""
        return self.met_at is None and self.expired_at is None


class DisputeRow(msgspec.Struct, frozen=True):
    """A dispute. `outcome` is "resolved" or "dismissed" once an operator has decided."""

    id: str
    escrow: str
    merchant: str
    initiator_role: str
    reason: str
    opened_at: int
    outcome: str | None = None
    released: int = 0
    reversed: int = 0
    decided_at: int | None = None
    decided_by: str = ""
    why: str = ""


class EscrowBatch(msgspec.Struct, frozen=True):
    """A batch of payout escrows of one merchant. `final` of its escrows hold nothing any more."""

    id: str
    merchant: str
    status: str
    method: str
    currency: str
    total: int
    count: int
    created_at: int
    released: int = 0
    """How many of the escrows ended as released."""
    final: int = 0
    description: str | None = None
    cancelled_at: int | None = None
    cancellation_reason: str | None = None


class EscrowItem(_Personal, frozen=True):
    """One recipient of a batch."""

    batch: str
    position: int
    id: str
    escrow: str
    amount: int
    terms: int
    recipient: str | None
    email: str | None
    phone: str | None
    reference: str | None


ESCROWS: Final = Table(
    "piaxis_escrows",
    EscrowRow,
    ("id",),
    indexes=(
        ("merchant", "created_at", "id"),
        ("merchant", "shown", "created_at"),
        ("merchant", "external_order_id", "created_at"),
    ),
)
SLICES: Final = Table("piaxis_escrow_slices", SliceRow, ("escrow", "position"))
TERMS: Final = Table("piaxis_escrow_terms", TermRow, ("escrow", "position"))
DISPUTES: Final = Table(
    "piaxis_disputes", DisputeRow, ("id",), indexes=(("outcome", "opened_at"), ("escrow", "opened_at"))
)
ESCROW_BATCHES: Final = Table(
    "piaxis_escrow_batches",
    EscrowBatch,
    ("id",),
    indexes=(("merchant", "created_at", "id"), ("merchant", "status", "created_at")),
)
ESCROW_ITEMS: Final = Table("piaxis_escrow_items", EscrowItem, ("batch", "position"))

TABLES: Final[tuple[AnyTable, ...]] = (ESCROWS, SLICES, TERMS, DISPUTES, ESCROW_BATCHES, ESCROW_ITEMS)


_encode: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number").encode
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def kept(value: Any, loc: Loc = ()) -> str:
    """Return free JSON as the text that rows keep it in, its numbers exact. Raises `InvalidRequest`: too long."""
    text = _encode(value).decode()
    if len(text) > limits.ESCROW_JSON_CHARS:
        raise invalid(loc, f"at most {limits.ESCROW_JSON_CHARS} characters of JSON", "too_long")
    return text


def members(text: str) -> dict[str, Any]:
    """Return the JSON object of a row."""
    found: dict[str, Any] = _decode(text)
    return found


def optional_members(text: str) -> Mapping[str, Any] | None:
    """Return the JSON object of a row, or None."""
    found: Mapping[str, Any] | None = _decode(text)
    return found
