"""The endpoints of the Piaxis API, one resource for each group, paths relative to the base URL (``.../api``).

`WebhookEndpoints` and `Monitoring` stand beside it: their paths begin at the base URL without ``/api``.
"""

from .disbursements import Disbursements
from .escrow_disbursements import EscrowDisbursements
from .escrows import Escrows
from .monitoring import Monitoring
from .oauth import OAuth
from .otp import Otp
from .payments import Payments
from .shopify import Shopify
from .webhook_endpoints import WebhookEndpointsApi

__all__ = [
    "Disbursements",
    "EscrowDisbursements",
    "Escrows",
    "Monitoring",
    "OAuth",
    "Otp",
    "Payments",
    "Shopify",
    "WebhookEndpointsApi",
]
