"""The back office of a Piaxis rail: parties and keys, fees, the platform's money, what providers left open.

The vendor's API has nothing of the kind; this is Bursar's own, on another path prefix and for operators' credentials
only. Amounts are decimals in units of their currency (not minor units); times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from bursar.contract import C, Effect, Model, OpenEnum, Query, Resource, get, post, put
from bursar.piaxis.models.base import Currency, Email, Phone, Text

# Python's $ would let a line break follow.
AccountId = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]+$(?!\n)", max_length=64)]
"""Piaxis' Account.id of a merchant or user: a UUID unless chosen; a part of account names in the ledger."""
Id = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=1000)]
Cursor = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Where a page ended: the following one holds what is older."""
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
"""Why: goes to the audit trail."""

_REFUSED = {
    400: "The request does not have the documented form, or breaks a rule.",
    402: "The wallet cannot pay.",
    404: "There is no such thing.",
    409: "The thing is in a state that does not allow this.",
    422: "A value does not fit the thing that it is about.",
}


class AccountKind(OpenEnum):
    """What an account is."""

    MERCHANT = "merchant"
    USER = "user"


class ProviderName(OpenEnum):
    """A provider of money in and out."""

    MTN = "mtn"
    AIRTEL = "airtel"
    CARD = "card"
    BANK = "bank"


class NewAccount(Model, omit_defaults=True, kw_only=True):
    """A merchant or user to add. `id` None draws a UUID. A user is recognised by email and phone number."""

    kind: AccountKind
    name: Text
    id: AccountId | None = None
    email: Email | None = None
    phone_number: Phone | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})


class Profile(Model, omit_defaults=True, kw_only=True):
    """How a merchant wants things done. In a change, what is None or absent stays as it is."""

    funding: Annotated[str, Meta(pattern=r"^(instant|async)$(?!\n)")] | None = None
    """"instant" counts an escrow as funded at once, "async" when the provider says so (E3)."""
    verify_buyer: bool | None = None
    """Release and reverse need the unregistered buyer's OTP (E7)."""
    auto_release: bool | None = None
    """Escrows are released by themselves when all terms are met (PS75)."""
    return_fees: bool | None = None
    """A reversal gives the escrow fee back, too (E12)."""
    mfa_above: Mapping[str, Decimal] | None = None
    """Currency -> the amount above which a payment from a wallet needs a code (PS42)."""
    limit_otp: bool | None = None
    """At most one OTP in 30 seconds and five in an hour for one contact (PS23)."""
    require_client_id: bool | None = None
    """Calls about escrows and disbursements must name the OAuth client (PS03)."""
    batch_delay_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None
    """How long a disbursement stays pending, and can be cancelled (PS86)."""


class Balance(Model):
    """What a wallet can spend of a currency, and what it holds for open batches."""

    currency: str
    available: Decimal
    held: Decimal


class Account(Model, kw_only=True):
    """A merchant or user with its wallet; `profile` is None for users."""

    id: str
    kind: AccountKind
    name: str
    email: str | None
    phone_number: str | None
    created_at: datetime
    disabled_at: datetime | None
    profile: Profile | None
    balances: list[Balance]

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})


class Accounts(Model):
    """Accounts, by id."""

    accounts: list[Account]


class Why(Model):
    """A decision that needs only a reason."""

    reason: Reason


class NewKey(Model, omit_defaults=True, kw_only=True):
    """An API key to make. `owner`: may force releases."""

    label: Annotated[str, Meta(max_length=255)] = ""
    owner: bool = True


class ApiKey(Model, omit_defaults=True, kw_only=True):
    """An API key. `key` is shown once, when it is made: only its digest is stored."""

    id: str
    merchant: str
    label: str
    owner: bool
    created_at: datetime
    revoked_at: datetime | None
    key: str | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"key"})


class ApiKeys(Model):
    """A merchant's keys."""

    keys: list[ApiKey]


class WalletOrder(Model, kw_only=True):
    """Money between the platform's bank and a wallet."""

    account: AccountId
    amount: Decimal
    currency: Currency
    reason: Reason


class RailOrder(Model, kw_only=True):
    """Money between the platform and a provider."""

    rail: ProviderName
    amount: Decimal
    currency: Currency
    reason: Reason


