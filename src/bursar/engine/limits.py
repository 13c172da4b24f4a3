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
"""Most work items in progress at once."""

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
