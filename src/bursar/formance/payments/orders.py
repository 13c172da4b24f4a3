"""Orders and conversions that connectors fetch from exchanges. They can only be read.

Quantities and amounts are integers in the smallest unit of their asset; prices are in that of `price_asset`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bursar.formance.wire import Metadata

from .enums import ConversionStatus, OrderDirection, OrderStatus, OrderType, TimeInForce
from .wire import PaymentsModel


class OrderAdjustment(PaymentsModel, kw_only=True):
    """An order as it was seen once."""

    id: str
    reference: str
    created_at: datetime
    """When the service saw it."""
    status: OrderStatus
    base_quantity_filled: int | None = None
    fee: int | None = None
    fee_asset: str | None = None
    metadata: Metadata | None = None
    raw: dict[str, Any] | None = None


class Order(PaymentsModel, kw_only=True):
    """An order on an exchange."""

    id: str
    connector_id: str
    provider: str
    reference: str
    client_order_id: str | None = None
    created_at: datetime
    updated_at: datetime
    direction: OrderDirection
    source_asset: str
    """What is spent."""
    destination_asset: str
    """What is received."""
    type: OrderType
    status: OrderStatus
    time_in_force: TimeInForce
    expires_at: datetime | None = None
    base_quantity_ordered: int
    base_quantity_filled: int | None = None
    limit_price: int | None = None
    stop_price: int | None = None
    average_fill_price: int | None = None
    price_asset: str | None = None
    quote_amount: int | None = None
    """Quote currency exchanged so far."""
    quote_asset: str | None = None
    fee: int | None = None
    fee_asset: str | None = None
    source_account_id: str | None = None
    destination_account_id: str | None = None
    error: str | None = None
    metadata: Metadata | None = None
    adjustments: list[OrderAdjustment] | None = None


class Conversion(PaymentsModel, kw_only=True):
    """A change of one asset into another at a provider."""

    id: str
    connector_id: str
    provider: str
    reference: str
    created_at: datetime
    updated_at: datetime
    source_asset: str
    destination_asset: str
    source_amount: int
    destination_amount: int | None = None
    fee: int | None = None
    fee_asset: str | None = None
    status: ConversionStatus
    source_account_id: str | None = None
    destination_account_id: str | None = None
    error: str | None = None
    metadata: Metadata | None = None
