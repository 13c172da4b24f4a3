"""Every bound of the HTTP server in one place; passing one is always a documented answer."""

from typing import Final

BODY_BYTES: Final = 1_000_000
"""Largest request body; a larger one is answered with 413, before it is read when its length is declared."""

HEAD_BYTES: Final = 65_536
"""Largest request line and header fields together; more is answered with 400 and the connection closed."""

FORM_BYTES: Final = 16_384
"""Largest form of the token endpoint."""

QUERY_FIELDS: Final = 100
"""Most parameters in a query string or form; more is answered with 400."""

REQUEST_ID_LENGTH: Final = 128
"""Longest `x-request-id` taken over from a caller; a longer one is replaced."""

TOKEN_SECONDS: Final = 300
"""Life of an access token, Keycloak's default."""

FAULT_RULES: Final = 1_000
"""Most fault rules at once (sandbox only)."""

FAULT_DELAY_SECONDS: Final = 600
"""Longest delay of a fault, and longest pause between the pieces of a slow answer (sandbox only)."""

ADVANCE_SECONDS: Final = 100 * 365 * 86_400
"""Farthest step of the sandbox clock."""

DRAIN_SECONDS: Final = 30
"""How long a stopping server waits for answers under way."""

KEEP_ALIVE_SECONDS: Final = 75
"""How long an idle connection stays open. Longer than common clients keep theirs, so that they close first."""

CONNECTION_BACKLOG: Final = 2048
"""Connections the operating system holds while the server is busy."""

HEALTH_SECONDS: Final = 2.0
"""How long the health check waits for the writer, and metrics for the database."""

MEASURE_SECONDS: Final = 15.0
"""How often the database is asked for metrics that OpenTelemetry shows."""

LEDGER_BODY_BYTES: Final = 64_000_000
"""Largest body of the ledger API that is read whole; the real service has no bound. Streams have none here either."""
