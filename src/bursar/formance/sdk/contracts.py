"""The contracts behind the vendor's operations."""

from __future__ import annotations

from functools import cache
from typing import Any, Never

from bursar.contract import BaseEndpoint
from bursar.formance.api import FormanceApi

from .surface import GROUPS


class _Nobody:
    """Stands where a caller would: the contracts are looked at, nothing is called."""

    def invoke(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Never:
        raise AssertionError(f"{endpoint} is not to be called")


@cache
def operations(group: str) -> dict[str, BaseEndpoint]:
    """Return the endpoints of a service's version by the names of the vendor's operations; loads its contract."""
    resource: Any = FormanceApi(_Nobody())
    for name in () if group == "sdk" else group.split("."):
        resource = getattr(resource, name)
    absent = GROUPS[group].absent
    return {
        name: endpoint
        for name, endpoint in vars(type(resource)).items()
        if isinstance(endpoint, BaseEndpoint) and name not in absent
    }
