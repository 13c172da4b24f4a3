"""Version 2 of the ledger API (section 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from msgspec import Raw

from bursar.engine.ledger import wire
from bursar.engine.ledger.bulk import Element, Mode, Outcome, canceled
from bursar.engine.ledger.commands import Written
from bursar.engine.ledger.errors import BulkTooLarge, ImportRefused, LedgerError, Validation
from bursar.engine.ledger.query import accounts, ledgers, logs, transactions, volumes
from bursar.engine.ledger.query.expression import parse
from bursar.engine.ledger.requests import DeleteMetadata, SetMetadata
from bursar.engine.ledger.schema_input import insertion
from bursar.engine.ledger.service import LedgerService
from bursar.engine.registry import DEFAULT_BUCKET
from bursar.server.ledger import inputs, streams
from bursar.server.ledger.answers import (
    NO_CONTENT,
    Answer,
    amounts_as_text,
    balances_as_text,
    counted,
    cursor,
    data,
    encode,
    refusal,
    shown_page,
)
from bursar.server.ledger.call import Call
from bursar.server.ledger.elements import element, elements, results
from bursar.server.ledger.info import ledger_info, server_info
from bursar.server.ledger.listings import Pages, filter_text, no_expand
from bursar.server.ledger.listings import counted as count_listing
from bursar.server.ledger.routes import Routes
from bursar.server.ledger.written import transaction_of

HIT: Final = ("idempotency-hit", "true")
IMPORTED_AT_ONCE: Final = 50
"""Logs of an import that are made durable together."""
STREAMED_AT_ONCE: Final = 50
"""Elements of a bulk stream that are made durable together."""


class Version2:
    """The handlers of version 2."""

    def __init__(self, service: LedgerService) -> None:
        self.service = service
        self.pages = Pages(service.settings.default_page_size, service.settings.max_page_size)

    def routes(self) -> Routes:
        """All paths, as they are below the mount."""
        table = Routes()
        for root in ("/v2", "/v2/"):
            table.add(root, {"GET": self.list_ledgers})
        table.add("/v2/_info", {"GET": self.info})
        table.add("/v2/_/buckets/{bucket}", {"DELETE": self.delete_bucket})
        table.add("/v2/_/buckets/{bucket}/restore", {"POST": self.restore_bucket})
        for root in ("/v2/{ledger}", "/v2/{ledger}/"):
            table.add(root, {"GET": self.get_ledger, "POST": self.create_ledger})
        table.add("/v2/{ledger}/_info", {"GET": self.ledger_info})
        table.add("/v2/{ledger}/metadata", {"PUT": self.set_ledger_metadata})
        table.add("/v2/{ledger}/metadata/{key}", {"DELETE": self.delete_ledger_metadata})
        self._add_collections(table)
        return table

    def _add_collections(self, table: Routes) -> None:
        def add(path: str, **handlers: Any) -> None:
            table.add(f"/v2/{{ledger}}/{path}", handlers, scoped=True)

        for slash in ("", "/"):
            add(f"accounts{slash}", GET=self.list_accounts, HEAD=self.count_accounts)
            add(
                f"transactions{slash}",
                GET=self.list_transactions,
                HEAD=self.count_transactions,
                POST=self.create_transaction,
            )
            add(f"logs{slash}", GET=self.list_logs)
        add("accounts/{address}", GET=self.get_account)
        add("accounts/{address}/metadata", POST=self.set_account_metadata)
        add("accounts/{address}/metadata/{key}", DELETE=self.delete_account_metadata)
        add("transactions/{id}", GET=self.get_transaction)
        add("transactions/{id}/revert", POST=self.revert_transaction)
        add("transactions/{id}/metadata", POST=self.set_transaction_metadata)
        add("transactions/{id}/metadata/{key}", DELETE=self.delete_transaction_metadata)
        add("logs/import", POST=self.import_logs)
        add("logs/export", POST=self.export_logs)
        add("aggregate/balances", GET=self.aggregated_balances)
        add("volumes", GET=self.list_volumes)
        add("stats", GET=self.stats)
        add("_bulk", POST=self.bulk)
        add("queries/{id}/run", POST=self.run_query)
        add("schemas", GET=self.list_schemas)
        add("schemas/{version}", GET=self.get_schema, POST=self.insert_schema)

    async def info(self, call: Call) -> Answer:
        """Tell about the server."""
        return data(await server_info(self.service))

    async def ledger_info(self, call: Call) -> Answer:
        """Tell about a ledger."""
        return data(await ledger_info(self.service, call.ledger))

    # Ledgers and buckets.

    async def list_ledgers(self, call: Call) -> Answer:
        """List ledgers."""
        return cursor(await self.service.ledgers(await self.pages.ledgers(call)))

    async def get_ledger(self, call: Call) -> Answer:
        """Get ledger."""
        return data(await self.service.shown_ledger(call.ledger))

    async def create_ledger(self, call: Call) -> Answer:
        """Create ledger."""
        body = await call.body()
        members = wire.Members(wire.whole_value(body) if body else {})
        bucket, metadata = members.text("bucket") or DEFAULT_BUCKET, members.metadata("metadata")
        await self.service.create_ledger(call.ledger, bucket, metadata, members.metadata("features"))
        return NO_CONTENT

    async def set_ledger_metadata(self, call: Call) -> Answer:
        """Set ledger metadata."""
        await self.service.set_ledger_metadata(call.ledger, inputs.needed_metadata(await call.body()))
        return NO_CONTENT

    async def delete_ledger_metadata(self, call: Call) -> Answer:
        """Delete ledger metadata."""
        await self.service.delete_ledger_metadata(call.ledger, call.path["key"])
        return NO_CONTENT

    async def delete_bucket(self, call: Call) -> Answer:
        """Delete bucket."""
        await self.service.delete_bucket(call.path["bucket"])
        return NO_CONTENT

    async def restore_bucket(self, call: Call) -> Answer:
        """Restore bucket."""
        await self.service.restore_bucket(call.path["bucket"])
        return NO_CONTENT

    # Transactions.

    async def create_transaction(self, call: Call) -> Answer:
        """Create transaction."""
        request = inputs.create(await call.body(), force=call.flag("force"))
        return made(await self.service.write(call.ledger, request, call.options()), call)

    async def revert_transaction(self, call: Call) -> Answer:
        """Revert transaction."""
        number = inputs.write_id(call.path["id"])
        options = {name: call.flag(name) for name in ("force", "atEffectiveDate")}
        # Only a declared body is looked at (8.6).
        body = await call.body() if "content-length" in call.headers else b""
        request = inputs.revert(body, number, options)
        return made(await self.service.write(call.ledger, request, call.options()), call, status=201)

    async def list_transactions(self, call: Call) -> Answer:
        """List transactions."""
        listing = await self.pages.transactions(call)
        page = await self.service.read(call.ledger, lambda view, row: transactions.page(view, row, listing))
        return cursor(page, as_text=call.bigint_as_string)

    async def count_transactions(self, call: Call) -> Answer:
        """Count transactions."""
        listing = await count_listing(call, "transactions")
        return counted(
            await self.service.read(call.ledger, lambda view, row: transactions.count(view, row, listing))
        )

    async def get_transaction(self, call: Call) -> Answer:
        """Get transaction."""
        number, pit, expand = inputs.read_id(call.path["id"]), call.time("pit"), call.query.get("expand", [])
        found = await self.service.read(
            call.ledger, lambda view, row: transactions.one(view, row, number, pit, expand)
        )
        return data(found, as_text=call.bigint_as_string)

    async def set_transaction_metadata(self, call: Call) -> Answer:
        """Set transaction metadata."""
        request = inputs.transaction_metadata(await call.body(), call.path["id"])
        return done(await self.service.write(call.ledger, request, call.options()))

    async def delete_transaction_metadata(self, call: Call) -> Answer:
        """Delete transaction metadata."""
        request = DeleteMetadata(inputs.write_id(call.path["id"]), call.path["key"])
        return done(await self.service.write(call.ledger, request, call.options()))

    # Accounts.

    async def list_accounts(self, call: Call) -> Answer:
        """List accounts."""
        listing = await self.pages.accounts(call)
        page = await self.service.read(call.ledger, lambda view, row: accounts.page(view, row, listing))
        return cursor(page, as_text=call.bigint_as_string)

    async def count_accounts(self, call: Call) -> Answer:
        """Count accounts."""
        listing = await count_listing(call, "accounts")
        return counted(
            await self.service.read(call.ledger, lambda view, row: accounts.count(view, row, listing))
        )

    async def get_account(self, call: Call) -> Answer:
        """Get account."""
        address, pit, expand = call.address(), call.time("pit"), call.query.get("expand", [])
        found = await self.service.read(
            call.ledger, lambda view, row: accounts.one(view, row, address, pit, expand)
        )
        return data(found, as_text=call.bigint_as_string)

    async def set_account_metadata(self, call: Call) -> Answer:
        """Set account metadata."""
        request = SetMetadata(call.address(), inputs.metadata(await call.body()))
        return done(await self.service.write(call.ledger, request, call.options()))

    async def delete_account_metadata(self, call: Call) -> Answer:
        """Delete account metadata."""
        request = DeleteMetadata(call.address(), call.path["key"])
        return done(await self.service.write(call.ledger, request, call.options()))

    # Volumes, balances, stats.

    async def list_volumes(self, call: Call) -> Answer:
        """List volumes."""
        listing = await self.pages.volumes(call)
        page = await self.service.read(call.ledger, lambda view, row: volumes.page(view, row, listing))
        return cursor(page, as_text=call.bigint_as_string)

    async def aggregated_balances(self, call: Call) -> Answer:
        """Sum balances by asset."""
        no_expand(call)
        text, pit = await filter_text(call), call.time("pit")
        call.time("oot")
        expression = parse(wire.value_at(text, 0)[0]) if text else None
        insertion = call.flag("useInsertionDate") or call.flag("use_insertion_date")
        found = await self.service.read(
            call.ledger,
            lambda view, row: volumes.aggregated(view, row, expression, pit, insertion=insertion),
        )
        return data(balances_as_text(found) if call.bigint_as_string else found)

    async def stats(self, call: Call) -> Answer:
        """Count transactions and accounts."""
        return data(await self.service.read(call.ledger, volumes.stats))

    # Logs.

    async def list_logs(self, call: Call) -> Answer:
        """List logs."""
        listing = await self.pages.logs(call)
        page = await self.service.read(call.ledger, lambda view, row: logs.page(view, row, listing))
        return cursor(page, as_text=call.bigint_as_string)

    async def export_logs(self, call: Call) -> Answer:
        """Stream all logs."""
        first = await self.service.export(call.ledger, -1)

        async def lines() -> AsyncIterator[bytes]:
            part, after = first
            while after is not None:
                yield part
                part, after = await self.service.export(call.ledger, after)

        return Answer(media="application/octet-stream", stream=lines())

    async def import_logs(self, call: Call) -> Answer:
        """Take logs of another ledger."""
        from bursar.engine.ledger.importing import Told, read

        await self.service.check_import(call.ledger)
        told: list[Told] = []
        try:
            async for value in streams.values(call.stream()):
                told.append(read(value))
                if len(told) == IMPORTED_AT_ONCE:
                    await self.service.import_logs(call.ledger, told)
                    told = []
        except LedgerError as error:
            await self.service.import_logs(call.ledger, told)
            raise ImportRefused(error.message) from None
        await self.service.import_logs(call.ledger, told)
        return NO_CONTENT

    # Schemas.

    async def list_schemas(self, call: Call) -> Answer:
        """List schemas."""
        listing = await self.pages.schemas(call)
        return cursor(
            await self.service.read(call.ledger, lambda view, row: ledgers.schema_page(view, row, listing))
        )

    async def get_schema(self, call: Call) -> Answer:
        """Get schema."""
        return data(Raw(await self.service.schema(call.ledger, call.path["version"])))

    async def insert_schema(self, call: Call) -> Answer:
        """Insert schema."""
        members = wire.Members(wire.first_value(await call.body()))
        request = insertion(call.path["version"], members, self.service.settings)
        return done(await self.service.write(call.ledger, request, call.options()))

    async def run_query(self, call: Call) -> Answer:
        """Run a query template."""
        given = wire.Members(wire.first_value(await call.body()))
        version, name = call.parameter("schemaVersion"), call.path["id"]
        resource, page = await self.service.run_query(call.ledger, version, name, given)
        body = encode({"resource": resource, "cursor": shown_page(page)})
        return Answer(200, amounts_as_text(body) if call.bigint_as_string else body)

    # Bulk.

    async def bulk(self, call: Call) -> Answer:
        """Do several writes."""
        media = call.headers.get("content-type", "").partition(";")[0].strip()
        mode = Mode(call.flag("atomic"), call.flag("continueOnFailure"), call.parameter("schemaVersion"))
        match media:
            case "" | "application/json":
                return await self._json_bulk(call, mode)
            case "application/vnd.formance.ledger.api.v2.bulk+json-stream":
                return await self._json_stream(call, mode)
            case "application/vnd.formance.ledger.api.v2.bulk+script-stream":
                return await self._script_stream(call, mode)
            case _:
                raise Validation(f"unsupported content type: {media}")

    async def _json_bulk(self, call: Call, mode: Mode) -> Answer:
        found = elements(await call.body())
        most = self.service.settings.bulk_max_size
        if most and len(found) > most:
            raise BulkTooLarge(f"a bulk has at most {most} elements")
        if mode.atomic and call.flag("parallel"):
            return both_modes()
        return _bulk_answer(await self._run(call, found, mode))

    async def _json_stream(self, call: Call, mode: Mode) -> Answer:
        """Elements run as they arrive; the end of the stream is reported as an error, as upstream does (24.4)."""
        if mode.atomic and call.flag("parallel"):
            return both_modes()
        outcomes: list[Outcome] = []
        waiting: list[Element] = []
        message = "EOF"
        try:
            async for value in streams.values(call.stream()):
                waiting.append(element(value))
                if len(waiting) == STREAMED_AT_ONCE and not mode.atomic:
                    outcomes += await self._run_on(call, waiting, mode, outcomes)
                    waiting = []
        except Validation as error:
            message = error.message
        outcomes += await self._run_on(call, waiting, mode, outcomes)
        return _bulk_answer(outcomes, message)

    async def _run_on(
        self, call: Call, waiting: list[Element], mode: Mode, before: list[Outcome]
    ) -> list[Outcome]:
        """Run the next elements of a stream, unless an earlier one has failed."""
        if not mode.keep_going and any(outcome.error is not None for outcome in before):
            return [canceled(item) for item in waiting]
        return await self._run(call, waiting, mode)

    async def _script_stream(self, call: Call, mode: Mode) -> Answer:
        if mode.atomic and call.flag("parallel"):
            return both_modes()
        found = streams.blocks(wire.to_text(await call.body()))
        scripts = [item for item in found if isinstance(item, Element)]
        fault = found[-1] if found and isinstance(found[-1], Validation) else None
        outcomes = await self._run(call, scripts, mode)
        if fault is None:
            return _bulk_answer(outcomes)
        return _bulk_answer(outcomes, fault.message, refused=isinstance(fault, streams.BadBlock))

    async def _run(self, call: Call, waiting: list[Element], mode: Mode) -> list[Outcome]:
        if not waiting:
            await self.service.ledger(call.ledger)
            return []
        return await self.service.bulk(call.ledger, waiting, mode)


def both_modes() -> Answer:
    """A bulk cannot be atomic and parallel."""
    return refusal(Validation("atomic and parallel exclude each other"), status=412)


def _bulk_answer(outcomes: list[Outcome], message: str = "", *, refused: bool = False) -> Answer:
    body: dict[str, Any] = {"data": results(outcomes)}
    if message:
        body = {"errorCode": "VALIDATION", "errorMessage": message, **body}
    failed = refused or any(outcome.error is not None for outcome in outcomes)
    return Answer(400 if failed else 200, encode(body))


def made(written: Written, call: Call, *, status: int = 200) -> Answer:
    """The transaction that a write made."""
    body = b'{"data":%b}' % transaction_of(written)
    if call.bigint_as_string:
        body = amounts_as_text(body)
    return Answer(status, body, headers=[HIT] if written.hit else ())


def done(written: Written) -> Answer:
    """A write that answers nothing."""
    return Answer(204, headers=[HIT]) if written.hit else NO_CONTENT
