"""What the rail stores. Amounts are minor units of the row's currency, times microseconds of engine time.

Personal data (emails, phone numbers, products) is in rows only, never in the ledger, and `repr` does not show it.
OAuth's tables are in `oauth_tables`, escrows' in `escrow_tables`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bursar.engine.store.table import AnyTable, Table

ANY: Final = "*"
"""In fees and provider rules: everything."""


class _Personal(msgspec.Struct, frozen=True):
    """A row that names people: it must not reach a log by accident."""

    def __repr__(self) -> str:
        first = self.__struct_fields__[0]
        return f"{type(self).__name__}({first}={getattr(self, first)!r})"


class Profile(msgspec.Struct, frozen=True):
    """How a merchant wants things done; changed by operators."""

    funding: str = "async"
    """E3: "instant" counts an escrow as funded at once, "async" when the provider says so."""
    verify_buyer: bool = False
    """E7: release and reverse need the unregistered buyer's OTP."""
    auto_release: bool = False
    """PS75: release by itself when all terms are met."""
    return_fees: bool = False
    """E12: a reversal gives the escrow fee back, too."""
    mfa_above: dict[str, int] = {}
    """PS42: currency -> minor units from which on a wallet's payment needs a code; no entry: never."""
    limit_otp: bool = True
    """PS23: at most one OTP in 30 seconds and five in an hour for one contact."""
    require_client_id: bool = False
    """PS03: calls about escrows and disbursements must name the OAuth client; clients before 0.2.4 never do."""
    batch_delay_ms: int = 2_000
    """How long a disbursement stays pending, and can be cancelled, before it is carried out (PS86)."""


class Account(_Personal, frozen=True):
    """A party with a wallet (Piaxis' Account.id): a merchant, or a user who registered with Piaxis."""

    id: str
    kind: str
    """"merchant" or "user"."""
    name: str
    created_at: int
    email: str | None = None
    phone: str | None = None
    disabled_at: int | None = None
    profile: str = "{}"
    """A merchant's `Profile` as JSON text."""

    @property
    def settings(self) -> Profile:
        """The stored profile."""
        return msgspec.json.decode(self.profile, type=Profile)


class ContactRow(_Personal, frozen=True):
    """An email address or phone number of a user: how a payer is recognised as registered."""

    contact: str
    account: str


class ApiKey(msgspec.Struct, frozen=True):
    """An API key of a merchant: only the SHA-256 of it is kept (it has 256 random bits, but in the sandbox)."""

    digest: str
    id: str
    merchant: str
    label: str
    owner: bool
    created_at: int
    revoked_at: int | None = None


class KeyRow(msgspec.Struct, frozen=True):
    """An idempotency key with the answer that it brought, as JSON text."""

    merchant: str
    key: str
    route: str
    fingerprint: bytes
    answer: str
    created_at: int


class OtpRow(_Personal, frozen=True):
    """The one-time password that is valid for a contact at a merchant: one at most (PS22, PS23).

    `digest` is SHA-256 over salt and code. `sent` is a JSON list: when codes were sent in the last hour.
    """

    merchant: str
    contact: str
    salt: bytes
    digest: bytes
    expires_at: int
    tries: int
    used: bool
    sent: str
    other: str | None = None
    """The contact that the same code went to as well: using it up at one uses it up at both."""


class FeeRow(msgspec.Struct, frozen=True):
    """What is charged for a kind ("collection", "escrow", "payout") by method and currency; method may be `ANY`."""

    kind: str
    method: str
    currency: str
    percent: str
    """Decimal text: 1.5 means 1.5 %."""
    fixed: int
    minimum: int
    maximum: int | None


class RuleRow(msgspec.Struct, frozen=True):
    """What an operator told a simulated provider to do, as JSON text: an array of rules, the first match counts."""

    rail: str
    rules: str


class Instruction(_Personal, frozen=True):
    """Something that a provider was told to do: collect money from a phone, or pay it out.

    `owner_kind` and `owner_id` say for what. `outcome` is None until there is evidence, then "succeeded" or "failed";
    what is reported afterwards never changes it. `unknown_at`: the deadline passed without an outcome.
    """

    id: str
    direction: str
    """"collect" or "payout"."""
    rail: str
    owner_kind: str
    owner_id: str
    phone: str | None
    currency: str
    amount: int
    behaviour: str
    beat: int
    """How many beats of the behaviour's script are done."""
    sent_at: int
    reference: str
    """What the provider calls it."""
    outcome: str | None = None
    error: str | None = None
    settled_at: int | None = None
    unknown_at: int | None = None
    reports: int = 0
    """How many reports of an outcome came, the ignored ones too."""
    booked: int = 0
    """Net amount that suspense holds because of contradicting reports; below zero for a claim."""


class SuspenseRow(msgspec.Struct, frozen=True):
    """Money at a provider that contradicts what was booked, until an operator decides (E26).

    `amount` above zero: money came, or stayed, that nobody expected. Below zero: money is missing.
    """

    id: str
    instruction: str
    rail: str
    currency: str
    amount: int
    why: str
    at: int
    resolved_at: int | None = None
    resolution: str = ""


