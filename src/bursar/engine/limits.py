"""Every bound of the engine in one place; passing one is always a typed error."""

from typing import Final

SECOND_US: Final = 1_000_000
"""Microseconds in a second: the unit of engine time."""

BATCH_COMMANDS: Final = 256
"""Most commands made durable by one commit."""

QUEUED_COMMANDS: Final = 10_000
"""Most commands waiting for the writer; one more is refused with StoreBusy."""

CACHED_ROWS: Final = 100_000
"""Most rows of one table kept in memory between batches; above it the table's cache starts afresh."""

COMMAND_RUNS: Final = 64
"""Most runs of one command that keeps asking for rows not yet in memory; more is a fault of the command."""

WORK_CONCURRENCY: Final = 16
"""Most work items in the hands of handlers at once."""

WORK_STEPS: Final = 256
"""Most steps taken at once: callers' commands that come meanwhile wait behind them."""

WORK_ATTEMPTS: Final = 12
"""Attempts of a work item before it is a dead letter."""

WORK_LEASE_US: Final = 60 * SECOND_US
"""How long a claimed item is safe from other claimants."""

WORK_BACKOFF_US: Final = 1 * SECOND_US
"""Delay after the first failed attempt; it doubles with each."""

WORK_BACKOFF_MAX_US: Final = 3600 * SECOND_US
"""Longest delay between attempts."""

WORK_ERROR_CHARS: Final = 500
"""Length to which the last error of a work item is cut."""

AMOUNT_DIGITS: Final = 36
"""Most digits of a MilkyWay amount in minor units, charged or paid out (MS21)."""

LEDGER_AMOUNT_DIGITS: Final = 4_000
"""Most digits of an amount in a ledger. Sums have more, up to the 4,300 that Python writes."""

KEY_BYTES: Final = 255
"""Longest idempotency key (MS48)."""

QUOTES_KEPT: Final = 10_000
"""Most quotes whose rate is held for a payment that may follow; above it the oldest is let go (D1)."""

SCHEMA_BYTES: Final = 64 * 1024
"""Longest JSON Schema of a service."""

SCHEMA_ERRORS: Final = 20
"""Most errors told about one document that breaks its schema."""

SIMULATOR_RULES: Final = 1_000
"""Most rules of one simulated bank."""

LISTED_ROWS: Final = 1_000
"""Most rows of one page of a listing."""

CLIENT_SECRETS: Final = 100
"""Most secrets of one client of a Formance stack."""

FILTER_DEPTH: Final = 50
"""Deepest nesting of `$and` and `$or` with more than one part; SQLite's parser goes little farther."""
