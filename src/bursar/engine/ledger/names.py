"""The shapes of names (section 3)."""

from __future__ import annotations

import re
from typing import Final

from bursar.engine.kernel import Posting
from bursar.engine.ledger.errors import InvalidPostings, OutdatedSchema, Validation
from bursar.engine.limits import LEDGER_AMOUNT_DIGITS
from bursar.engine.registry import RAIL_LEDGERS

_NAME: Final = re.compile(r"[0-9a-zA-Z_-]{1,63}")
_BUCKET: Final = re.compile(r"[0-9a-zA-Z_-]{1,52}")
_RESERVED: Final = frozenset({"_", "_info", "_healthcheck"})
is_address: Final = re.compile(r"[a-zA-Z0-9_-]+(?::[a-zA-Z0-9_-]+)*").fullmatch
is_asset: Final = re.compile(r"[A-Z][A-Z0-9]{0,16}(?:_[A-Z]{1,16})?(?:/[0-9]{1,6})?").fullmatch

TOO_MUCH: Final = 10**LEDGER_AMOUNT_DIGITS
"""The least amount that no posting may have."""
TOO_MUCH_TOGETHER: Final = TOO_MUCH * 10**200
"""The least sum of amounts that there cannot be."""


def check_ledger(name: str) -> None:
    """Refuse a name that no ledger may have. Raises Validation."""
    if not _NAME.fullmatch(name):
        raise Validation(f"invalid ledger name {name!r}: 1 to 63 of letters, digits, '_' and '-'")
    if name in _RESERVED:
        raise Validation(f"the ledger name {name!r} is reserved")
    check_not_a_rails(name)


def check_not_a_rails(name: str) -> None:
    """Refuse to change a rail's own book: only the rail knows what its postings mean. Raises Validation."""
    if name in RAIL_LEDGERS:
        raise Validation(
            f"ledger {name!r} is kept by the engine itself: it can be read here, but not changed"
        )


def check_bucket(name: str) -> None:
    """Refuse a name that no bucket may have. Raises Validation or OutdatedSchema."""
    if not _BUCKET.fullmatch(name):
        raise Validation(f"invalid bucket name {name!r}: 1 to 52 of letters, digits, '_' and '-'")
    if name == "_system":
        raise OutdatedSchema("the bucket _system holds no ledgers")
    if name == "public" or name.startswith("pg_"):
        raise Validation(f"the bucket name {name!r} is reserved")


def check_posting(index: int, posting: Posting) -> None:
    """Refuse a posting whose amount, addresses or asset have the wrong shape, in this order. Raises InvalidPostings."""
    if posting.amount < 0:
        raise InvalidPostings(f"invalid posting {index}: negative amount")
    if posting.amount >= TOO_MUCH:
        raise InvalidPostings(f"invalid posting {index}: an amount has at most {LEDGER_AMOUNT_DIGITS} digits")
    if not is_address(posting.source):
        raise InvalidPostings(f"invalid posting {index}: invalid source address")
    if not is_address(posting.destination):
        raise InvalidPostings(f"invalid posting {index}: invalid destination address")
    if not is_asset(posting.asset):
        raise InvalidPostings(f"invalid posting {index}: invalid asset")
