"""What the vendor's users import from here."""

from .datetimes import parse_datetime
from .retries import BackoffStrategy, RetryConfig

__all__ = ["BackoffStrategy", "RetryConfig", "parse_datetime"]
