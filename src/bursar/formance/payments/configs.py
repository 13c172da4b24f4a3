"""Configurations of connectors: one model per payment provider, told apart by ``provider``.

Values that let somebody in are not shown by `repr`. A provider without a model here, or a member of an older server,
goes as a plain mapping; on reading, unknown providers come as `OtherConfig`.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from .wire import PaymentsModel


class ProviderConfig(PaymentsModel, tag_field="provider", tag="", kw_only=True):
    """What all configurations have."""

    name: str
    """3 to 500 characters, unique among all connectors."""
    polling_period: str | None = None
    """How often the provider is asked, a duration like ``30m`` (the default) or ``1h30m``; at least 20 minutes.

    It reads as the server prints it: ``30m0s``."""
    page_size: int | None = None
    """Servers ignore it since v3.1."""

    hidden: ClassVar[frozenset[str]] = frozenset(
        {
            "access_key", "api_key", "api_secret", "client_secret", "configuration_token", "hmac_key", "passphrase",
            "password", "private_key", "secret", "staging_token", "user_certificate_key", "webhook_password",
            "webhook_shared_secret",
        }
    )  # fmt: skip


class AdyenConfig(ProviderConfig, tag="Adyen", kw_only=True):
    """Adyen. Servers of v3 want `company_id`, older ones `hmac_key`."""

    api_key: str
    company_id: str | None = None
    hmac_key: str | None = None
    live_endpoint_prefix: str | None = None
    webhook_username: str | None = None
    webhook_password: str | None = None


class AtlarConfig(ProviderConfig, tag="Atlar", kw_only=True):
    """Atlar. Servers of v3 want `base_url`."""

    access_key: str
    secret: str
    base_url: str | None = field(default=None, name="baseUrl")


class BankingbridgeConfig(ProviderConfig, tag="Bankingbridge", kw_only=True):
    """Banking Bridge."""

    client_id: str
    client_secret: str
    endpoint: str
    auth_endpoint: str


class BankingcircleConfig(ProviderConfig, tag="Bankingcircle", kw_only=True):
    """Banking Circle."""

    username: str
    password: str
    endpoint: str
    authorization_endpoint: str
    user_certificate: str
    user_certificate_key: str


class BitstampConfig(ProviderConfig, tag="Bitstamp", kw_only=True):
    """Bitstamp."""

    api_key: str
    api_secret: str
    endpoint: str | None = None


class CoinbaseprimeConfig(ProviderConfig, tag="Coinbaseprime", kw_only=True):
    """Coinbase Prime."""

    api_key: str
    api_secret: str
    passphrase: str
    portfolio_id: str = field(name="portfolioId")


class ColumnConfig(ProviderConfig, tag="Column", kw_only=True):
    """Column."""

    api_key: str
    endpoint: str


class CurrencycloudConfig(ProviderConfig, tag="Currencycloud", kw_only=True):
    """Currencycloud. Servers of v3 want `endpoint`."""

    login_id: str
    api_key: str
    endpoint: str | None = None


class DummypayConfig(ProviderConfig, tag="Dummypay", kw_only=True):
    """The test provider, which keeps its accounts and balances in files of a directory."""

    directory: str
    """There already, or ending with a slash."""
    link_flow_error: bool | None = None
    """Let links of users end with an error."""
    update_link_flow_error: bool | None = None


class FireblocksConfig(ProviderConfig, tag="Fireblocks", kw_only=True):
    """Fireblocks."""

    api_key: str
    private_key: str
    endpoint: str | None = None


class GenericConfig(ProviderConfig, tag="Generic", kw_only=True):
    """A provider of one's own that speaks the generic protocol."""

    api_key: str
    endpoint: str


class IncreaseConfig(ProviderConfig, tag="Increase", kw_only=True):
    """Increase."""

    api_key: str
    endpoint: str
    webhook_shared_secret: str


class KrakenproConfig(ProviderConfig, tag="Krakenpro", kw_only=True):
    """Kraken Pro."""

    api_key: str
    api_secret: str
    endpoint: str


class MangopayConfig(ProviderConfig, tag="Mangopay", kw_only=True):
    """Mangopay."""

    client_id: str
    api_key: str
    endpoint: str


class ModulrConfig(ProviderConfig, tag="Modulr", kw_only=True):
    """Modulr. Servers of v3 want `endpoint`."""

    api_key: str
    api_secret: str
    endpoint: str | None = None


class MoneycorpConfig(ProviderConfig, tag="Moneycorp", kw_only=True):
    """Moneycorp."""

    client_id: str
    api_key: str
    endpoint: str


class PlaidConfig(ProviderConfig, tag="Plaid", kw_only=True):
    """Plaid, open banking."""

    client_id: str
    client_secret: str
    is_sandbox: bool | None = None


class PowensConfig(ProviderConfig, tag="Powens", kw_only=True):
    """Powens, open banking."""

    client_id: str
    client_secret: str
    configuration_token: str
    domain: str
    endpoint: str
    max_connections_per_link: int


class QontoConfig(ProviderConfig, tag="Qonto", kw_only=True):
    """Qonto."""

    client_id: str
    api_key: str
    endpoint: str
    staging_token: str | None = None


class RoutableConfig(ProviderConfig, tag="Routable", kw_only=True):
    """Routable."""

    api_key: str
    acting_team_member: str | None = None
    endpoint: str | None = None


class StripeConfig(ProviderConfig, tag="Stripe", kw_only=True):
    """Stripe."""

    api_key: str


class TinkConfig(ProviderConfig, tag="Tink", kw_only=True):
    """Tink, open banking."""

    client_id: str
    client_secret: str
    endpoint: str


class WiseConfig(ProviderConfig, tag="Wise", kw_only=True):
    """Wise. Servers of v3 want `webhook_public_key`."""

    api_key: str
    webhook_public_key: str | None = None


class OtherConfig(ProviderConfig, tag="", kw_only=True):
    """A provider that this version does not know; its members are in `extra`, ``provider`` too."""


ConnectorConfig = (
    AdyenConfig
    | AtlarConfig
    | BankingbridgeConfig
    | BankingcircleConfig
    | BitstampConfig
    | CoinbaseprimeConfig
    | ColumnConfig
    | CurrencycloudConfig
    | DummypayConfig
    | FireblocksConfig
    | GenericConfig
    | IncreaseConfig
    | KrakenproConfig
    | MangopayConfig
    | ModulrConfig
    | MoneycorpConfig
    | PlaidConfig
    | PowensConfig
    | QontoConfig
    | RoutableConfig
    | StripeConfig
    | TinkConfig
    | WiseConfig
    | OtherConfig
)


class ConfigField(PaymentsModel, kw_only=True):
    """A member that a provider's configuration has."""

    data_type: str
    """``string``, ``boolean``, ``unsigned integer`` or ``duration ns``."""
    required: bool
    default_value: str | None = None
    """Empty when there is none."""


ConfigCatalogue = dict[str, dict[str, ConfigField]]
"""By provider, then by member."""
