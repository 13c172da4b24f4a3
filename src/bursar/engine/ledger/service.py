"""The ledger service: every operation of the API on one engine, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from bursar.engine.books import ACCOUNTS, HEADS, IDEMPOTENCY, REFERENCES, VOLUMES
from bursar.engine.core import Core
from bursar.engine.ledger import bulk, commands, importing, ledgers, queries, schemas, wire
from bursar.engine.ledger.commands import Options, Written
from bursar.engine.ledger.errors import LedgerError, LedgerNotFound, NotFound, Validation
from bursar.engine.ledger.importing import Told
from bursar.engine.ledger.query import ledgers as listed
from bursar.engine.ledger.query import logs
from bursar.engine.ledger.query.pages import Listing, Page
from bursar.engine.ledger.requests import CreateTransaction, Write
from bursar.engine.ledger.settings import Settings
from bursar.engine.ledger.tables import SCHEMAS
from bursar.engine.registry import DEFAULT_BUCKET, LEDGERS, LedgerRow
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import ReadView, View

T = TypeVar("T")

EXPORTED_AT_ONCE = 500
"""Logs read for an export before others may read."""


class LedgerService:
    """All ledgers of an engine. Every method raises the errors of `ledger.errors`."""

    def __init__(self, core: Core, settings: Settings) -> None:
        self.core = core
        self.settings = settings

    async def read(self, name: str, query: Callable[[ReadView, LedgerRow], T]) -> T:
        """Run a query on a live ledger. Raises LedgerNotFound."""

        def run(view: ReadView) -> T:
            row = view.get(LEDGERS, name)
            if row is None or row.deleted_at is not None:
                raise LedgerNotFound
            return query(view, row)

        return await self.core.read(run)

    async def ledger(self, name: str) -> LedgerRow:
        """The live ledger of this name. Raises LedgerNotFound."""
        return await self.read(name, lambda view, row: row)

    async def shown_ledger(self, name: str) -> Mapping[str, Any]:
        """A ledger as the API writes it. Raises NotFound."""
        try:
            return listed.shown(await self.ledger(name))
        except LedgerNotFound:
            raise NotFound from None

    async def ledgers(self, listing: Listing) -> Page:
        """A page of ledgers."""
        return await self.core.read(lambda view: listed.page(view, listing))

    async def names(self) -> list[str]:
        """All live ledgers in the order in which they were made."""

        def query(view: ReadView) -> list[str]:
            return [row.name for row in view.select(LEDGERS, {"deleted_at": None}, order=("id",))]

        return await self.core.read(query)

    async def schema(self, name: str, version: str) -> str:
        """A schema's JSON. Raises NotFound."""

        def query(view: ReadView, row: LedgerRow) -> str:
            found = view.get(SCHEMAS, row.name, version)
            if found is None:
                raise NotFound
            return found.data

        return await self.read(name, query)

    async def run_query(
        self, name: str, version: str, template: str, given: wire.Members
    ) -> tuple[str, Page]:
        """Run a query template of a schema: the resource it lists, and a page."""

        def query(view: ReadView, row: LedgerRow) -> tuple[str, Page]:
            found = view.get(SCHEMAS, row.name, version)
            if found is None:
                raise Validation(f"schema version [{version}]: there is none")
            schema = schemas.of_text(found.data)
            resource, listing = queries.start(schema, template, given, self.settings)
            return resource, queries.page(view, row, resource, listing)

        return await self.read(name, query)

    async def write(self, name: str, request: Write, options: Options) -> Written:
        """Do one write."""

        def command(view: View) -> Written | LedgerError:
            session = commands.Session(view, name, self.settings, options.schema_version)
            return session.write(request, options.key, dry_run=options.dry_run)

        result = await self.core.submit(command, reads=_needed(name, request, options))
        if isinstance(result, LedgerError):
            raise result
        return result

    async def bulk(self, name: str, elements: Sequence[bulk.Element], mode: bulk.Mode) -> list[bulk.Outcome]:
        """Do several writes as one command. Raises LedgerNotFound."""

        def command(view: View) -> list[bulk.Outcome]:
            ledgers.find(view, name)
            return bulk.run(view, name, elements, self.settings, mode)

        return await self.core.submit(command)

    async def create_ledger(
        self,
        name: str,
        bucket: str = DEFAULT_BUCKET,
        metadata: Mapping[str, str] | None = None,
        features: Mapping[str, str] | None = None,
    ) -> None:
        """Make a ledger."""
        experimental = self.settings.experimental_features

        def command(view: View) -> LedgerError | None:
            return ledgers.create(view, name, bucket, metadata, features, experimental=experimental)

        refusal = await self.core.submit(command)
        if refusal is not None:
            raise refusal

    async def set_ledger_metadata(self, name: str, metadata: Mapping[str, str]) -> None:
        """Merge metadata into a ledger's."""
        await self.core.submit(partial(ledgers.set_metadata, name=name, metadata=metadata))

    async def delete_ledger_metadata(self, name: str, key: str) -> None:
        """Remove a key of a ledger's metadata."""
        await self.core.submit(partial(ledgers.delete_metadata, name=name, key=key))

    async def delete_bucket(self, bucket: str) -> None:
        """Hide the ledgers of a bucket."""
        await self.core.submit(partial(ledgers.delete_bucket, bucket=bucket))

    async def restore_bucket(self, bucket: str) -> None:
        """Show the ledgers of a bucket again."""
        await self.core.submit(partial(ledgers.restore_bucket, bucket=bucket))

    async def check_import(self, name: str) -> None:
        """Refuse when logs cannot be imported into the ledger. Raises ImportRefused."""
        await self.core.submit(lambda view: importing.check_open(view, name))

    async def import_logs(self, name: str, told: Sequence[Told]) -> None:
        """Apply logs in order; at a refusal those before it stay. Raises ImportRefused."""
        refusal = await self.core.submit(lambda view: importing.load(view, name, told))
        if refusal is not None:
            raise refusal

    async def export(self, name: str, after: int) -> tuple[bytes, int | None]:
        """The next lines of an export, and the last log id among them; None at the end."""

        def query(view: ReadView, row: LedgerRow) -> tuple[bytes, int | None]:
            return logs.exported_after(view, row.name, after, EXPORTED_AT_ONCE)

        return await self.read(name, query)


def _needed(name: str, request: Write, options: Options) -> list[tuple[AnyTable, Key]]:
    """Rows that a write is sure to read, so that they are loaded at once."""
    keys: list[tuple[AnyTable, Key]] = [(LEDGERS, (name,)), (HEADS, (name,))]
    if options.key:
        keys.append((IDEMPOTENCY, (name, options.key)))
    if isinstance(request, CreateTransaction):
        if request.reference:
            keys.append((REFERENCES, (name, request.reference)))
        for posting in request.postings:
            for account in (posting.source, posting.destination):
                keys.append((VOLUMES, (name, account, posting.asset)))
                keys.append((ACCOUNTS, (name, account)))
    return keys
