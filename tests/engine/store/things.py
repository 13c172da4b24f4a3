"""Tables of every kind of column, for tests of the stores."""

from typing import Any

from msgspec import Struct

from bursar.engine.store.table import Amount, Table


class Thing(Struct, frozen=True):
    book: str
    number: int
    big: Amount
    maybe_big: Amount | None
    flag: bool
    maybe_flag: bool | None
    raw: bytes
    maybe: str | None


THINGS = Table("things", Thing, ("book", "number"), indexes=(("flag", "number"),))


class Stamp(Struct, frozen=True):
    name: str


STAMPS = Table("stamps", Stamp, ("name",), append_only=True)
TABLES = (THINGS, STAMPS)


def thing(number, **changes):
    fields: dict[str, Any] = {
        "big": 0,
        "maybe_big": None,
        "flag": False,
        "maybe_flag": None,
        "raw": b"",
        "maybe": None,
    } | changes
    return Thing("A", number, **fields)


def changes(*rows, table: Table[Any] = THINGS):
    return {table: {table.key_of(row): row for row in rows}}


ROWS = [
    thing(1, big=2**63 - 1, maybe_big=-(2**63)),
    thing(2, big=2**63, maybe_big=-(2**63) - 1, flag=True, maybe_flag=False),
    thing(-(2**63), big=-(10**60), raw=bytes(range(256)), maybe="é😀\x01'\""),
]
