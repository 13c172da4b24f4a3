"""Receiving webhooks: signatures verified, events read, for every scheme that Bursar speaks.

    receiver = Receiver(Piaxis(), os.environ["PIAXIS_WEBHOOK_SECRET"])
    event = receiver.verify_and_parse(request.body, request.headers)

Whatever is wrong with a delivery is a `WebhookVerificationError`: answer it with 400. No network, no HTTP library.
"""

from .errors import Reason, WebhookVerificationError
from .events import Event, FormanceEvent, PiaxisEvent, PiaxisEventType, StandardEvent
from .formance import Formance
from .piaxis import Piaxis
from .receiver import Receiver, Signer
from .replay import MemoryReplayGuard, ReplayGuard
from .scheme import Claim, Fields, Scheme
from .standard import StandardWebhooks

__all__ = [
    "Claim",
    "Event",
    "Fields",
    "Formance",
    "FormanceEvent",
    "MemoryReplayGuard",
    "Piaxis",
    "PiaxisEvent",
    "PiaxisEventType",
    "Reason",
    "Receiver",
    "ReplayGuard",
    "Scheme",
    "Signer",
    "StandardEvent",
    "StandardWebhooks",
    "WebhookVerificationError",
]
