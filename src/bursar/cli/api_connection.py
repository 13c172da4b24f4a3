"""The clients of `bursar api`: their addresses and credentials come from the environment, never from arguments."""

from __future__ import annotations

import os
from typing import Any, Final

from bursar.cli.api_catalog import Group
from bursar.cli.output import refuse

VARIABLES: Final = {
    ("formance", ""): "FORMANCE_URL, FORMANCE_CLIENT_ID, FORMANCE_CLIENT_SECRET",
    ("milkyway", ""): "MILKYWAY_BASE_URL, MILKYWAY_TOKEN_URL, MILKYWAY_CLIENT_ID, MILKYWAY_CLIENT_SECRET",
    ("milkyway", "operator"): "those of the API, with an operator's client",
    ("piaxis", ""): "PIAXIS_API_KEY or PIAXIS_ACCESS_TOKEN, PIAXIS_CLIENT_ID, PIAXIS_API_BASE_URL",
    ("piaxis", "operator"): (
        "PIAXIS_OPERATOR_BASE_URL, PIAXIS_OPERATOR_TOKEN_URL, PIAXIS_OPERATOR_CLIENT_ID,"
        " PIAXIS_OPERATOR_CLIENT_SECRET"
    ),
}
"""What is read from the environment."""


def variables(group: Group) -> str:
    """Say what a group's client reads from the environment."""
    return VARIABLES.get((group.api, group.name), VARIABLES[group.api, ""])


def connect(group: Group, url: str, *, public: bool) -> Any:
    """Return a client that blocks; `url` wins over the environment's, `public` leaves the credentials out."""
    if group.api == "formance":
        return _formance(url)
    if group.api == "milkyway":
        return _milkyway(url, operator=group.name == "operator")
    return _piaxis_operator(url) if group.name == "operator" else _piaxis(url, public=public)


def _formance(url: str) -> Any:
    from bursar.formance import Formance, FormanceOptions

    return Formance(
        FormanceOptions(
            base_url=url or _needed("FORMANCE_URL"),
            client_id=os.environ.get("FORMANCE_CLIENT_ID") or None,
            client_secret=os.environ.get("FORMANCE_CLIENT_SECRET") or None,
        )
    )


def _milkyway(url: str, *, operator: bool) -> Any:
    from bursar.milkyway import MilkywayOptions, MilkywayPaymentsClient

    options = MilkywayOptions(
        base_url=url or _needed("MILKYWAY_BASE_URL"),
        token_url=_needed("MILKYWAY_TOKEN_URL"),
        client_id=_needed("MILKYWAY_CLIENT_ID"),
        client_secret=_needed("MILKYWAY_CLIENT_SECRET"),
    )
    if not operator:
        return MilkywayPaymentsClient(options)
    from bursar.milkyway.operator import MilkywayOperatorClient

    return MilkywayOperatorClient(options)


def _piaxis(url: str, *, public: bool) -> Any:
    from bursar.piaxis import DEFAULT_BASE_URL, PiaxisClient

    named: dict[str, Any] = {"base_url": url} if url else {}
    if public:
        return PiaxisClient(base_url=url or os.environ.get("PIAXIS_API_BASE_URL") or DEFAULT_BASE_URL)
    return PiaxisClient.from_env(**named)


def _piaxis_operator(url: str) -> Any:
    from bursar.piaxis.back_office import OperatorOptions, PiaxisOperatorClient

    return PiaxisOperatorClient(
        OperatorOptions(
            base_url=url or _needed("PIAXIS_OPERATOR_BASE_URL"),
            token_url=_needed("PIAXIS_OPERATOR_TOKEN_URL"),
            client_id=_needed("PIAXIS_OPERATOR_CLIENT_ID"),
            client_secret=_needed("PIAXIS_OPERATOR_CLIENT_SECRET"),
        )
    )


def _needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        refuse(
            f"set {name} in the environment" + (", or give --url" if name.endswith("_URL") else ""), status=2
        )
    return value