class Movement(Model, kw_only=True):
    """Money that an operator moved. `kind` is fund, withdraw, top_up or charge."""

    id: str
    kind: str
    party: str
    amount: Decimal
    currency: str
    by: str
    reason: str
    at: datetime


class FeeSettings(Model, omit_defaults=True, kw_only=True):
    """`percent` of the amount (1.5 is 1.5 %) and `fixed`, at least `minimum`, at most `maximum`, rounded up."""

    percent: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    maximum: Decimal | None = None


class Fee(Model, kw_only=True):
    """A fee rule of a kind: collection, escrow or payout. The rule of the method counts before that for ``*``."""

    kind: str
    method: str
    currency: str
    settings: FeeSettings


class Fees(Model):
    """All fee rules; what none names costs nothing."""

    fees: list[Fee]


class ProviderRule(Model, omit_defaults=True, kw_only=True):
    """How a simulated provider treats instructions; see the documentation of the rail for behaviours.

    `phone` is a shell pattern, `direction` is "collect", "payout" or ``*``.
    """

    behaviour: Text
    phone: Annotated[str, Meta(max_length=64)] = "*"
    direction: Annotated[str, Meta(pattern=r"^(collect|payout|\*)$(?!\n)")] = "*"


class ProviderRules(Model):
    """A provider's rules; the first that fits counts, then the phone number's last digits, then it does as told."""

    rules: Annotated[list[ProviderRule], Meta(max_length=1000)]


class Instruction(Model, kw_only=True):
    """Something that a provider was told to do. `outcome` is None until there is evidence."""

    id: str
    direction: str
    rail: str
    owner: str
    """For what: "payment:<id>", "disbursement_item:<batch>:<position>", "refund:<id>", ..."""
    phone_number: str | None
    amount: Decimal
    currency: str
    provider_reference: str
    sent_at: datetime
    unknown_since: datetime | None
    outcome: str | None
    error: str | None

    hidden: ClassVar[frozenset[str]] = frozenset({"phone_number"})


class Instructions(Model):
    """Instructions, oldest first."""

    instructions: list[Instruction]


class Evidence(Model, omit_defaults=True, kw_only=True):
    """What a statement or a person at the provider says: "succeeded" or "failed"."""

    result: Annotated[str, Meta(pattern=r"^(succeeded|failed)$(?!\n)")]
    reason: Reason
    error: Text | None = None


class Suspense(Model, kw_only=True):
    """Money at a provider that contradicts what was booked; below zero: money that is missing."""

    id: str
    instruction: str
    rail: str
    amount: Decimal
    currency: str
    why: str
    at: datetime
    resolution: str | None


class SuspenseRows(Model):
    """Suspense that nobody decided about, oldest first."""

    suspense: list[Suspense]


class SuspenseDecision(Model, omit_defaults=True, kw_only=True):
    """Whose the money, or the loss, is: an account's, or (None) the platform's."""

    reason: Reason
    account: AccountId | None = None


class Refund(Model, kw_only=True):
    """Money on its way back to a payer: sent, unknown, payable (it could not be paid out) or paid."""

    id: str
    object: str
    """Of what: "payment:<id>", "escrow:<id>" or "suspense:<id>"."""
    rail: str
    phone_number: str | None
    amount: Decimal
    currency: str
    status: str
    attempts: int
    error: str | None
    created_at: datetime

    hidden: ClassVar[frozenset[str]] = frozenset({"phone_number"})


class Refunds(Model):
    """Refunds, oldest first."""

    refunds: list[Refund]


class RetryRefund(Model, omit_defaults=True, kw_only=True):
    """Pay out again, by another provider or to another number if given."""

    reason: Reason
    rail: ProviderName | None = None
    phone_number: Phone | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"phone_number"})


class CreditRefund(Model, kw_only=True):
    """Put the money into a wallet instead."""

    account: AccountId
    reason: Reason


class RefundedPayment(Model, kw_only=True):
    """A payment whose principal goes back."""

    payment_id: str
    status: str
    amount: Decimal
    currency: str
    refunded_at: datetime | None


class Dispute(Model, kw_only=True):
    """The sender's or the receiver's objection to an escrow. `held` is what is still in it."""

    id: str
    escrow: str
    merchant: str
    initiator_role: str
    reason: str
    currency: str
    held: Decimal
    opened_at: datetime
    outcome: str | None
    """"resolved" or "dismissed"; None while it is open."""
    released: Decimal
    reversed: Decimal
    decided_at: datetime | None
    decided_by: str | None
    why: str | None


