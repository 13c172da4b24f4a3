"""The client's methods by group, with the vendor's names and signatures.

Where a method takes a `payload`, a model or a plain mapping will do. Those that move money take an `idempotency_key`
(or the header field ``X-Idempotency-Key`` in `request_options`); without one they get a fresh key, the same on each of
their own attempts. Give your own, and store it first, to be able to repeat a call whose outcome you do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bursar.contract import C, InvalidRequestError, Page, Resource

from . import contract
from .methods import calls, lists
from .models import (
    AuthorizeTest,
    ConnectShopify,
    Disbursement,
    DisbursementQuote,
    DisbursementSummary,
    DisputeEscrow,
    DisputeOpened,
    Escrow,
    EscrowDisbursement,
    EscrowDisbursementCancelled,
    EscrowDisbursementItem,
    EscrowDisbursementReleased,
    EscrowReleased,
    EscrowReversed,
    EscrowState,
    FulfillTerm,
    NewDisbursement,
    NewEscrow,
    NewEscrowDisbursement,
    NewPayment,
    OtpSent,
    Payment,
    PaymentCreated,
    PaymentItem,
    ReleaseEscrow,
    RequestOtp,
    ReverseEscrow,
    ShopifyConnection,
    ShopifyDisconnected,
    ShopifySession,
    TermFulfilled,
    Tokens,
)
from .oauth import AUTHORIZE, authorize_url, check_redirect_uri
from .options import RequestOptions

Json = Mapping[str, Any]
Options = RequestOptions | None
Moment = datetime | str | None
"""A time, or its text in ISO 8601; UTC where the text names no zone."""


def _members(payload: Any) -> dict[str, Any]:
    """Return a payload as a plain mapping that may be changed."""
    return dict(payload.to_payload() if hasattr(payload, "to_payload") else payload)


def _filters(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a listing (PC37)."""
    for name in ("from_date", "to_date"):
        if isinstance(arguments.get(name), str):
            arguments[name] = _moment(arguments[name], name)
    return arguments


