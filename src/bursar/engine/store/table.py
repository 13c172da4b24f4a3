"""How a table is declared once, for every store: a name, a row type, a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from msgspec import Struct

Scalar = int | str | bytes | bool | None
"""What a column holds. Nested things are JSON text."""

Key = tuple[Scalar, ...]

BIG: Final = "big"
Amount = Annotated[int, BIG]
"""An integer column without bound. Plain `int` columns hold 64 bits."""

R = TypeVar("R", bound=Struct)


class Column(Struct, frozen=True):
    """A column as a store needs to know it: `type` is int, str, bytes or bool."""

    name: str
    type: type[int | str | bytes | bool]
    optional: bool
    big: bool


class Table(Generic[R]):
    """A table of `row` structs, each found by the columns of `key`.

    The first column of a ledger's table is the ledger. `indexes` are further lists of columns to search by. `cached`
    keeps rows in memory between batches: for small or hot tables. `append_only` rows are written once and never again.
    """

    def __init__(
        self,
        name: str,
        row: type[R],
        key: tuple[str, ...],
        *,
        indexes: Sequence[tuple[str, ...]] = (),
        cached: bool = False,
        append_only: bool = False,
    ) -> None:
        self.name: Final = name
        self.row: Final = row
        self.key: Final = key
        self.indexes: Final = tuple(indexes)
        self.cached: Final = cached
        self.append_only: Final = append_only
        self.columns: Final = _columns(row)
        names = [column.name for column in self.columns]
        unknown = {*key, *(name for index in indexes for name in index)} - {*names}
        if unknown or names[: len(key)] != list(key):
            raise TypeError(
                f"{name}: the key must be the first columns of {row.__name__}; unknown: {unknown}"
            )
        self.key_of: Final[Callable[[R], Key]] = _key_getter(key)

    def __repr__(self) -> str:
        return f"Table({self.name})"


AnyTable = Table[Any]


def _key_getter(key: tuple[str, ...]) -> Callable[[Any], Key]:
    get = cast("Callable[[Any], Any]", attrgetter(*key))
    return get if len(key) > 1 else lambda row: (get(row),)


def _columns(row: type[Struct]) -> tuple[Column, ...]:
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(row, name, hints[name]) for name in row.__struct_fields__)


def _column(row: type[Struct], name: str, hint: object) -> Column:
    optional = get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)
    if optional:
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    big = get_origin(hint) is Annotated and BIG in get_args(hint)
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    for kind in (bool, int, str, bytes):
        if hint is kind:
            return Column(name, kind, optional, big)
    raise TypeError(f"{row.__name__}.{name}: a column holds int, str, bytes or bool, not {hint!r}")
