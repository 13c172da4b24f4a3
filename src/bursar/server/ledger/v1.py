"""Version 1 of the ledger API (section 18). It makes a ledger at the first touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Raw, Struct, json
from msgspec.structs import replace

from bursar.engine.kernel.restore import UNSET_TIME
from bursar.engine.ledger import names
from bursar.engine.ledger.commands import Options, Written
from bursar.engine.ledger.errors import (
    CompilationFailed,
    InterpreterParse,
    InterpreterRuntime,
    LedgerExists,
    LedgerNotFound,
    MetadataOverride,
    NoPostings,
    NotFound,
    Validation,
)
from bursar.engine.ledger.query import accounts, logs, transactions, volumes
from bursar.engine.ledger.query.expression import parse
from bursar.engine.ledger.query.pages import Listing, Page
from bursar.engine.ledger.requests import DeleteMetadata, RevertTransaction, SetMetadata
from bursar.engine.ledger.service import LedgerService
from bursar.engine.registry import LedgerRow
from bursar.engine.view import ReadView
from bursar.server.ledger import inputs
from bursar.server.ledger.answers import TEXT, Answer, counted, cursor, data
from bursar.server.ledger.call import Call
from bursar.server.ledger.filters_v1 import of_accounts, of_transactions, window
from bursar.server.ledger.info import ledger_info
from bursar.server.ledger.listings import Pages
from bursar.server.ledger.routes import Routes
from bursar.server.ledger.v2 import HIT, done
from bursar.server.ledger.written import transaction_of

PAGES: Final = Pages(15, 1000)
_TRUE: Final = frozenset({"1", "true", "yes"})
_SCRIPT_FAULTS: Final = (
    CompilationFailed,
    MetadataOverride,
    NoPostings,
    InterpreterParse,
    InterpreterRuntime,
)


class Version1:
    """The handlers of version 1."""

    def __init__(self, service: LedgerService) -> None:
        self.service = service

    def routes(self) -> Routes:
        """All paths, as they are below the mount."""
        table = Routes()

        def add(path: str, **handlers: Any) -> None:
            table.add(f"/{{ledger}}/{path}", handlers)

        add("_info", GET=self.ledger_info)
        add("stats", GET=self.stats)
        add("logs", GET=self.list_logs)
        add("accounts", GET=self.list_accounts, HEAD=self.count_accounts)
        add("accounts/{address}", GET=self.get_account)
        add("accounts/{address}/metadata", POST=self.set_account_metadata)
        add("accounts/{address}/metadata/{key}", DELETE=self.delete_account_metadata)
        add(
            "transactions",
            GET=self.list_transactions,
            HEAD=self.count_transactions,
            POST=self.create_transaction,
        )
        add("transactions/batch", POST=self.batch)
        add("transactions/{id}", GET=self.get_transaction)
        add("transactions/{id}/revert", POST=self.revert_transaction)
        add("transactions/{id}/metadata", POST=self.set_transaction_metadata)
        add("transactions/{id}/metadata/{key}", DELETE=self.delete_transaction_metadata)
        add("balances", GET=self.list_balances)
        add("aggregate/balances", GET=self.aggregated_balances)
        return table

    async def touch(self, path: str) -> None:
        """Make the ledger that a path names, in a bucket of its own, unless it is there (18.1)."""
        name = path.split("/", 2)[1]
        try:
            await self.service.ledger(name)
        except LedgerNotFound:
            names.check_ledger(name)
            try:
                await self.service.create_ledger(name, bucket=name)
            except LedgerExists:
                await self._ledger_of_another(name)

    async def _ledger_of_another(self, name: str) -> None:
        """Somebody else was faster, or the ledger is deleted."""
        try:
            await self.service.ledger(name)
        except LedgerNotFound:
            raise NotFound from None

    async def ledger_info(self, call: Call) -> Answer:
        """Tell about a ledger."""
        return data(await ledger_info(self.service, call.ledger))

    async def stats(self, call: Call) -> Answer:
        """Count transactions and accounts."""
        return data(await self.service.read(call.ledger, volumes.stats))

    async def list_logs(self, call: Call) -> Answer:
        """List logs."""
        known = PAGES.continued(call, "logs", logs.COLUMNS)
        if known is None:
            for name in ("after", "expand"):
                if call.parameter(name) or (name == "expand" and name in call.query):
                    raise Validation(f"'{name}' is no parameter of logs")
            for name in ("pit", "oot"):
                call.time(name)
            after, before = window(call, ("start_time",), ("end_time",))
            size = PAGES.asked(call) or PAGES.default
            known = Listing(resource="logs", size=size, column="id", descending=True, pit=before, oot=after)
        listing = known
        return cursor(await self.service.read(call.ledger, lambda view, row: logs.page(view, row, listing)))

    # Accounts.

    async def list_accounts(self, call: Call) -> Answer:
        """List accounts."""
        listing = self._accounts(call)
        return cursor(
            await self.service.read(call.ledger, lambda view, row: accounts.page(view, row, listing))
        )

    async def count_accounts(self, call: Call) -> Answer:
        """Count accounts."""
        call.time("oot")
        listing = Listing(
            resource="accounts", size=1, column="address", filter=of_accounts(call), pit=call.time("pit")
        )
        return counted(
            await self.service.read(call.ledger, lambda view, row: accounts.count(view, row, listing))
        )

    async def list_balances(self, call: Call) -> Answer:
        """Balances by account; with a point in time those of insertion."""
        listing = replace(self._accounts(call), expand=(accounts.VOLUMES,))

        def query(view: ReadView, row: LedgerRow) -> Page:
            page = accounts.page(view, row, listing)
            return replace(page, data=[{account["address"]: _balances(account)} for account in page.data])

        return cursor(await self.service.read(call.ledger, query))

    def _accounts(self, call: Call) -> Listing:
        known = PAGES.continued(call, "accounts", accounts.COLUMNS)
        if known is not None:
            return known
        call.time("oot")
        return Listing(
            resource="accounts",
            size=PAGES.asked(call) or PAGES.default,
            column="address",
            filter=of_accounts(call),
            pit=call.time("pit"),
            expand=tuple(call.query.get("expand", ())),
        )

    async def get_account(self, call: Call) -> Answer:
        """Get account."""
        address = call.address()

        def query(view: ReadView, row: LedgerRow) -> Mapping[str, Any]:
            try:
                found = accounts.one(view, row, address, None, [accounts.VOLUMES])
            except NotFound:
                return _unknown(address)
            return {**found, "balances": _balances(found)}

        return data(await self.service.read(call.ledger, query))

    async def set_account_metadata(self, call: Call) -> Answer:
        """Set account metadata."""
        address = call.address()
        if not names.is_address(address):
            raise Validation(f"invalid account address {address!r}")
        request = SetMetadata(address, inputs.metadata(await call.body()))
        return done(await self.service.write(call.ledger, request, _options(call)))

    async def delete_account_metadata(self, call: Call) -> Answer:
        """Delete account metadata."""
        request = DeleteMetadata(call.address(), call.path["key"])
        return done(await self.service.write(call.ledger, request, _options(call)))

    async def aggregated_balances(self, call: Call) -> Answer:
        """Sum balances by asset."""
        if "expand" in call.query:
            raise Validation("there is nothing to expand here")
        call.time("oot")
        pit, address = call.time("pit"), call.parameter("address")
        expression = parse({"$match": {"address": address}}) if address else None
        return data(
            await self.service.read(
                call.ledger,
                lambda view, row: volumes.aggregated(view, row, expression, pit, insertion=True),
            )
        )

    # Transactions.

    async def list_transactions(self, call: Call) -> Answer:
        """List transactions."""
        listing = PAGES.continued(call, "transactions", transactions.COLUMNS)
        if listing is None:
            if call.parameter("after"):
                raise Validation("'after' is no parameter of transactions")
            call.time("oot")
            listing = Listing(  # with volumes; a token of version 2 goes on without
                resource="transactions",
                size=PAGES.asked(call) or PAGES.default,
                column="id",
                descending=True,
                filter=of_transactions(call),
                pit=call.time("pit"),
                expand=(*call.query.get("expand", ()), "volumes"),
            )
        shown = listing

        def query(view: ReadView, row: LedgerRow) -> Page:
            page = transactions.page(view, row, shown)
            return replace(page, data=[{**tx, "txid": tx["id"]} for tx in page.data])

        return cursor(await self.service.read(call.ledger, query))

    async def count_transactions(self, call: Call) -> Answer:
        """Count transactions."""
        try:
            pit = call.time("pit")
            call.time("oot")
        except Validation:
            return Answer(200)  # 24.4
        if call.parameter("after"):
            raise Validation("'after' is no parameter of transactions")
        listing = Listing(resource="transactions", size=1, column="id", filter=of_transactions(call), pit=pit)
        return counted(
            await self.service.read(call.ledger, lambda view, row: transactions.count(view, row, listing))
        )

    async def get_transaction(self, call: Call) -> Answer:
        """Get transaction."""
        number, pit, expand = inputs.write_id(call.path["id"]), call.time("pit"), call.query.get("expand", [])
        call.time("oot")
        found = await self.service.read(
            call.ledger, lambda view, row: transactions.one(view, row, number, pit, expand)
        )
        return data({**found, "txid": found["id"]})

    async def create_transaction(self, call: Call) -> Answer:
        """Create transaction."""
        request = inputs.create_v1(await call.body())
        try:
            written = await self.service.write(call.ledger, request, _options(call))
        except _SCRIPT_FAULTS as error:
            raise Validation(error.message) from None
        return _made(written, as_list=True)

    async def batch(self, call: Call) -> Answer:
        """Refuse what the real service does not have either."""
        return Answer(400, b"not supported\n", TEXT)

    async def revert_transaction(self, call: Call) -> Answer:
        """Revert transaction."""
        request = RevertTransaction(id=inputs.write_id(call.path["id"]), force=call.flag("disableChecks"))
        return _made(await self.service.write(call.ledger, request, _options(call)), status=201)

    async def set_transaction_metadata(self, call: Call) -> Answer:
        """Set transaction metadata."""
        body = inputs.metadata(await call.body())
        try:
            number = inputs.write_id(call.path["id"])
        except Validation:
            raise NotFound from None
        if body is None:
            raise Validation("the metadata must be an object, not null")
        return done(await self.service.write(call.ledger, SetMetadata(number, body), _options(call)))

    async def delete_transaction_metadata(self, call: Call) -> Answer:
        """Delete transaction metadata."""
        request = DeleteMetadata(inputs.write_id(call.path["id"]), call.path["key"])
        return done(await self.service.write(call.ledger, request, _options(call)))


def _options(call: Call) -> Options:
    """A dry run is called `preview` here; a schema version cannot be named."""
    preview = call.parameter("preview").lower() in _TRUE
    return Options(call.headers.get("idempotency-key", ""), dry_run=preview)


def _made(written: Written, *, status: int = 200, as_list: bool = False) -> Answer:
    """The transaction that a write made, with its id under the old name too."""
    body = transaction_of(written)
    shown = Raw(b'%b,"txid":%d}' % (body.rstrip()[:-1], _numbered(body).id))
    answer = data([shown] if as_list else shown, status=status)
    return replace(answer, headers=[HIT]) if written.hit else answer


class _Numbered(Struct):
    id: int


_numbered: Final = json.Decoder(_Numbered).decode


def _balances(account: Mapping[str, Any]) -> dict[str, int]:
    found: Mapping[str, Mapping[str, int]] = account.get(accounts.VOLUMES, {})
    return {asset: entry["balance"] for asset, entry in found.items()}


def _unknown(address: str) -> dict[str, Any]:
    """An account that nobody used."""
    return {
        "address": address,
        "metadata": {},
        "firstUsage": UNSET_TIME,
        "insertionDate": UNSET_TIME,
        "updatedAt": UNSET_TIME,
        "balances": {},
    }
