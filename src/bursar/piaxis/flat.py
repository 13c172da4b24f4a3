"""The methods that the vendor's client has itself, and the waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bursar.client import Flow, Session
from bursar.contract import C, Resource

from . import contract
from .methods import calls, flows, same
from .models import (
    AuthorizeTest,
    Disbursement,
    DisbursementSummary,
    Escrow,
    EscrowDisbursement,
    EscrowStatus,
    Payment,
    Tokens,
)
from .oauth import AUTHORIZE, authorize_url
from .resources import (
    DisbursementsResource,
    EscrowDisbursementsResource,
    EscrowsResource,
    Options,
    OtpResource,
    PaymentsResource,
    ShopifyResource,
    authorization,
    code_grant,
    refresh_grant,
)
from .waiting import PollOptions, until

_POLL = PollOptions()


def _wait(endpoint: Any, id_name: str, rest: Callable[[Any], bool]) -> Any:
    def act(session: Session, arguments: dict[str, Any]) -> Flow[Any]:
        done = arguments["until"] or rest
        wanted = {id_name: arguments[id_name]}
        return until(endpoint, wanted, done, arguments["timeout"], arguments["poll"], session)

    return act


def _batch(arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a payload out of the vendor's keyword arguments; what is None is left out (PC54)."""
    kept = {name: arguments.pop(name) for name in ("idempotency_key",)}
    return {**kept, "payload": {name: value for name, value in arguments.items() if value is not None}}


