"""Every bound of the engine in one place; passing one is always a typed error."""

from typing import Final

SECOND_US: Final = 1_000_000
"""Microseconds in a second: the unit of engine time."""

BATCH_COMMANDS: Final = 256
"""Most commands made durable by one commit."""

BATCH_ROWS: Final = 1_500
"""Changed rows above which a batch takes no more commands: it is committed while the next ones run."""

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

WEBHOOK_ENDPOINTS: Final = 50
"""Most webhook endpoints of one owner."""

WEBHOOK_URL_CHARS: Final = 2_000
"""Longest URL of a webhook endpoint."""

WEBHOOK_TEXT_CHARS: Final = 500
"""Longest description of a webhook endpoint, and what is kept of an error or of an answer's body."""

WEBHOOK_EVENT_TYPES: Final = 100
"""Most event types in an endpoint's subscription."""

WEBHOOK_SECRET_CHARS: Final = (16, 200)
"""Shortest and longest secret that a caller may choose for an endpoint."""

WEBHOOK_ROOM: Final = 256
"""Most endpoints that are delivered to at once."""

WEBHOOK_IN_FLIGHT: Final = 32
"""Most requests under way to one endpoint."""

WEBHOOK_TURN_S: Final = 20.0
"""How long an endpoint's deliveries are in hand before the others' turn, in real seconds; less than a lease."""

WEBHOOK_ANSWER_BYTES: Final = 64 * 1024
"""Most of an endpoint's answer that is read; a connection with more to come is closed."""

WEBHOOK_ADMITTED: Final = 200
"""Most new deliveries of one endpoint put in order by one commit."""

WEBHOOK_REPLAYED: Final = 500
"""Most deliveries replayed by one commit."""

ESCROW_TERMS: Final = 50
"""Most terms of an escrow."""

ESCROW_ALLOCATIONS: Final = 200
"""Most slices of an escrow."""

ESCROW_PARTICIPANTS: Final = 50
"""Most people whom a term names, or whose approvals it asks for."""

ESCROW_JSON_CHARS: Final = 16 * 1024
"""Longest free JSON of an escrow: its metadata, that of a slice, the data of a term or of a fulfilment."""
