"""Where stacks are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bursar.contract import InvalidRequestError

SERVERS: Final = ("http://localhost", "https://{organization}.{environment}.formance.cloud")
"""A stack on this machine, and the vendor's cloud."""


class ServerEnvironment(StrEnum):
    """Regions of the vendor's cloud."""

    EU_SANDBOX = "eu.sandbox"
    EU_WEST_1 = "eu-west-1"
    US_EAST_1 = "us-east-1"


def templated(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with its ``{names}`` replaced."""
    return re.sub(r"\{(\w+)\}", lambda found: parameters.get(found[1], found[0]), url)


def server(index: int | None, environment: str | None, organization: str | None) -> str:
    """Return the URL of one of `SERVERS`. Raises `InvalidRequestError` for an index that is not there."""
    if index is not None and not 0 <= index < len(SERVERS):
        raise InvalidRequestError(f"server_idx must be from 0 to {len(SERVERS) - 1}", "server_idx")
    place = {
        "environment": str(environment or ServerEnvironment.EU_SANDBOX),
        "organization": organization or "orgID-stackID",
    }
    return templated(SERVERS[index or 0], place)
