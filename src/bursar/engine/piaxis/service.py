"""The rail as a whole: its services on one core, and its durable work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bursar.engine.core import Core
from bursar.engine.piaxis import (
    disbursements,
    escrows,
    escrows_service,
    keys,
    otp,
    payments,
    providers,
    refunds,
)
from bursar.engine.piaxis.disbursements_service import DisbursementsService
from bursar.engine.piaxis.escrow_disbursements_service import EscrowDisbursementsService
from bursar.engine.piaxis.escrows_service import EscrowsService
from bursar.engine.piaxis.operator import OperatorService
from bursar.engine.piaxis.otp import Codes
from bursar.engine.piaxis.otp_service import OtpService
from bursar.engine.piaxis.payments_service import PaymentsService
from bursar.engine.piaxis.providers import Handler
from bursar.engine.piaxis.tables import DISBURSEMENTS
from bursar.engine.store.table import AnyTable, Key

HANDLERS: Final[Mapping[str, Handler]] = {
    payments.OWNER: payments.HANDLER,
    disbursements.OWNER: disbursements.HANDLER,
    escrows.OWNER: escrows.HANDLER,
    refunds.OWNER: refunds.HANDLER,
}
"""Who takes the news of providers' instructions, by owner kind."""


class PiaxisServices:
    """What the server binds the contract to."""

    def __init__(self, core: Core, codes: Codes) -> None:
        self.codes = codes
        self.otp = OtpService(core, codes)
        self.payments = PaymentsService(core)
        self.disbursements = DisbursementsService(core)
        self.escrows = EscrowsService(core)
        self.escrow_disbursements = EscrowDisbursementsService(core)
        self.operator = OperatorService(core, HANDLERS)


def register(core: Core) -> None:
    """Name the steps and handlers of the rail's work; once for each core, before its worker starts."""
    providers.register(core, HANDLERS)
    core.worker.register_step(disbursements.START, disbursements.start, _batch)
    core.worker.register_step(disbursements.EXPIRE, disbursements.forget_quote)
    escrows_service.register(core)
    core.worker.register_step(otp.FORGET, otp.forget)
    core.worker.register(keys.PURGE, keys.purge)


def _batch(key: str) -> list[tuple[AnyTable, Key]]:
    return [(DISBURSEMENTS, (key,))]
