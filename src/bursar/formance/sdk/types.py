"""What stands for "not given", as the vendor has it."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, TypeVar

from .models.likeness import Likeness as BaseModel

T = TypeVar("T")


class Unset:
    """The type of `UNSET`."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""Leaves the setting of the SDK as it is; as a member of a request, leaves the member out."""
Nullable: TypeAlias = T | None
OptionalNullable: TypeAlias = T | Unset | None

__all__ = ["UNSET", "BaseModel", "Nullable", "OptionalNullable", "Unset"]
