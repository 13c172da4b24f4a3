"""Base classes of what goes over the wire: models that keep what they do not know, and open enums."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Self

import msgspec

from .digits import AmountForm
from .secret import Secret


class Model(msgspec.Struct, forbid_unknown_fields=True, dict=True):
    """A JSON object with known members; members it does not know are kept in `extra`.

    Unknown members are forbidden for the fast decoder only: on meeting one, the tolerant decoder takes over and
    keeps it (see `bursar.contract.decode`).
    """

    hidden: ClassVar[frozenset[str]] = frozenset()
    """Fields whose values `repr` does not show."""
    amounts: ClassVar[AmountForm] = AmountForm.NUMBER
    """How the model's own `Decimal` fields are written."""

    @property
    def extra(self) -> dict[str, Any]:
        """Members of the JSON object that the model does not name."""
        known: dict[str, Any] = self.__dict__.get("extra_members", {})
        return known

    def keep_extra(self, members: dict[str, Any]) -> None:
        """Remember members that the model does not name."""
        vars(self)["extra_members"] = members

    def validate(self) -> None:
        """Check rules that types cannot say. Raises `InvalidRequestError`. Called on both sides of the wire."""

    @classmethod
    def tag_name(cls) -> str | None:
        """Return the member that tells this model from the others of a union; None when there is no such member."""
        return cls.__struct_config__.tag_field

    @classmethod
    def tag_value(cls) -> str:
        """Return the value of that member; ``""`` marks the model for values that this version does not know."""
        return str(cls.__struct_config__.tag)

    def to_payload(self) -> dict[str, Any]:
        """Return the members as they go on the wire, values not yet encoded."""
        tag = type(self).tag_name()
        payload: dict[str, Any] = {} if tag is None else {tag: type(self).tag_value()}
        payload.update(
            (name, value)
            for name, field, default in _wire_names(type(self))
            if (value := getattr(self, field)) is not msgspec.UNSET
            and (default is _REQUIRED or value != default)
        )
        payload.update(self.extra)
        return payload

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """Read a model from a mapping as JSON gives it. Raises `UnreadableAnswer`."""
        from .decode import tolerant

        return tolerant(dict(body), cls)

    def __repr__(self) -> str:
        shown = (
            f"{name}={Secret.MASK if name in self.hidden else repr(getattr(self, name))}"
            for name in self.__struct_fields__
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # `rich`, which shows locals in tracebacks, would get msgspec's own, which hides nothing.
        return [
            (name, Secret.MASK if name in self.hidden else getattr(self, name))
            for name in self.__struct_fields__
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return _restore, (type(self), fields, dict(vars(self)))

    def __copy__(self) -> Self:
        restore, (cls, fields, rest) = self.__reduce__()
        copied: Self = restore(cls, fields, rest)
        return copied


class _Required:
    """Marks a field that is always sent."""


_REQUIRED = _Required()
_wire_cache: dict[type[Model], tuple[tuple[str, str, object], ...]] = {}


def _wire_names(cls: type[Model]) -> tuple[tuple[str, str, object], ...]:
    """Return (wire name, field name, default that is left out) for each field of a model."""
    plan = _wire_cache.get(cls)
    if plan is None:
        omits = cls.__struct_config__.omit_defaults
        plan = tuple(
            (f.encode_name, f.name, _omitted(f) if omits or f.default is msgspec.UNSET else _REQUIRED)
            for f in msgspec.structs.fields(cls)
        )
        _wire_cache[cls] = plan
    return plan


def _omitted(field: msgspec.structs.FieldInfo) -> object:
    return _REQUIRED if field.default is msgspec.NODEFAULT else field.default


def _restore(cls: type[Model], fields: dict[str, Any], rest: dict[str, Any]) -> Model:
    model = cls(**fields)
    vars(model).update(rest)
    return model


class OpenEnum(StrEnum):
    """Texts with known names; an unknown text is a member too, with `is_known` False."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """False for a value that this version of Bursar has no name for."""
        return self._name_ in type(self).__members__


class OpenIntEnum(IntEnum):
    """Integers with known names; an unknown integer is a member too, with `is_known` False."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """False for a value that this version of Bursar has no name for."""
        return self._name_ in type(self).__members__