def _moment(text: str, name: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequestError(f"{name}: {text!r} is no time in ISO 8601", name) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _with_mfa(arguments: dict[str, Any]) -> dict[str, Any]:
    """The code goes into the body, and only there (PC32)."""
    code = arguments.pop("mfa_code")
    if code is not None:
        arguments["payload"] = {**_members(arguments["payload"]), "mfa_code": code}
    return arguments


PAYMENT_FILTERS = ("status", "payment_method", "from_date", "to_date", "limit", "offset")


def _params(params: Json) -> dict[str, Any]:
    unknown = set(params) - set(PAYMENT_FILTERS)
    if unknown:
        raise InvalidRequestError(
            f"payments are filtered by {', '.join(PAYMENT_FILTERS)}, not {min(unknown)!r}"
        )
    return _filters({**dict.fromkeys(PAYMENT_FILTERS), **params})


class PaymentsResource(Resource[C]):
    """Money from customers to the merchant."""

    @calls(contract.Payments.create_payment, _with_mfa)
    def create(
        self,
        payload: NewPayment | Json,
        *,
        mfa_code: str | None = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> PaymentCreated:
        """Ask a customer to pay. Mobile money is asynchronous: `wait_for_payment`, or webhooks."""
        ...

    @calls(contract.Payments.get_payment)
    def get(self, payment_id: str, *, request_options: Options = None) -> Payment:
        """Return a payment in full."""
        ...

    @lists(
        contract.Payments.list_merchant_payments,
        PaymentItem,
        lambda given: _params(given["params"] or {}),
    )
    def list(self, params: Json | None = None, *, request_options: Options = None) -> Page[PaymentItem]:
        """Return the merchant's payments, newest first: a page that goes on to the following ones when iterated.

        `params`: `status`, `payment_method`, `from_date`, `to_date`, `limit` (1 to 100), `offset`.
        """
        ...


def _released(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "payload": arguments["payload"] or {}}


def _of_term(arguments: dict[str, Any]) -> dict[str, Any]:
    """The term's id goes into the body, too (PC47)."""
    payload = _members(arguments["payload"])
    given = payload.get("term_id") or arguments["term_id"]
    if given != arguments["term_id"]:
        raise InvalidRequestError("term_id: the payload names another term than the call", "/term_id")
    return {**arguments, "payload": {**payload, "term_id": given}}


class EscrowsResource(Resource[C]):
    """Money held until terms are met."""

    @calls(contract.Escrows.create_escrow)
    def create(
        self,
        payload: NewEscrow | Json,
        *,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> Escrow:
        """Open an escrow; `allocations` are slices that can be released and reversed on their own."""
        ...

    @calls(contract.Escrows.get_escrow)
    def get(self, escrow_id: str, *, request_options: Options = None) -> Escrow:
        """Return an escrow in full."""
        ...

    @calls(contract.Escrows.get_escrow_status)
    def status(self, escrow_id: str, *, request_options: Options = None) -> EscrowState:
        """Return what an escrow waits for."""
        ...

    @calls(contract.Escrows.release_escrow, _released)
    def release(
        self,
        escrow_id: str,
        *,
        payload: ReleaseEscrow | Json | None = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> EscrowReleased:
        """Pay the merchant: everything held (no payload), the named slices, or an amount."""
        ...

    @calls(contract.Escrows.fulfill_escrow_term, _of_term)
    def fulfill_term(
        self,
        escrow_id: str,
        term_id: str,
        payload: FulfillTerm | Json,
        *,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> TermFulfilled:
        """Give evidence that a term is met."""
        ...

    @calls(contract.Escrows.reverse_escrow)
    def reverse(
        self,
        escrow_id: str,
        payload: ReverseEscrow | Json,
        *,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> EscrowReversed:
        """Give the buyer back: everything held, the named slices, or an amount."""
        ...

    @calls(contract.Escrows.dispute_escrow)
    def dispute(
        self, escrow_id: str, payload: DisputeEscrow | Json, *, request_options: Options = None
    ) -> DisputeOpened:
        """Dispute an escrow: nothing moves until it is resolved. Sent once; takes no idempotency key (B9)."""
        ...

    @lists(contract.Escrows.list_escrows, Escrow, _filters)
    def list(
        self,
        *,
        status: str | None = None,
        external_order_id: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        request_options: Options = None,
    ) -> Page[Escrow]:
        """Return the merchant's escrows, newest first. Bursar's engine only: the vendor has no such listing (E29)."""
        ...


def _reason(arguments: dict[str, Any]) -> dict[str, Any]:
    """The reason is sent in any case, as null when there is none (PC55)."""
    reason = arguments.pop("reason")
    return {**arguments, "payload": {"reason": reason}}


class DisbursementsResource(Resource[C]):
    """Money from the merchant's wallet to many recipients."""

    @calls(contract.Disbursements.create_disbursement)
    def create(
        self,
        payload: NewDisbursement | Json,
        *,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> DisbursementSummary:
        """Pay a batch of recipients."""
        ...

    @calls(contract.Disbursements.quote_disbursement)
    def quote(self, payload: NewDisbursement | Json, *, request_options: Options = None) -> DisbursementQuote:
        """Say what a batch would cost; nothing is created or held."""
        ...

    @calls(contract.Disbursements.get_disbursement)
    def get(self, disbursement_id: str, *, request_options: Options = None) -> Disbursement:
        """Return a batch in full."""
        ...

    @lists(contract.Disbursements.list_disbursements, DisbursementSummary, _filters)
    def list(
        self,
        *,
        status: str | None = None,
        from_date: Moment = None,
        to_date: Moment = None,
        limit: int | None = None,
        offset: int | None = None,
        request_options: Options = None,
    ) -> Page[DisbursementSummary]:
        """Return batches, newest first: a page that goes on to the following ones when iterated."""
        ...

    @calls(contract.Disbursements.cancel_disbursement, _reason)
    def cancel(
        self,
        disbursement_id: str,
        *,
        reason: str | None = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> DisbursementSummary:
        """Cancel a batch that nothing was sent of yet."""
        ...


def _bulk(arguments: dict[str, Any]) -> dict[str, Any]:
    """All three are sent in any case (PC60)."""
    return {**arguments, "payload": {name: arguments.pop(name) for name in ("force", "reason", "escrow_ids")}}


class EscrowDisbursementsResource(Resource[C]):
    """Batches of escrows from the merchant to recipients."""

    @calls(contract.EscrowDisbursements.create_escrow_disbursement)
    def create(
        self,
        payload: NewEscrowDisbursement | Json,
        *,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> EscrowDisbursement:
        """Open an escrow for each recipient."""
        ...

    @calls(contract.EscrowDisbursements.get_escrow_disbursement)
    def get(self, disbursement_id: str, *, request_options: Options = None) -> EscrowDisbursement:
        """Return a batch in full."""
        ...

    @lists(contract.EscrowDisbursements.list_escrow_disbursements, EscrowDisbursementItem, _filters)
    def list(
        self,
        *,
        status: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        request_options: Options = None,
    ) -> Page[EscrowDisbursementItem]:
        """Return batches, newest first: a page that goes on to the following ones when iterated."""
        ...

    @calls(contract.EscrowDisbursements.release_escrow_disbursement, _bulk)
    def release(
        self,
        disbursement_id: str,
        *,
        force: bool = False,
        reason: str | None = None,
        escrow_ids: Sequence[str] | None = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> EscrowDisbursementReleased:
        """Release escrows of a batch, all of them where `escrow_ids` is None; unmet ones only by `force`."""
        ...

    @calls(contract.EscrowDisbursements.cancel_escrow_disbursement, _reason)
    def cancel(
        self,
        disbursement_id: str,
        *,
        reason: str | None = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> EscrowDisbursementCancelled:
        """Cancel a batch; escrows that were released stay released."""
        ...


class OtpResource(Resource[C]):
    """One-time passwords of payers without account."""

    @calls(contract.Otp.request_otp)
    def request(self, payload: RequestOtp | Json, *, request_options: Options = None) -> OtpSent:
        """Send a customer a one-time password. Sent once: a second one would void the first."""
        ...


def authorization(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arrange what ``/authorize`` is asked, given as one mapping or by keywords."""
    params = arguments.pop("params", None)
    given = arguments if params is None else dict(params)
    check_redirect_uri(given["redirect_uri"])
    return {name: given.get(name) for name in AUTHORIZE}


def code_grant(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arrange the form that exchanges a code; no verifier where there is none (PC21)."""
    given = dict(arguments.get("payload") or arguments)
    check_redirect_uri(given["redirect_uri"])
    names = ("code", "redirect_uri", "client_id", "client_secret")
    form = {name: given[name] for name in names}
    form["grant_type"] = given.get("grant_type") or "authorization_code"
    if given.get("code_verifier") is not None:
        form["code_verifier"] = given["code_verifier"]
    return {"form": form}


def refresh_grant(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arrange the form that exchanges a refresh token: four fields (PC22)."""
    given = dict(arguments.get("payload") or arguments)
    form = {name: given[name] for name in ("refresh_token", "client_id", "client_secret")}
    return {"form": {"grant_type": "refresh_token", **form}}


class AuthResource(Resource[C]):
    """OAuth, for ``piaxis_external``. Sent without the client's own credentials (PC20)."""

    def build_authorize_url(self, params: Json) -> str:
        """Return where to send the customer's browser; sends nothing."""
        caller: Any = self.caller
        return authorize_url(caller.session.policy.base_url, params)

    @calls(contract.OAuth.authorize_test, authorization, public=True)
    def authorize_test(
        self, params: Json, *, as_owner: bool = False, request_options: Options = None
    ) -> AuthorizeTest:
        """Authorize without a browser: for merchants' owners, in controlled environments.

        With `as_owner` the client's credentials are sent, which a server that admits owners only asks for.
        """
        ...

    @calls(contract.OAuth.request_token, code_grant, public=True)
    def exchange_token(self, payload: Json, *, request_options: Options = None) -> Tokens:
        """Exchange a code for tokens. Sent once: a code is good for one use."""
        ...

    @calls(contract.OAuth.request_token, refresh_grant, public=True)
    def refresh_token(self, payload: Json, *, request_options: Options = None) -> Tokens:
        """Exchange a refresh token for a new pair. Sent once: it is good for one use."""
        ...


class ShopifyResource(Resource[C]):
    """Shopify stores that take Piaxis payments."""

    @calls(contract.Shopify.connect_shopify)
    def connect(
        self, payload: ConnectShopify | Json, *, request_options: Options = None
    ) -> ShopifyConnection:
        """Begin to connect a store; its owner agrees at the answer's `install_url`."""
        ...

    @calls(contract.Shopify.disconnect_shopify)
    def disconnect(self, shop_domain: str, *, request_options: Options = None) -> ShopifyDisconnected:
        """Stop taking payments for a store."""
        ...

    @calls(contract.Shopify.get_shopify_session)
    def get_session(self, session_id: str, *, request_options: Options = None) -> ShopifySession:
        """Return a checkout of a store."""
        ...
