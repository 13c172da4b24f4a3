"""Bursar's models as the vendor's users see them: by the vendor's names, open objects by attribute too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from bursar.contract import Model
from bursar.contract.json import dumps, loads

from .surface import snake, words

_ABSENT: Final = object()
_OPTIONAL: Final = words(
    """
    RESOURCE account account_id add_account_metadata allow_overdraft amount asset balance balances confirm_hold
    connector_id create_transaction create_transfer_initiation credit_wallet cursor data debit_wallet default
    description destination dot_metadata dot_pattern dot_rules dot_self duration effective_volumes expand file_name
    get_account get_payment get_wallet group_by has_more holding_account id insertion_date key ledger list_wallets main
    metadata name next page_size payment pending pit postings previous profile_id provider reference revert_transaction
    script sort source source_account stripe_transfer through_account timestamp type until user_id vars void_hold
    volumes waiting_validation wallet
    """
)
"""Members that the vendor's models of open objects may lack, and then have as None."""
_UNKNOWN: Final = words(
    """
    base_url experimental_features file_polling_period number_of_accounts_pre_generated
    number_of_payments_pre_generated prefix_file_to_ingest transfer_initiation_status_polling_period
    """
)
"""The same of models that the contracts know without these members."""
_TIMES: Final = frozenset(
    {"created_at", "date", "inserted_at", "pit", "reverted_at", "timestamp", "until", "updated_at"}
)
"""Members of open objects that are times."""


class Open(dict[str, Any]):
    """A JSON object that the contract leaves open, its members also as attributes in snake case."""

    def __getattr__(self, name: str) -> Any:
        for key, value in self.items():
            if name in (key, snake(key), f"{key}_", key.upper(), key.replace(".", "dot_", 1)):
                return _moment(value) if snake(key) in _TIMES else value
        if name in _OPTIONAL:
            return None
        raise AttributeError(f"the object has no member {name!r}")


class View:
    """A model of Bursar's, which is in `native`, with the vendor's names beside its own."""

    native: Model

    def __init__(self, native: Model) -> None:
        vars(self)["native"] = native

    def __getattr__(self, name: str) -> Any:
        if name == "native":  # not there while a copy is made
            raise AttributeError(name)
        value = _member(self.native, name)
        if value is _ABSENT:
            if name in _UNKNOWN:
                return None
            raise AttributeError(f"{type(self.native).__name__} has no member {name!r}")
        return seen(value)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.native, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return View, (self.native,)

    def __eq__(self, other: object) -> bool:
        return self.native == (other.native if isinstance(other, View) else other)

    def __hash__(self) -> int:
        return hash(self.native)

    def __repr__(self) -> str:
        return repr(self.native)

    def model_dump(self, *, by_alias: bool = False, **_: Any) -> dict[str, Any]:
        """Return the members as JSON has them, by their names here or, with `by_alias`, on the wire."""
        found: dict[str, Any] = dumped(self, by_alias=by_alias)
        return found

    def model_dump_json(self, **_: Any) -> str:
        """Return the JSON."""
        return dumps(self.native).decode()


def seen(value: Any) -> Any:
    """Return a value as users see it."""
    if isinstance(value, Model):
        return View(value)
    if isinstance(value, list):
        items: list[Any] = value
        return [seen(item) for item in items]
    if isinstance(value, dict):
        inside: dict[str, Any] = value
        return Open({name: seen(item) for name, item in inside.items()})
    return value


def _moment(value: Any) -> Any:
    """Return a time that JSON gave as text; what is none as it is."""
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return value


def unseen(value: Any) -> Any:
    """Return what a view is of; any other value as it is."""
    return value.native if isinstance(value, View) else value


def dumped(value: Any, *, by_alias: bool) -> Any:
    """Return a value as plain JSON."""
    value = unseen(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=by_alias)
    if isinstance(value, Model):
        wire: dict[str, Any] = loads(dumps(value))
        return wire if by_alias else _renamed(value, wire)
    if isinstance(value, Mapping):
        inside: Mapping[str, Any] = value
        return {name: dumped(item, by_alias=by_alias) for name, item in inside.items()}
    if isinstance(value, list):
        items: list[Any] = value
        return [dumped(item, by_alias=by_alias) for item in items]
    return loads(dumps(value))


@cache
def fields_of(model: type[Model]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return a model's fields; looked up once, since their types are evaluated."""
    return msgspec.structs.fields(model)


def _renamed(model: Model, wire: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a model's JSON by the names of its fields, with None for those that are not there."""
    fields = {
        field.name: dumped(getattr(model, field.name, None), by_alias=False)
        for field in fields_of(type(model))
        if getattr(model, field.name) is not msgspec.UNSET
    }
    known = {field.encode_name for field in fields_of(type(model))}
    return {**{snake(name): value for name, value in wire.items() if name not in known}, **fields}


def _member(model: Model, name: str) -> Any:
    """Return a member under any of its names."""
    for field in fields_of(type(model)):
        if name in (field.name, f"{field.name}_", snake(field.encode_name)):
            value = getattr(model, field.name)
            return None if value is msgspec.UNSET else value
    for key, value in model.extra.items():
        if name in (key, snake(key)):
            return value
    tag = model.tag_name()
    if hasattr(type(model), name):
        return getattr(model, name)
    if tag is not None and name in (tag, snake(tag)):
        return model.tag_value()
    return _ABSENT