class Disputes(Model):
    """Disputes, oldest first."""

    disputes: list[Dispute]


class Resolution(Model, kw_only=True):
    """Who gets what of the held money: the two amounts add up to it (E9)."""

    release: Decimal
    """To the receiver: the merchant, unless the escrow is one of a batch."""
    reverse: Decimal
    """To the sender."""
    reason: Reason


class AuditEntry(Model, kw_only=True):
    """Who did what, to what, and why."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    detail: Mapping[str, Any]


class AuditTrail(Model, omit_defaults=True):
    """Audit entries, newest first; `next` is the `before` of the following page."""

    entries: list[AuditEntry]
    next: int | None = None


class AccountBalance(Model):
    """An account's balance: credits less debits, so that assets are below zero."""

    account: str
    currency: str
    balance: Decimal


class TrialBalance(Model):
    """Every account of the rail's book. The balances of a currency sum to zero."""

    accounts: list[AccountBalance]
    sums: Mapping[str, Decimal]
    """Sum of balances by currency: always zero."""
    problems: list[str]
    """What the book's invariants say is wrong: always empty."""


class PiaxisOperator(Resource[C]):
    """The back office of the rail."""

    @post("/operator/v1/accounts", effect=Effect.ONCE, errors=_REFUSED)
    def create_account(self, account: NewAccount) -> Account:
        """Add a merchant or user."""
        ...

    @get("/operator/v1/accounts", errors=_REFUSED)
    def list_accounts(
        self,
        kind: Annotated[AccountKind | None, Query()] = None,
        limit: Annotated[Limit, Query()] = 100,
        after: Annotated[AccountId | None, Query()] = None,
    ) -> Accounts:
        """Return accounts by id, those after an id if given."""
        ...

    @get("/operator/v1/accounts/{account}", errors=_REFUSED)
    def get_account(self, account: AccountId) -> Account:
        """Return an account with its balances."""
        ...

    @post("/operator/v1/accounts/{account}/disable", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def disable_account(self, account: AccountId, why: Why) -> Account:
        """Close an account: its calls are refused, its money stays."""
        ...

    @post("/operator/v1/accounts/{account}/enable", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def enable_account(self, account: AccountId, why: Why) -> Account:
        """Open an account again."""
        ...

    @put("/operator/v1/accounts/{account}/profile", errors=_REFUSED)
    def set_profile(self, account: AccountId, changes: Profile) -> Account:
        """Change a merchant's profile."""
        ...

    @post("/operator/v1/accounts/{account}/keys", effect=Effect.ONCE, errors=_REFUSED)
    def create_key(self, account: AccountId, key: NewKey) -> ApiKey:
        """Make an API key and show it, once."""
        ...

    @get("/operator/v1/accounts/{account}/keys", errors=_REFUSED)
    def list_keys(self, account: AccountId) -> ApiKeys:
        """Return a merchant's API keys."""
        ...

    @post("/operator/v1/keys/{key}/revoke", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def revoke_key(self, key: Id) -> ApiKey:
        """End an API key: calls with it are refused at once."""
        ...

    @post("/operator/v1/wallets/fund", effect=Effect.ONCE, errors=_REFUSED)
    def fund_wallet(self, order: WalletOrder) -> Movement:
        """Book money that an account paid in at the platform's bank."""
        ...

    @post("/operator/v1/wallets/withdraw", effect=Effect.ONCE, errors=_REFUSED)
    def withdraw_wallet(self, order: WalletOrder) -> Movement:
        """Book money that the platform's bank paid out to an account's owner."""
        ...

    @post("/operator/v1/rails/top-up", effect=Effect.ONCE, errors=_REFUSED)
    def top_up_rail(self, order: RailOrder) -> Movement:
        """Book money moved from the platform's bank to its float at a provider."""
        ...

    @post("/operator/v1/rails/charge", effect=Effect.ONCE, errors=_REFUSED)
    def charge_rail(self, order: RailOrder) -> Movement:
        """Book what a provider charged."""
        ...

    @put("/operator/v1/fees/{kind}/{method}/{currency}", errors=_REFUSED)
    def put_fee(self, kind: Id, method: Id, currency: Currency, settings: FeeSettings) -> Fee:
        """Set what a kind (collection, escrow, payout) costs by a method, or by any (``*``)."""
        ...

    @get("/operator/v1/fees")
    def list_fees(self) -> Fees:
        """Return all fee rules."""
        ...

    @put("/operator/v1/providers/{rail}/rules", errors=_REFUSED)
    def put_provider_rules(self, rail: ProviderName, rules: ProviderRules) -> ProviderRules:
        """Tell a simulated provider how to treat instructions; replaces all its rules."""
        ...

    @get("/operator/v1/providers/{rail}/rules", errors=_REFUSED)
    def list_provider_rules(self, rail: ProviderName) -> ProviderRules:
        """Return a simulated provider's rules."""
        ...

    @get("/operator/v1/instructions")
    def list_unknown(self, limit: Annotated[Limit, Query()] = 100) -> Instructions:
        """Return instructions whose provider did not say in time what became of them."""
        ...

    @post("/operator/v1/instructions/{instruction}/report", effect=Effect.ONCE, errors=_REFUSED)
    def report_outcome(self, instruction: Id, evidence: Evidence) -> Instruction:
        """Say what became of an instruction. What contradicts an earlier report goes to suspense."""
        ...

    @get("/operator/v1/suspense")
    def list_suspense(self, limit: Annotated[Limit, Query()] = 100) -> SuspenseRows:
        """Return suspense that nobody decided about."""
        ...

    @post("/operator/v1/suspense/{suspense}/settle", effect=Effect.ONCE, errors=_REFUSED)
    def settle_suspense(self, suspense: Id, decision: SuspenseDecision) -> Suspense:
        """Decide whose the money, or the loss, is."""
        ...

    @post("/operator/v1/suspense/{suspense}/return", effect=Effect.ONCE, errors=_REFUSED)
    def return_suspense(self, suspense: Id, why: Why) -> Suspense:
        """Send money that nobody expected back to its payer."""
        ...

    @get("/operator/v1/refunds", errors=_REFUSED)
    def list_refunds(
        self, status: Annotated[Id, Query()] = "payable", limit: Annotated[Limit, Query()] = 100
    ) -> Refunds:
        """Return refunds of a status: by default those that could not be paid out."""
        ...

    @post("/operator/v1/refunds/{refund}/retry", effect=Effect.ONCE, errors=_REFUSED)
    def retry_refund(self, refund: Id, order: RetryRefund) -> Refund:
        """Try again to pay a refund out."""
        ...

    @post("/operator/v1/refunds/{refund}/credit", effect=Effect.ONCE, errors=_REFUSED)
    def credit_refund(self, refund: Id, order: CreditRefund) -> Refund:
        """Put a refund into a wallet instead."""
        ...

    @post("/operator/v1/payments/{payment}/refund", effect=Effect.ONCE, errors=_REFUSED)
    def refund_payment(self, payment: Id, why: Why) -> RefundedPayment:
        """Give a payment's principal back out of the merchant's wallet; the fee stays."""
        ...

    @get("/operator/v1/disputes", errors=_REFUSED)
    def list_disputes(self, limit: Annotated[Limit, Query()] = 100) -> Disputes:
        """Return disputes that nobody decided about."""
        ...

    @post("/operator/v1/disputes/{dispute}/resolve", effect=Effect.ONCE, errors=_REFUSED)
    def resolve_dispute(self, dispute: Id, resolution: Resolution) -> Dispute:
        """Divide the held money between receiver and sender; the escrow ends (E9)."""
        ...

    @post("/operator/v1/disputes/{dispute}/dismiss", effect=Effect.ONCE, errors=_REFUSED)
    def dismiss_dispute(self, dispute: Id, why: Why) -> Dispute:
        """Let the escrow go on as if there had been no dispute."""
        ...

    @get("/operator/v1/audit")
    def list_audit(
        self, before: Annotated[Cursor | None, Query()] = None, limit: Annotated[Limit, Query()] = 100
    ) -> AuditTrail:
        """Return the audit trail, newest first."""
        ...

    @get("/operator/v1/trial-balance")
    def trial_balance(self) -> TrialBalance:
        """Return every account's balance, and what the book's invariants say."""
        ...
