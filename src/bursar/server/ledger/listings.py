"""What a list was asked for: page, sort, filter, time (sections 5 to 7)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from bursar.engine.ledger import wire
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import accounts, ledgers, logs, transactions, volumes
from bursar.engine.ledger.query.expression import parse
from bursar.engine.ledger.query.pages import LARGEST_SIZE, Column, Listing, listing_of, sort_of
from bursar.server.ledger.call import Call


class Pages:
    """Default and largest page size of a version of the API."""

    def __init__(self, default: int, most: int) -> None:
        self.default = default
        self.most = most

    def asked(self, call: Call) -> int:
        """The page size asked for; 0 for none. Raises Validation."""
        return min(call.natural("pageSize", LARGEST_SIZE), self.most)

    def continued(self, call: Call, resource: str, columns: Mapping[str, Column]) -> Listing | None:
        """The list that a cursor continues; None without cursor. All else but the page size is ignored (5.1)."""
        size = self.asked(call)
        token = call.parameter("cursor")
        if not token:
            return None
        listing = listing_of(token, resource, columns)
        return replace(listing, size=size) if size else listing

    async def accounts(self, call: Call) -> Listing:
        """A list of accounts."""
        known = self.continued(call, "accounts", accounts.COLUMNS)
        if known is not None:
            return known
        return await self._new(call, "accounts", accounts.COLUMNS, "address", expand=True)

    async def transactions(self, call: Call) -> Listing:
        """A list of transactions; `order` and `reverse` change the default column and direction (5.2)."""
        known = self.continued(call, "transactions", transactions.COLUMNS)
        if known is not None:
            return known
        usual = "timestamp" if call.parameter("order") == "effective" else "id"
        falling = not call.flag("reverse")
        return await self._new(
            call, "transactions", transactions.COLUMNS, "id", descending=falling, expand=True, usual=usual
        )

    async def logs(self, call: Call) -> Listing:
        """A list of logs; times have no effect on it, but must be good."""
        known = self.continued(call, "logs", logs.COLUMNS)
        if known is not None:
            return known
        no_expand(call)
        listing = await self._new(call, "logs", logs.COLUMNS, "id", descending=True)
        return replace(listing, pit=None, oot=None)

    async def ledgers(self, call: Call) -> Listing:
        """A list of ledgers."""
        known = self.continued(call, "ledgers", ledgers.COLUMNS)
        if known is not None:
            return known
        no_expand(call)
        listing = await self._new(call, "ledgers", ledgers.COLUMNS, "id")
        options = {"includeDeleted": 1} if call.flag("includeDeleted") else {}
        return replace(listing, pit=None, oot=None, options=options)

    async def schemas(self, call: Call) -> Listing:
        """A list of schemas; `order` counts when `sort` names no direction (5.2)."""
        known = self.continued(call, "schemas", ledgers.SCHEMA_COLUMNS)
        if known is not None:
            return known
        no_expand(call)
        falling = call.parameter("order").lower() != "asc"
        listing = await self._new(call, "schemas", ledgers.SCHEMA_COLUMNS, "created_at", descending=falling)
        return replace(listing, oot=None)

    async def volumes(self, call: Call) -> Listing:
        """A list of volumes; the older names of parameters win (8.8)."""
        known = self.continued(call, "volumes", volumes.COLUMNS)
        if known is not None:
            return known
        no_expand(call)
        listing = await self._new(call, "volumes", volumes.COLUMNS, "account")
        options = {"groupBy": _levels(call)}
        if call.flag("insertionDate"):
            options["insertionDate"] = 1
        return replace(
            listing, pit=call.time("endTime", "pit"), oot=call.time("startTime", "oot"), options=options
        )

    async def _new(
        self,
        call: Call,
        resource: str,
        columns: Mapping[str, Column],
        default: str,
        *,
        descending: bool = False,
        expand: bool = False,
        usual: str = "",
    ) -> Listing:
        column, falling = sort_of(
            call.parameter("sort"), columns, default, descending=descending, usual=usual
        )
        return Listing(
            resource=resource,
            size=self.asked(call) or self.default,
            column=column,
            descending=falling,
            filter=await filter_text(call),
            pit=call.time("pit"),
            oot=call.time("oot"),
            expand=tuple(expanded(call)) if expand else (),
        )


async def counted(call: Call, resource: str) -> Listing:
    """What a count counts: filter and time; sort, pages and expand are ignored (section 7)."""
    call.time("oot")
    return Listing(
        resource=resource, size=1, column="id", filter=await filter_text(call), pit=call.time("pit")
    )


async def filter_text(call: Call) -> str:
    """The JSON text of the filter, from `query` or the body; "" for none. Raises Validation for bad grammar."""
    text = call.parameter("query")
    if not text:
        text = wire.to_text(await call.body())
    if not text:
        return ""
    try:
        value, end = wire.value_at(text, 0)
    except EOFError:
        raise Validation("EOF") from None
    return "" if parse(value) is None else text[:end]


def expanded(call: Call) -> list[str]:
    """Parts to show besides, from repeated parameters and comma lists."""
    return [name for value in call.query.get("expand", ()) for name in value.split(",")]


def no_expand(call: Call) -> None:
    """Refuse `expand` where nothing can be expanded (24.2). Raises Validation."""
    if "expand" in call.query:
        raise Validation("there is nothing to expand here")


def _levels(call: Call) -> int:
    text = call.parameter("groupBy")
    if not text:
        return 0
    number = wire.integer(text, -(2**63), 2**63 - 1)
    if number is None:
        raise Validation(f"invalid 'groupBy': {text!r} is no whole number")
    return max(number, 0)
