"""The ledger's API, version 2. Where the published contract and the server disagree, this speaks with the server."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from bursar.contract import (
    Body,
    C,
    Effect,
    Member,
    Query,
    Resource,
    StreamBody,
    count,
    delete,
    endpoint,
    get,
    listing,
    post,
    put,
    streaming,
)
from bursar.formance.wire import PAGES, Cursor, Filter, Key, PageSize, Sort

from .bulk import BulkElement, BulkResult, element_line, keyed, script_block
from .logs import Log, line
from .models import (
    Account,
    ConfigInfo,
    Exporter,
    ExporterConfiguration,
    Ledger,
    LedgerInfo,
    NewLedger,
    NewPipeline,
    NewTransaction,
    Pipeline,
    RevertRequest,
    ServerInfo,
    Stats,
    Transaction,
    VolumesWithBalance,
)
from .parameters import MISSING, REFUSED, DryRun, EndTime, Expand, Pit, SchemaVersion, StartTime
from .schemas import Schema, SchemaData

_SERVICE: Final = "/api/ledger"
_V2: Final = f"{_SERVICE}/v2"
_LEDGER: Final = f"{_V2}/{{ledger}}"
_ACCOUNT: Final = f"{_LEDGER}/accounts/{{address}}"
_TRANSACTION: Final = f"{_LEDGER}/transactions/{{id}}"
_EXPORTERS: Final = f"{_V2}/_/exporters"
_PIPELINE: Final = f"{_LEDGER}/pipelines/{{pipeline_id}}"
_BULK: Final = f"{_LEDGER}/_bulk"

_EXISTS: Final = {**REFUSED, 409: "There is one already."}
_BULK_ERRORS: Final = {
    400: "An element failed (`FormanceBulkError` tells of each), or the request breaks a rule and nothing was done.",
    401: REFUSED[401],
    404: REFUSED[404],
    412: "Both atomic and parallel; nothing was done.",
    413: "More elements than the server takes, 100 by default; nothing was done.",
}
_FLAGGED: Final = {401: REFUSED[401], 404: "No such thing, or the server's exporters are switched off."}

JSON_STREAM: Final = "application/vnd.formance.ledger.api.v2.bulk+json-stream"
SCRIPT_STREAM: Final = "application/vnd.formance.ledger.api.v2.bulk+script-stream"

Elements = Iterable[BulkElement | Mapping[str, Any]]
Texts = Annotated[Mapping[str, str], Body()]
Atomic = Annotated[bool | None, Query()]
Parallel = Annotated[bool | None, Query()]
ContinueOnFailure = Annotated[bool | None, Query("continueOnFailure")]


class LedgerV2(Resource[C]):
    """Ledgers, their accounts and transactions, logs, schemas and exports.

    Bodies are models or plain mappings of the same shape. Ledger names are 1 to 63 letters, digits, ``_`` and ``-``.
    """

    # -- the server

    @get(f"{_SERVICE}/_/info")
    def get_info(self) -> ServerInfo:
        """Return name and version of the server. Open to everybody."""
        ...

    @get(f"{_V2}/_info", unwrap="data")
    def get_config_info(self) -> ConfigInfo:
        """Return the server's settings and the names of all ledgers. The vendor's SDK has no such operation."""
        ...

    @get(f"{_SERVICE}/_/metrics", errors={404: "Metrics are not kept in memory."})
    def get_metrics(self) -> dict[str, Any]:
        """Return metrics as OpenTelemetry JSON, where the server keeps them in memory."""
        ...

    # -- ledgers and buckets

    @listing(_V2, paging=PAGES, errors=REFUSED)
    def list_ledgers(
        self,
        filter: Filter = None,
        *,
        include_deleted: Annotated[bool | None, Query("includeDeleted")] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
        sort: Sort = None,
    ) -> Ledger:
        """List ledgers by id. Filter fields: `bucket`, `name`, `features[KEY]`, `metadata[key]`."""
        ...

    @get(_LEDGER, unwrap="data", errors=MISSING)
    def get_ledger(self, ledger: str) -> Ledger:
        """Return a ledger."""
        ...

    @post(_LEDGER, effect=Effect.ONCE, status=204, errors=REFUSED)
    def create_ledger(
        self, ledger: str, settings: Annotated[NewLedger | Mapping[str, Any] | None, Body()] = None
    ) -> None:
        """Create a ledger. There is no way to delete one, but with its bucket."""
        ...

    @get(f"{_LEDGER}/_info", unwrap="data", errors=MISSING)
    def get_ledger_info(self, ledger: str) -> LedgerInfo:
        """Return the state of a ledger's storage."""
        ...

    @put(f"{_LEDGER}/metadata", status=204, errors=REFUSED)
    def update_ledger_metadata(self, ledger: str, metadata: Texts) -> None:
        """Merge metadata into a ledger's. An unknown ledger is no error."""
        ...

    @delete(f"{_LEDGER}/metadata/{{key}}", errors=REFUSED)
    def delete_ledger_metadata(self, ledger: str, key: str) -> None:
        """Delete an entry of a ledger's metadata. An unknown ledger or key is no error."""
        ...

    @delete(f"{_V2}/_/buckets/{{bucket}}", errors=REFUSED)
    def delete_bucket(self, bucket: str) -> None:
        """Hide every ledger of a bucket; they can be restored until the server removes them, 30 days by default.

        An unknown bucket is no error, whatever the published contract says.
        """
        ...

    @endpoint(
        "POST", f"{_V2}/_/buckets/{{bucket}}/restore", effect=Effect.IDEMPOTENT, status=204, errors=REFUSED
    )
    def restore_bucket(self, bucket: str) -> None:
        """Bring the ledgers of a deleted bucket back."""
        ...

    # -- accounts

    @listing(f"{_LEDGER}/accounts", paging=PAGES, errors=REFUSED)
    def list_accounts(
        self,
        ledger: str,
        filter: Filter = None,
        *,
        pit: Pit = None,
        expand: Expand = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
        sort: Sort = None,
    ) -> Account:
        """List accounts by address.

        Filter fields: `address` (pattern), `balance[ASSET]`, `metadata[key]`, `first_usage`, `insertion_date`,
        `updated_at`. Sort fields: `address` and the dates.
        """
        ...

    @count(f"{_LEDGER}/accounts", header="Count", errors=REFUSED)
    def count_accounts(self, ledger: str, filter: Filter = None, *, pit: Pit = None) -> int:
        """Count accounts."""
        ...

    @get(_ACCOUNT, unwrap="data", errors=MISSING)
    def get_account(self, ledger: str, address: str, *, pit: Pit = None, expand: Expand = None) -> Account:
        """Return an account that was used. A pattern as address gives the account that fits it."""
        ...

    @post(f"{_ACCOUNT}/metadata", effect=Effect.KEYED, status=204, errors=MISSING)
    def add_metadata_to_account(
        self,
        ledger: str,
        address: str,
        metadata: Texts,
        *,
        dry_run: DryRun = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> None:
        """Merge metadata into an account's, which is created if need be."""
        ...

    @endpoint("DELETE", f"{_ACCOUNT}/metadata/{{key}}", effect=Effect.KEYED, status=204, errors=MISSING)
    def delete_account_metadata(
        self,
        ledger: str,
        address: str,
        key: str,
        *,
        dry_run: DryRun = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> None:
        """Delete an entry of an account's metadata. An unknown account or key is no error.

        Keys with a slash cannot be deleted: the service leaves ``%2F`` as it is. `dry_run` and `schema_version` are
        the server's; the published contract does not have them.
        """
        ...

    # -- transactions

    @listing(f"{_LEDGER}/transactions", paging=PAGES, errors=REFUSED)
    def list_transactions(
        self,
        ledger: str,
        filter: Filter = None,
        *,
        pit: Pit = None,
        expand: Expand = None,
        order: Annotated[str | None, Query()] = None,
        reverse: Annotated[bool | None, Query()] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
        sort: Sort = None,
    ) -> Transaction:
        """List transactions, newest first; `reverse` oldest first, ``order="effective"`` by timestamp.

        Filter fields: `id`, `reference`, `reverted`, `timestamp`, `inserted_at`, `updated_at`, `reverted_at`,
        `account`, `source`, `destination` (patterns), `metadata[key]`. Sort fields: `id` and the dates.
        """
        ...

    @count(f"{_LEDGER}/transactions", header="Count", errors=REFUSED)
    def count_transactions(self, ledger: str, filter: Filter = None, *, pit: Pit = None) -> int:
        """Count transactions."""
        ...

    @post(
        f"{_LEDGER}/transactions",
        effect=Effect.KEYED,
        unwrap="data",
        errors={**MISSING, 400: "Funds are missing, or the request breaks a rule.", 409: "Reference taken."},
    )
    def create_transaction(
        self,
        ledger: str,
        transaction: NewTransaction | Mapping[str, Any],
        *,
        dry_run: DryRun = None,
        force: Annotated[bool | None, Query()] = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> Transaction:
        """Create a transaction from postings, a script or a schema's template; returns it with its volumes.

        With an idempotency key that the ledger knows, the stored transaction comes back as it was then; the raw call's
        answer says ``Idempotency-Hit``.
        """
        ...

    @get(_TRANSACTION, unwrap="data", errors=MISSING)
    def get_transaction(self, ledger: str, id: int, *, pit: Pit = None, expand: Expand = None) -> Transaction:
        """Return a transaction; its volumes with `expand`, by the real service one kind at a time in a list."""
        ...

    @post(
        f"{_TRANSACTION}/revert",
        effect=Effect.KEYED,
        status=201,
        unwrap="data",
        errors={**MISSING, 400: "Funds are missing, or it is reverted already, or a rule is broken."},
    )
    def revert_transaction(
        self,
        ledger: str,
        id: int,
        request: Annotated[RevertRequest | Mapping[str, Any] | None, Body()] = None,
        *,
        force: Annotated[bool | None, Query()] = None,
        at_effective_date: Annotated[bool | None, Query("atEffectiveDate")] = None,
        dry_run: DryRun = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> Transaction:
        """Revert a transaction by an opposite one, and return that.

        `force`: also when accounts go below zero; `at_effective_date`: with the original's timestamp.
        """
        ...

    @post(f"{_TRANSACTION}/metadata", effect=Effect.KEYED, status=204, errors=MISSING)
    def add_metadata_on_transaction(
        self,
        ledger: str,
        id: int,
        metadata: Texts,
        *,
        dry_run: DryRun = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> None:
        """Merge metadata into a transaction's."""
        ...

    @endpoint("DELETE", f"{_TRANSACTION}/metadata/{{key}}", effect=Effect.KEYED, status=204, errors=MISSING)
    def delete_transaction_metadata(
        self,
        ledger: str,
        id: int,
        key: str,
        *,
        dry_run: DryRun = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> None:
        """Delete an entry of a transaction's metadata; an unknown key is `FormanceNotFoundError`.

        Keys with a slash cannot be deleted: the service leaves ``%2F`` as it is. `dry_run` and `schema_version` are
        the server's; the published contract does not have them.
        """
        ...

    # -- bulks

    @endpoint("POST", _BULK, effect=Effect.KEYED, errors=_BULK_ERRORS, keyed_by=keyed)
    def create_bulk(
        self,
        ledger: str,
        elements: Annotated[Sequence[BulkElement | Mapping[str, Any]], Body()],
        *,
        atomic: Atomic = None,
        parallel: Parallel = None,
        continue_on_failure: ContinueOnFailure = None,
        schema_version: SchemaVersion = None,
    ) -> BulkResult:
        """Carry out many writes, in order, up to the first failure.

        `atomic`: all or nothing; `continue_on_failure`: the others too; `parallel`: at the same time. Any failure
        raises `FormanceBulkError`, whose `result` tells of each element (the vendor's SDK returns it like a success).
        `schema_version` applies to all elements: the server knows none of their own.
        """
        ...

    @post(_BULK, effect=Effect.ONCE, errors=_BULK_ERRORS)
    def create_bulk_stream(
        self,
        ledger: str,
        elements: Annotated[
            Elements | AsyncIterable[BulkElement | Mapping[str, Any]] | bytes,
            StreamBody(JSON_STREAM, element_line),
        ],
        *,
        atomic: Atomic = None,
        parallel: Parallel = None,
        continue_on_failure: ContinueOnFailure = None,
        schema_version: SchemaVersion = None,
    ) -> BulkResult:
        """Carry out writes while they are sent: any number, from an iterable; see `create_bulk`.

        An iterator is sent once and never again, so the call is not repeated. Elements before one that cannot be read
        stay committed, with `atomic` too. The vendor's SDK has no such operation.
        """
        ...

    @post(_BULK, effect=Effect.ONCE, errors=_BULK_ERRORS)
    def create_script_stream(
        self,
        ledger: str,
        scripts: Annotated[
            Iterable[Any] | AsyncIterable[Any] | bytes, StreamBody(SCRIPT_STREAM, script_block)
        ],
        *,
        atomic: Atomic = None,
        parallel: Parallel = None,
        continue_on_failure: ContinueOnFailure = None,
        schema_version: SchemaVersion = None,
    ) -> BulkResult:
        """Run scripts while they are sent: texts, or `ScriptBlock`s with idempotency keys; see `create_bulk_stream`."""
        ...

    # -- balances and volumes

    @get(f"{_LEDGER}/aggregate/balances", unwrap="data", errors=REFUSED)
    def get_balances_aggregated(
        self,
        ledger: str,
        filter: Filter = None,
        *,
        pit: Pit = None,
        use_insertion_date: Annotated[bool | None, Query("useInsertionDate")] = None,
    ) -> dict[str, int]:
        """Return the sum of balances by asset. Filter fields: `address` (pattern), `metadata[key]`.

        Unfiltered, the sum of each asset is 0. `pit` counts by effective date, with `use_insertion_date` by insertion.
        """
        ...

    @listing(f"{_LEDGER}/volumes", paging=PAGES, errors=REFUSED)
    def get_volumes_with_balances(
        self,
        ledger: str,
        filter: Filter = None,
        *,
        start_time: StartTime = None,
        end_time: EndTime = None,
        insertion_date: Annotated[bool | None, Query("insertionDate")] = None,
        group_by: Annotated[int | None, Query("groupBy")] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
        sort: Sort = None,
    ) -> VolumesWithBalance:
        """List volumes by account and asset, of a closed interval of time when one is given.

        `group_by`: sum up accounts with the same first so many segments. Filter fields: `account` (pattern),
        `balance[ASSET]`, `metadata[key]`, `first_usage`.
        """
        ...

    @get(f"{_LEDGER}/stats", unwrap="data", errors=REFUSED)
    def read_stats(self, ledger: str) -> Stats:
        """Return how many accounts and transactions there are."""
        ...

    # -- logs

    @listing(f"{_LEDGER}/logs", paging=PAGES, errors=REFUSED)
    def list_logs(
        self,
        ledger: str,
        filter: Filter = None,
        *,
        pit: Pit = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
        sort: Sort = None,
    ) -> Log:
        """List log entries, newest first. Filter fields: `id`, `date`, `type`. `pit` has no effect at the server."""
        ...

    @streaming("POST", f"{_LEDGER}/logs/export", effect=Effect.SAFE, errors=REFUSED)
    def export_logs(self, ledger: str) -> Log:
        """Read all log entries, oldest first, while they arrive. Needs the scope ledger:write, though it only reads.

        `lines()` of the stream gives them byte for byte, for a file or for `import_logs`.
        """
        ...

    @post(f"{_LEDGER}/logs/import", effect=Effect.ONCE, status=204, errors=REFUSED)
    def import_logs(
        self,
        ledger: str,
        logs: Annotated[
            Iterable[Log | Mapping[str, Any] | bytes]
            | AsyncIterable[Log | Mapping[str, Any] | bytes]
            | bytes,
            StreamBody("application/octet-stream", line),
        ],
    ) -> None:
        """Import log entries into a ledger that had no ordinary write yet, while they are sent.

        Takes bytes, a file opened for bytes, or any iterable of log entries, mappings or lines. Entries before a
        refused one stay (`FormanceImportError`); the import goes on with another call that begins after them.
        """
        ...

    # -- schemas and queries

    @post(f"{_LEDGER}/schemas/{{version}}", effect=Effect.KEYED, status=204, errors=_EXISTS)
    def insert_schema(
        self,
        ledger: str,
        version: str,
        schema: SchemaData | Mapping[str, Any],
        *,
        dry_run: DryRun = None,
        schema_version: SchemaVersion = None,
        idempotency_key: Key = None,
    ) -> None:
        """Insert a version of a ledger's schema, which cannot be changed afterwards.

        `dry_run` and `schema_version` are the server's; the published contract does not have them.
        """
        ...

    @get(f"{_LEDGER}/schemas/{{version}}", unwrap="data", errors=MISSING)
    def get_schema(self, ledger: str, version: str) -> Schema:
        """Return a version of a ledger's schema."""
        ...

    @listing(f"{_LEDGER}/schemas", paging=PAGES, errors=REFUSED)
    def list_schemas(
        self,
        ledger: str,
        filter: Filter = None,
        *,
        pit: Pit = None,
        order: Annotated[str | None, Query()] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
        sort: Sort = None,
    ) -> Schema:
        """List versions, newest first. Filter and sort fields: `version`, `created_at`."""
        ...

    @listing(f"{_LEDGER}/queries/{{id}}/run", paging=PAGES, verb="POST", errors=MISSING)
    def run_query(
        self,
        ledger: str,
        id: str,
        schema_version: Annotated[str, Query("schemaVersion")],
        *,
        params: Annotated[Mapping[str, Any] | None, Member()] = None,
        vars: Annotated[Mapping[str, Any] | None, Member()] = None,
        cursor: Annotated[str | None, Member()] = None,
    ) -> Transaction | Account | VolumesWithBalance | Log:
        """Run a query template; ``page.body["resource"]`` says what it lists. Needs the scope ledger:write.

        `params` are ``endTime``, ``startTime``, ``expand`` (a list), ``sort``, ``pageSize``; the server ignores ``pit``
        and ``resource`` there, refuses ``expand`` as one text, and wants everything in the body: all unlike what the
        vendor's SDK sends. Any `params` resets the template's page size, dates and ``expand``.
        """
        ...

    # -- exporters and pipelines, behind an experimental flag of the server

    @listing(_EXPORTERS, paging=PAGES, errors=_FLAGGED)
    def list_exporters(self) -> Exporter:
        """List exporters, all in one page, whose answer has no ``pageSize``."""
        ...

    @post(_EXPORTERS, effect=Effect.ONCE, status=201, unwrap="data", errors=_FLAGGED)
    def create_exporter(self, configuration: ExporterConfiguration | Mapping[str, Any]) -> Exporter:
        """Create an exporter."""
        ...

    @get(f"{_EXPORTERS}/{{exporter_id}}", unwrap="data", errors=_FLAGGED)
    def get_exporter_state(self, exporter_id: str) -> Exporter:
        """Return an exporter."""
        ...

    @put(f"{_EXPORTERS}/{{exporter_id}}", status=204, errors=_FLAGGED)
    def update_exporter(
        self, exporter_id: str, configuration: ExporterConfiguration | Mapping[str, Any]
    ) -> None:
        """Replace an exporter's configuration; running pipelines go on with it where they are."""
        ...

    @delete(f"{_EXPORTERS}/{{exporter_id}}", errors=_FLAGGED)
    def delete_exporter(self, exporter_id: str) -> None:
        """Delete an exporter with its pipelines."""
        ...

    @listing(f"{_LEDGER}/pipelines", paging=PAGES, errors=_FLAGGED)
    def list_pipelines(self, ledger: str) -> Pipeline:
        """List the pipelines of all ledgers, whatever ledger is named, all in one page without ``pageSize``."""
        ...

    @post(f"{_LEDGER}/pipelines", effect=Effect.ONCE, status=201, unwrap="data", errors=_FLAGGED)
    def create_pipeline(self, ledger: str, pipeline: NewPipeline | Mapping[str, Any]) -> Pipeline:
        """Export a ledger's logs to an exporter, from the beginning, as they come."""
        ...

    @get(_PIPELINE, unwrap="data", errors=_FLAGGED)
    def get_pipeline_state(self, ledger: str, pipeline_id: str) -> Pipeline:
        """Return a pipeline with its position."""
        ...

    @delete(_PIPELINE, errors=_FLAGGED)
    def delete_pipeline(self, ledger: str, pipeline_id: str) -> None:
        """Delete a running pipeline; a stopped one is `FormanceNotFoundError`."""
        ...

    @post(f"{_PIPELINE}/start", effect=Effect.ONCE, status=202, errors=_FLAGGED)
    def start_pipeline(self, ledger: str, pipeline_id: str) -> None:
        """Start a pipeline; a running one is `FormanceValidationError`."""
        ...

    @post(f"{_PIPELINE}/stop", effect=Effect.ONCE, status=202, errors=_FLAGGED)
    def stop_pipeline(self, ledger: str, pipeline_id: str) -> None:
        """Stop a pipeline; a stopped one is `FormanceNotFoundError`."""
        ...

    @post(f"{_PIPELINE}/reset", effect=Effect.IDEMPOTENT, status=202, errors=_FLAGGED)
    def reset_pipeline(self, ledger: str, pipeline_id: str) -> None:
        """Send all logs again, from the beginning."""
        ...
