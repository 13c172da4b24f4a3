"""Transactions out of the logs that made them."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, Struct, json

from bursar.engine.ledger.commands import Written


class _Data(Struct):
    transaction: Raw


_decode: Final = json.Decoder(_Data).decode


def transaction_of(written: Written) -> bytes:
    """The JSON of the transaction that a write made."""
    return bytes(_decode(written.data).transaction)
