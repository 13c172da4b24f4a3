"""Stand-ins for the vendor's model classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from bursar.contract import Model, Secret
from bursar.formance.sdk.view import dumped, unseen

_CONFIDENTIAL = re.compile(
    r"secret|password|passphrase|private|token|clear|(api|access|hmac|certificate)_?key", re.IGNORECASE
)


@cache
def native_names(name: str) -> frozenset[str]:
    """Return what Bursar may call the vendor's model: ``V2Transaction`` is ``Transaction``."""
    bare = re.sub(r"^V[23]", "", name)
    return frozenset({name, bare, f"{bare}V1", _NATIVE.get(name, name), *_ANSWERS.get(name, ())})


# Models that are told apart by their class, under the vendor's names and under Bursar's.
_NATIVE = {
    "V2BulkElementCreateTransaction": "BulkCreate",
    "V2BulkElementAddMetadata": "BulkAddMetadata",
    "V2BulkElementRevertTransaction": "BulkRevert",
    "V2BulkElementDeleteMetadata": "BulkDeleteMetadata",
    "V2BulkElementResultCreateTransaction": "BulkCreated",
    "V2BulkElementResultAddMetadata": "BulkMetadataAdded",
    "V2BulkElementResultRevertTransaction": "BulkReverted",
    "V2BulkElementResultDeleteMetadata": "BulkMetadataDeleted",
    "V2BulkElementResultError": "BulkFailed",
    "V2LogDataNewTransaction": "NewTransactionData",
    "V2LogDataRevertedTransaction": "RevertedTransactionData",
    "V2LogDataSetMetadata": "SetMetadataData",
    "V2LogDataDeleteMetadata": "DeleteMetadataData",
    "V2LogDataInsertedSchema": "InsertedSchemaData",
}
_LOGS = (
    "NewTransactionLog",
    "RevertedTransactionLog",
    "SetMetadataLog",
    "DeleteMetadataLog",
    "InsertedSchemaLog",
)
_ANSWERS = {"V2Log": (*_LOGS, "UnknownLog"), "Log": (*_LOGS, "UnknownLog")}


class _Named(type):
    """Counts Bursar's own model of the same name and service as an instance."""

    def __instancecheck__(cls, instance: object) -> bool:
        if super().__instancecheck__(instance):
            return True
        native = unseen(instance)
        if not isinstance(native, Model):
            return False
        kind = type(native)
        service = f"bursar.formance.{cls.__module__.rpartition('.')[2]}"
        return kind.__module__.startswith(service) and kind.__name__ in native_names(cls.__name__)


class Likeness(metaclass=_Named):
    """An object with the members that it was made with, by the vendor's names.

    Whether they fit an operation is looked at when the operation is called. `repr` does not show members that may let
    somebody in.
    """

    def __init__(self, **members: Any) -> None:
        vars(self).update(members)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{type(self).__name__} has no member {name!r}: {', '.join(vars(self)) or 'it is empty'}"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self)[name] = value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        raise TypeError(f"unhashable: {type(self).__name__}")

    def model_dump(self, *, by_alias: bool = False, **_: Any) -> dict[str, Any]:
        """Return the members as JSON has them; with `by_alias` what is in answers by its names on the wire."""
        return {name: dumped(value, by_alias=by_alias) for name, value in vars(self).items()}

    def __repr__(self) -> str:
        shown = (f"{n}={Secret.MASK if _CONFIDENTIAL.search(n) else repr(v)}" for n, v in vars(self).items())
        return f"{type(self).__name__}({', '.join(shown)})"


def members_of(value: object) -> Mapping[str, Any] | None:
    """Return the members of one of these or a mapping; None for anything else."""
    if isinstance(value, Mapping):
        inside: Mapping[str, Any] = value
        return inside
    return vars(value) if type.__instancecheck__(Likeness, value) else None


__all__ = ["Likeness", "members_of", "native_names"]