class FlatMethods(Resource[C]):
    """The methods that the vendor's client has itself, and the waits."""

    @same(PaymentsResource.create)
    def create_payment(self) -> None:
        """See `PaymentsResource.create`."""

    @same(PaymentsResource.get)
    def get_payment(self) -> None:
        """See `PaymentsResource.get`."""

    @same(PaymentsResource.list)
    def list_merchant_payments(self) -> None:
        """See `PaymentsResource.list`."""

    @same(EscrowsResource.create)
    def create_escrow(self) -> None:
        """See `EscrowsResource.create`."""

    @same(EscrowsResource.get)
    def get_escrow(self) -> None:
        """See `EscrowsResource.get`."""

    @same(EscrowsResource.status)
    def get_escrow_status(self) -> None:
        """See `EscrowsResource.status`."""

    @same(EscrowsResource.list)
    def list_escrows(self) -> None:
        """See `EscrowsResource.list`."""

    @same(EscrowsResource.release)
    def release_escrow(self) -> None:
        """See `EscrowsResource.release`."""

    @same(EscrowsResource.fulfill_term)
    def fulfill_escrow_term(self) -> None:
        """See `EscrowsResource.fulfill_term`."""

    @same(EscrowsResource.reverse)
    def reverse_escrow(self) -> None:
        """See `EscrowsResource.reverse`."""

    @same(EscrowsResource.dispute)
    def dispute_escrow(self) -> None:
        """See `EscrowsResource.dispute`."""

    @same(DisbursementsResource.get)
    def get_disbursement(self) -> None:
        """See `DisbursementsResource.get`."""

    @same(DisbursementsResource.list)
    def list_disbursements(self) -> None:
        """See `DisbursementsResource.list`."""

    @same(DisbursementsResource.cancel)
    def cancel_disbursement(self) -> None:
        """See `DisbursementsResource.cancel`."""

    @same(DisbursementsResource.quote)
    def quote_disbursement(self) -> None:
        """See `DisbursementsResource.quote`."""

    @same(EscrowDisbursementsResource.get)
    def get_escrow_disbursement(self) -> None:
        """See `EscrowDisbursementsResource.get`."""

    @same(EscrowDisbursementsResource.list)
    def list_escrow_disbursements(self) -> None:
        """See `EscrowDisbursementsResource.list`."""

    @same(EscrowDisbursementsResource.release)
    def release_escrow_disbursement(self) -> None:
        """See `EscrowDisbursementsResource.release`."""

    @same(EscrowDisbursementsResource.cancel)
    def cancel_escrow_disbursement(self) -> None:
        """See `EscrowDisbursementsResource.cancel`."""

    @same(OtpResource.request)
    def request_otp(self) -> None:
        """See `OtpResource.request`."""

    @same(ShopifyResource.connect)
    def connect_shopify(self) -> None:
        """See `ShopifyResource.connect`."""

    @same(ShopifyResource.disconnect)
    def disconnect_shopify(self) -> None:
        """See `ShopifyResource.disconnect`."""

    @same(ShopifyResource.get_session)
    def get_shopify_session(self) -> None:
        """See `ShopifyResource.get_session`."""

    @calls(contract.Disbursements.create_disbursement, _batch)
    def disburse(
        self,
        *,
        recipients: Sequence[Any],
        currency: str,
        payment_method: str,
        description: str | None = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> DisbursementSummary:
        """Pay a batch of recipients: models (`Recipient`) or mappings."""
        ...

    @calls(contract.EscrowDisbursements.create_escrow_disbursement, _batch)
    def escrow_disburse(
        self,
        *,
        recipients: Sequence[Any],
        currency: str,
        payment_method: str,
        description: str | None = None,
        user_location: Any = None,
        idempotency_key: str | None = None,
        request_options: Options = None,
    ) -> EscrowDisbursement:
        """Open an escrow for each recipient: models (`EscrowRecipient`) or mappings."""
        ...

    def build_authorize_url(
        self,
        *,
        merchant_id: str,
        external_user_id: str,
        redirect_uri: str,
        state: str | None = None,
        code_challenge: str | None = None,
        code_challenge_method: str | None = None,
    ) -> str:
        """Return where to send the customer's browser; sends nothing, leaves out what is None (PX-5)."""
        given = (merchant_id, external_user_id, redirect_uri, state, code_challenge, code_challenge_method)
        caller: Any = self.caller
        return authorize_url(caller.session.policy.base_url, dict(zip(AUTHORIZE, given, strict=True)))

    @calls(contract.OAuth.authorize_test, authorization, public=True)
    def authorize_test(
        self,
        *,
        merchant_id: str,
        external_user_id: str,
        redirect_uri: str,
        state: str | None = None,
        code_challenge: str | None = None,
        code_challenge_method: str | None = None,
        as_owner: bool = False,
        request_options: Options = None,
    ) -> AuthorizeTest:
        """Authorize without a browser; see `AuthResource.authorize_test`."""
        ...

    @calls(contract.OAuth.request_token, code_grant, public=True)
    def exchange_token(
        self,
        *,
        code: str,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        grant_type: str = "authorization_code",
        code_verifier: str | None = None,
        request_options: Options = None,
    ) -> Tokens:
        """Exchange a code for tokens. Sent once: a code is good for one use."""
        ...

    @calls(contract.OAuth.request_token, refresh_grant, public=True)
    def refresh_token(
        self, *, refresh_token: str, client_id: str, client_secret: str, request_options: Options = None
    ) -> Tokens:
        """Exchange a refresh token for a new pair. Sent once: it is good for one use."""
        ...

    @flows(_wait(contract.Payments.get_payment, "payment_id", lambda payment: payment.status.is_terminal()))
    def wait_for_payment(
        self,
        payment_id: str,
        *,
        timeout: float = 300.0,
        until: Callable[[Payment], bool] | None = None,
        poll: PollOptions = _POLL,
        request_options: Options = None,
    ) -> Payment:
        """Look at a payment until it will not change any more, or until `until` says so.

        Raises `PiaxisWaitTimeout` after `timeout` seconds. Look at the answer's `status`: it may have failed.
        """
        ...

    @flows(
        _wait(contract.Escrows.get_escrow, "escrow_id", lambda escrow: escrow.status != EscrowStatus.PENDING)
    )
    def wait_for_escrow(
        self,
        escrow_id: str,
        *,
        timeout: float = 300.0,
        until: Callable[[Escrow], bool] | None = None,
        poll: PollOptions = _POLL,
        request_options: Options = None,
    ) -> Escrow:
        """Look at an escrow until it is no longer pending (which a dispute ends, too), or until `until` says so.

        For its money: ``until=lambda escrow: escrow.balance_escrow_in >= escrow.amount``. Raises `PiaxisWaitTimeout`.
        """
        ...

    @flows(
        _wait(
            contract.Disbursements.get_disbursement,
            "disbursement_id",
            lambda batch: batch.status.is_terminal(),
        )
    )
    def wait_for_disbursement(
        self,
        disbursement_id: str,
        *,
        timeout: float = 300.0,
        until: Callable[[Disbursement], bool] | None = None,
        poll: PollOptions = _POLL,
        request_options: Options = None,
    ) -> Disbursement:
        """Look at a batch until nothing of it is under way, or until `until` says so. Raises `PiaxisWaitTimeout`."""
        ...
