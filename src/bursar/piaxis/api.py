"""The Piaxis API as one resource: flat methods, and the same by group."""

from __future__ import annotations

from bursar.contract import C

from .contract import (
    Disbursements,
    EscrowDisbursements,
    Escrows,
    OAuth,
    Otp,
    Payments,
    Shopify,
    WebhookEndpointsApi,
)
from .flat import FlatMethods
from .resources import (
    AuthResource,
    DisbursementsResource,
    EscrowDisbursementsResource,
    EscrowsResource,
    OtpResource,
    PaymentsResource,
    ShopifyResource,
)


class PiaxisApi(FlatMethods[C]):
    """Every call of the API."""

    @property
    def auth(self) -> AuthResource[C]:
        """OAuth."""
        return AuthResource(self.caller)

    @property
    def otp(self) -> OtpResource[C]:
        """One-time passwords."""
        return OtpResource(self.caller)

    @property
    def payments(self) -> PaymentsResource[C]:
        """Payments."""
        return PaymentsResource(self.caller)

    @property
    def escrows(self) -> EscrowsResource[C]:
        """Escrows."""
        return EscrowsResource(self.caller)

    @property
    def disbursements(self) -> DisbursementsResource[C]:
        """Disbursements."""
        return DisbursementsResource(self.caller)

    @property
    def escrow_disbursements(self) -> EscrowDisbursementsResource[C]:
        """Batches of escrows."""
        return EscrowDisbursementsResource(self.caller)

    @property
    def shopify(self) -> ShopifyResource[C]:
        """Shopify stores."""
        return ShopifyResource(self.caller)

    @property
    def webhooks(self) -> WebhookEndpointsApi[C]:
        """Where events are sent."""
        return WebhookEndpointsApi(self.caller)


class PiaxisContract(
    Payments[C],
    Escrows[C],
    Disbursements[C],
    EscrowDisbursements[C],
    Otp[C],
    OAuth[C],
    Shopify[C],
    WebhookEndpointsApi[C],
):
    """All endpoints as the contract has them: what `raw` gives."""
