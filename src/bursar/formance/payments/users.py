"""Payment service users, and their connections through open banking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bursar.formance.wire import Metadata

from .enums import ConnectionStatus, LinkAttemptStatus
from .wire import PaymentsModel


class ContactDetails(PaymentsModel, kw_only=True):
    """How a user can be reached."""

    email: str | None = None
    phone_number: str | None = None
    locale: str | None = None
    """The server's; the published contract does not have it."""


class Address(PaymentsModel, kw_only=True):
    """Where a user lives."""

    street_number: str | None = None
    street_name: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class NewPaymentServiceUser(PaymentsModel, kw_only=True):
    """A user to create."""

    name: str
    contact_details: ContactDetails | None = None
    address: Address | None = None
    bank_account_ids: Sequence[str] | None = None
    metadata: Mapping[str, str] | None = None


class PaymentServiceUser(PaymentsModel, kw_only=True):
    """A user; None for what was not given."""

    id: str
    name: str
    created_at: datetime
    contact_details: ContactDetails | None
    address: Address | None
    bank_account_ids: list[str] | None
    metadata: Metadata | None


class NewLink(PaymentsModel, kw_only=True):
    """A link to make for a user."""

    client_redirect_url: str
    """Where the user's browser goes at the end."""
    application_name: str | None = None
    """Shown to the user; some providers want it."""


class Link(PaymentsModel, kw_only=True):
    """Where to send the user."""

    attempt_id: str
    link: str


class Connection(PaymentsModel, kw_only=True):
    """A user's connection to a bank."""

    connection_id: str
    connector_id: str
    created_at: datetime
    data_updated_at: datetime
    """The first moment of the year 1 before there is data."""
    updated_at: datetime | None = None
    status: ConnectionStatus
    error: str | None
    metadata: Metadata | None


class LinkAttempt(PaymentsModel, kw_only=True):
    """A user's attempt to link an account."""

    id: str
    psu_id: str
    connector_id: str
    created_at: datetime
    status: LinkAttemptStatus
    client_redirect_url: str
    error: str | None
