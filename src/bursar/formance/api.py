"""The Formance stack as one API: what the gateway itself answers, and the services behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource, get

from .wire import Wire

if TYPE_CHECKING:
    from .auth import AuthApi
    from .ledger import LedgerApi
    from .orchestration import OrchestrationApi
    from .payments import PaymentsApi
    from .reconciliation import ReconciliationApi
    from .search import SearchApi
    from .wallets import WalletsApi
    from .webhooks import WebhooksApi


class ServiceVersion(Wire, kw_only=True):
    """A service behind the gateway. `version` is ``unknown`` when it could not be asked."""

    name: str
    version: str
    health: bool


class Versions(Wire, kw_only=True):
    """What runs behind the gateway."""

    region: str
    env: str
    versions: list[ServiceVersion]


class FormanceApi(Resource[C]):
    """The services of a Formance stack."""

    @get("/versions")
    def get_versions(self) -> Versions:
        """Return the services behind the gateway and whether they are well. Needs no token."""
        ...

    @property
    def auth(self) -> AuthApi[C]:
        """OAuth clients, secrets, users."""
        from .auth import AuthApi

        return AuthApi(self.caller)

    @property
    def ledger(self) -> LedgerApi[C]:
        """Ledgers, accounts, transactions."""
        from .ledger import LedgerApi

        return LedgerApi(self.caller)

    @property
    def wallets(self) -> WalletsApi[C]:
        """Wallets, balances, holds."""
        from .wallets import WalletsApi

        return WalletsApi(self.caller)

    @property
    def reconciliation(self) -> ReconciliationApi[C]:
        """Policies, rules, alerts on drift."""
        from .reconciliation import ReconciliationApi

        return ReconciliationApi(self.caller)

    @property
    def search(self) -> SearchApi[C]:
        """Search, which the vendor gave up."""
        from .search import SearchApi

        return SearchApi(self.caller)

    @property
    def webhooks(self) -> WebhooksApi[C]:
        """Where events are sent, and what became of them."""
        from .webhooks import WebhooksApi

        return WebhooksApi(self.caller)

    @property
    def orchestration(self) -> OrchestrationApi[C]:
        """Workflows, their runs, triggers."""
        from .orchestration import OrchestrationApi

        return OrchestrationApi(self.caller)

    @property
    def payments(self) -> PaymentsApi[C]:
        """Connectors to payment providers, accounts, payments."""
        from .payments import PaymentsApi

        return PaymentsApi(self.caller)
