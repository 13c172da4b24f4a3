"""Piaxis: mobile-money checkout, escrow and disbursements."""

from . import contract, models

__all__ = ["contract", "models"]