class Payment(_Personal, frozen=True):
    """A payment to a merchant. `amount` is the principal, whoever pays the fee (PS35)."""

    id: str
    merchant: str
    status: str
    method: str
    currency: str
    amount: int
    fee: int
    payer_pays_fee: bool
    created_at: int
    updated_at: int
    user: str | None = None
    """Account id of a registered payer; None for an unregistered one."""
    email: str | None = None
    phone: str | None = None
    products: str = "[]"
    """JSON text."""
    reference: str = ""
    instruction: str | None = None
    error: str | None = None
    refunded_at: int | None = None


class Disbursement(_Personal, frozen=True):
    """A batch of payouts of one merchant, in one currency and by one method."""

    id: str
    merchant: str
    status: str
    method: str
    currency: str
    total: int
    fees: int
    count: int
    created_at: int
    succeeded: int = 0
    failed: int = 0
    """How many items ended so; the others are under way, or cancelled with the batch."""
    description: str | None = None
    completed_at: int | None = None
    cancelled_at: int | None = None
    cancellation_reason: str | None = None


class Item(_Personal, frozen=True):
    """One recipient of a batch. `recipient` is set for an internal transfer, else `phone`."""

    disbursement: str
    position: int
    status: str
    amount: int
    fee: int
    recipient: str | None
    email: str | None
    phone: str | None
    reference: str | None
    instruction: str | None = None
    error: str | None = None

    @property
    def id(self) -> str:
        """How ledger references and instructions name the item."""
        return f"{self.disbursement}:{self.position}"


class QuoteRow(msgspec.Struct, frozen=True):
    """The fees that a batch was quoted: what is created from the same body before `expires_at` costs that (PS89)."""

    merchant: str
    fingerprint: bytes
    fees: str
    """JSON list: the fee of each item."""
    expires_at: int


class Refund(_Personal, frozen=True):
    """Money on its way back to an unregistered payer, or waiting in `refund:payable` because it could not be paid out.

    `object_kind` and `object_id` say of what ("escrow", "payment"); `status` is "sent", "unknown", "payable" or "paid".
    """

    id: str
    object_kind: str
    object_id: str
    merchant: str
    rail: str
    phone: str | None
    currency: str
    amount: int
    status: str
    created_at: int
    updated_at: int
    attempts: int = 0
    instruction: str | None = None
    error: str | None = None


class Movement(msgspec.Struct, frozen=True):
    """Money that an operator moved: a wallet funded or withdrawn from, a float topped up, a provider's charge."""

    id: str
    kind: str
    party: str
    currency: str
    amount: int
    who: str
    why: str
    at: int


class AuditRow(msgspec.Struct, frozen=True):
    """Who did what, to what, and why; and what the rail wants a person to see."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    reason: str
    detail: str
    """JSON text; never holds personal data."""


ACCOUNTS: Final = Table("piaxis_accounts", Account, ("id",), indexes=(("kind", "id"),), cached=True)
CONTACTS: Final = Table("piaxis_contacts", ContactRow, ("contact",))
API_KEYS: Final = Table("piaxis_api_keys", ApiKey, ("digest",), indexes=(("merchant",), ("id",)), cached=True)
KEYS: Final = Table("piaxis_keys", KeyRow, ("merchant", "key"), indexes=(("created_at",),))
OTPS: Final = Table("piaxis_otps", OtpRow, ("merchant", "contact"))
FEES: Final = Table("piaxis_fees", FeeRow, ("kind", "method", "currency"), cached=True)
RULES: Final = Table("piaxis_provider_rules", RuleRow, ("rail",), cached=True)
INSTRUCTIONS: Final = Table(
    "piaxis_instructions",
    Instruction,
    ("id",),
    indexes=(("owner_kind", "owner_id"), ("outcome", "unknown_at")),
)
SUSPENSE: Final = Table("piaxis_suspense", SuspenseRow, ("id",), indexes=(("resolved_at", "at"),))
PAYMENTS: Final = Table(
    "piaxis_payments",
    Payment,
    ("id",),
    indexes=(("merchant", "created_at", "id"), ("merchant", "status", "created_at")),
)
DISBURSEMENTS: Final = Table(
    "piaxis_disbursements",
    Disbursement,
    ("id",),
    indexes=(("merchant", "created_at", "id"), ("merchant", "status", "created_at")),
)
ITEMS: Final = Table("piaxis_disbursement_items", Item, ("disbursement", "position"))
QUOTES: Final = Table("piaxis_quotes", QuoteRow, ("merchant", "fingerprint"), indexes=(("expires_at",),))
REFUNDS: Final = Table(
    "piaxis_refunds", Refund, ("id",), indexes=(("status", "created_at"), ("object_kind", "object_id"))
)
MOVEMENTS: Final = Table("piaxis_movements", Movement, ("id",), append_only=True)
AUDIT: Final = Table("piaxis_audit", AuditRow, ("id",), append_only=True)

TABLES: Final[tuple[AnyTable, ...]] = (
    ACCOUNTS,
    CONTACTS,
    API_KEYS,
    KEYS,
    OTPS,
    FEES,
    RULES,
    INSTRUCTIONS,
    SUSPENSE,
    PAYMENTS,
    DISBURSEMENTS,
    ITEMS,
    QUOTES,
    REFUNDS,
    MOVEMENTS,
    AUDIT,
)


_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def packed(value: Any) -> str:
    """Return a value as the JSON text that rows keep it in; decimals as texts."""
    return _encode(value).decode()
