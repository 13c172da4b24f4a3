"""JSON that fits a type: with every member, with only the needed ones, and with what a newer server may add."""

import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from bursar.contract import Secret
from bursar.contract.model import Model, OpenEnum

WHEN = "2026-01-02T03:04:05.12Z"
BIG = 10**30
DEEP = 4
"""Optional members are left out below so many models: types may hold themselves."""


class Maker:
    """Makes values of types: `full` with every member, `newer` with members and enum values of a later version.

    `choice` says which type of each union is meant.
    """

    def __init__(self, *, full: bool, newer: bool = False, choice: int = 0) -> None:
        self._full = full
        self._newer = newer
        self._choice = choice
        self.choices = 1
        """Of how many types the widest union that was met is."""

    def value(self, kind: Any, depth: int = 0) -> Any:
        """Return JSON values that fit the type."""
        origin = typing.get_origin(kind)
        if origin is typing.Annotated:
            return self.value(typing.get_args(kind)[0], depth)
        if origin in (typing.Union, types.UnionType):
            return self._one_of(typing.get_args(kind), depth)
        if origin is typing.Literal:
            return typing.get_args(kind)[0]
        if origin in (list, tuple, Sequence):
            return [self.value(typing.get_args(kind)[0], depth)] if self._full else []
        if origin in (dict, Mapping):
            return {"key": self.value(typing.get_args(kind)[1], depth)} if self._full else {}
        if isinstance(kind, type) and issubclass(kind, Model):
            return self._model(kind, depth)
        return self._leaf(kind)

    def _one_of(self, kinds: tuple[Any, ...], depth: int) -> Any:
        present = [kind for kind in kinds if kind not in (type(None), msgspec.UnsetType)]
        if not present or not (self._full or len(present) == len(kinds)):
            return None
        self.choices = max(self.choices, len(present))
        return self.value(present[self._choice % len(present)], depth)

    def _model(self, kind: type[Model], depth: int) -> dict[str, Any]:
        tag = kind.tag_name()
        made: dict[str, Any] = {} if tag is None else {tag: kind.tag_value() or "OF_A_LATER_VERSION"}
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            if field.required or (self._full and depth < DEEP):
                made[field.encode_name] = self.value(hints[field.name], depth + 1)
        if self._newer:
            made["ofALaterVersion"] = {"of": ["a", 10**30, None, 1.5]}
        return made

    def _leaf(self, kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, Enum):
            if self._newer and issubclass(kind, OpenEnum):
                return "OF_A_LATER_VERSION"
            return next(iter(kind)).value
        leaves: dict[Any, Any] = {
            str: "text",
            Secret: "secret",
            int: BIG,
            bool: True,
            datetime: WHEN,
            date: "2026-01-02",
            UUID: "0b7b5c70-4b4e-4d53-9a3a-0d1f9a3d8a11",
            Decimal: 1,
            float: 1.5,
            Any: {"any": ["thing"]},
            object: {"any": ["thing"]},
        }
        return leaves[kind]
