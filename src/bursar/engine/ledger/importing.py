"""Logs from another ledger (section 11.5): what a line says, and what it does here."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from bursar.engine import errors as kernel_errors
from bursar.engine.books import (
    ACCOUNTS,
    HEADS,
    IDEMPOTENCY,
    MOVES,
    REFERENCES,
    TRANSACTIONS,
    VOLUMES,
    Books,
    before,
)
from bursar.engine.kernel import Log, Posting, chain
from bursar.engine.kernel.errors import BrokenChain, TransactionExists
from bursar.engine.kernel.model import Pair, Volumes, format_time, parse_time
from bursar.engine.kernel.restore import UNSET_TIME, restore
from bursar.engine.ledger import history, schemas, times, wire
from bursar.engine.ledger.commands import KEY_CHARS
from bursar.engine.ledger.errors import ImportRefused, LedgerError, Validation
from bursar.engine.ledger.ledgers import find
from bursar.engine.ledger.names import TOO_MUCH, TOO_MUCH_TOGETHER
from bursar.engine.ledger.schema_input import read_back
from bursar.engine.limits import LEDGER_AMOUNT_DIGITS
from bursar.engine.registry import LEDGERS, LedgerRow
from bursar.engine.store.base import Range, Wanted
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import View

LAST_ID: Final = 2**62
"""Largest id of an imported log or transaction: ids go on from there, and there must be some left."""


class Told(Struct, frozen=True):
    """A log as it came. `date` None is the time of the import."""

    log: Log
    data: chain.LogData | None
    dated: bool


def read(value: Any) -> Told:
    """The log of its decoded JSON. Raises ImportRefused."""
    try:
        return _read(value)
    except LedgerError as error:
        raise ImportRefused(f"the log cannot be read: {error.message}") from None


def _read(value: Any) -> Told:
    if not isinstance(value, dict):
        raise Validation("a log is an object")
    members = wire.Members(value)
    number = members.natural("id")
    if number is None or number > LAST_ID:
        raise Validation(f"a log needs an id, up to {LAST_ID}")
    kind, date = members.text("type"), members.time("date")
    data = _data(kind, members.raw("data"))
    try:
        digest = b64decode(members.text("hash"), validate=True)
    except ValueError:
        raise Validation("'hash' must be base64") from None
    log = Log(
        id=number,
        type=kind,
        data=b"" if data is None else chain.encode_data(data),
        date=0 if date is None else date,
        hash=digest,
        idempotency_key=members.text("idempotencyKey"),
        idempotency_hash=members.text("idempotencyHash"),
        schema_version=members.text("schemaVersion"),
    )
    return Told(log, data, date is not None)


def _data(kind: str, value: Any) -> chain.LogData | None:
    if not isinstance(value, dict):
        raise Validation("'data' must be an object")
    members = wire.Members(value, "data")
    match kind:
        case chain.NEW_TRANSACTION:
            described = members.mapping("accountMetadata", wire.metadata)
            return chain.NewTransactionJson(_transaction(members.members("transaction")), described)
        case chain.REVERTED_TRANSACTION:
            original = members.members("revertedTransaction")
            if not original.has("revertedAt"):
                raise Validation("'data.revertedTransaction.revertedAt' is missing")
            return chain.RevertedTransactionJson(
                _transaction(original, effective=False), _transaction(members.members("transaction"))
            )
        case chain.SET_METADATA:
            kind, target = _target(members)
            return chain.SetMetadataJson(kind, target, members.metadata("metadata"))
        case chain.DELETE_METADATA:
            kind, target = _target(members)
            return chain.DeleteMetadataJson(kind, target, members.text("key"))
        case chain.INSERTED_SCHEMA:
            return chain.InsertedSchemaJson(Raw(_schema(members.members("schema")).encode()))
        case _:
            raise Validation(f"unknown type of log '{kind}'")


def _schema(members: wire.Members) -> str:
    stored = wire.plain(read_back(members))
    created = members.time("createdAt")
    shown = UNSET_TIME if created is None else format_time(created)
    return schemas.text_of(stored, members.text("version"), shown)


def _target(members: wire.Members) -> tuple[str, str | int]:
    kind, target = members.text("targetType"), members.raw("targetId")
    if kind.upper() == "ACCOUNT" and isinstance(target, str):
        return kind, target
    if kind.upper() == "TRANSACTION" and isinstance(target, int) and 0 <= target < 2**63:
        return kind, int(target)
    raise Validation(f"'data.targetType' {kind!r} and 'data.targetId' do not fit")


def _transaction(members: wire.Members, *, effective: bool = True) -> chain.TransactionJson:
    number = members.natural("id")
    if number is None or number > LAST_ID:
        raise Validation(f"a transaction needs an id, up to {LAST_ID}")
    values = members.array("postings")
    wire.check_amounts(values)
    postings = [wire.posting(value, index) for index, value in enumerate(values)]
    if any(abs(posting.amount) >= TOO_MUCH for posting in postings):
        raise Validation(f"an amount has at most {LEDGER_AMOUNT_DIGITS} digits")
    reverted_at = members.time("revertedAt")
    post, pre = _volumes(members.raw("postCommitVolumes"), postings)
    post_effective, pre_effective = _volumes(members.raw("postCommitEffectiveVolumes"), postings)
    return chain.TransactionJson(
        postings=postings,
        metadata=members.metadata("metadata"),
        timestamp=_shown(members.time("timestamp")),
        reference=members.text("reference"),
        id=number,
        inserted_at=_shown(members.time("insertedAt")),
        updated_at=_shown(members.time("updatedAt")),
        reverted_at=UNSET if reverted_at is None else format_time(reverted_at),
        post_commit_volumes=post,
        post_commit_effective_volumes=post_effective,
        template=members.text("template"),
        reverted=reverted_at is not None,
        pre_commit_volumes=pre,
        pre_commit_effective_volumes=pre_effective,
    )


def _shown(time: int | None) -> str:
    return UNSET_TIME if time is None else format_time(time)


def _volumes(value: Any, postings: Sequence[Posting]) -> tuple[Raw | Any, Raw | Any]:
    """Volumes as given, and what they were before the postings. Raises Validation."""
    if not value:
        return UNSET, UNSET
    post: dict[Pair, Volumes] = {}
    for account, assets in _object(value).items():
        for asset, entry in _object(assets).items():
            members = wire.Members(entry)
            post[account, asset] = Volumes(_amount(members, "input"), _amount(members, "output"))
    try:
        pre = before(post, postings)
    except KeyError as error:
        raise Validation(f"the volumes lack {error}") from None
    return chain.encode_volumes(post), chain.encode_volumes(pre)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Validation("volumes must be objects")
    return value


def _amount(members: wire.Members, name: str) -> int:
    value = members.raw(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise Validation(f"'{name}' must be a whole number")
    if abs(value) >= TOO_MUCH_TOGETHER:
        raise Validation(f"'{name}' has more digits than sums of amounts can have")
    return value


def check_open(view: View, name: str) -> LedgerRow:
    """The ledger, if logs can be imported into it. Raises ImportRefused."""
    row = find(view, name)
    if row.in_use:
        raise ImportRefused("ledger is not in initializing state")
    return row


def load(view: View, name: str, logs: Sequence[Told]) -> LedgerError | None:
    """Apply logs in order. The first that cannot be applied is the answer; those before it stay."""
    view.want(_wanted(name, logs))
    for told in logs:
        mark = view.savepoint()
        try:
            _load(view, name, told)
        except LedgerError as refusal:
            view.roll_back(mark)
            return refusal
    return None


def _wanted(name: str, logs: Sequence[Told]) -> Wanted:
    """The rows that the logs are sure to need, so that they are loaded at once."""
    keys: dict[tuple[AnyTable, Key], None] = {(LEDGERS, (name,)): None, (HEADS, (name,)): None}
    ranges: dict[Range, None] = {}
    for told in logs:
        if told.log.idempotency_key:
            keys[IDEMPOTENCY, (name, told.log.idempotency_key)] = None
        match told.data:
            case chain.NewTransactionJson(transaction=tx) | chain.RevertedTransactionJson(transaction=tx):
                keys[TRANSACTIONS, (name, tx.id)] = None
                if tx.reference:
                    keys[REFERENCES, (name, tx.reference)] = None
                at = parse_time(tx.timestamp)
                for posting in tx.postings:
                    for account in (posting.source, posting.destination):
                        keys[VOLUMES, (name, account, posting.asset)] = None
                        keys[ACCOUNTS, (name, account)] = None
                        ranges[Range(MOVES, (name, account, posting.asset), (at,))] = None
            case chain.SetMetadataJson(target_id=target) | chain.DeleteMetadataJson(target_id=target):
                table: AnyTable = ACCOUNTS if isinstance(target, str) else TRANSACTIONS
                keys[table, (name, target)] = None
            case _:
                pass
        if isinstance(told.data, chain.RevertedTransactionJson):
            keys[TRANSACTIONS, (name, told.data.reverted_transaction.id)] = None
    return Wanted(list(keys), list(ranges))


def _load(view: View, name: str, told: Told) -> None:
    row, log, data = check_open(view, name), told.log, told.data
    if not told.dated:
        log = replace(log, date=view.now)
    if row.imported_log is not None and log.id <= row.imported_log:
        raise ImportRefused(f"log {log.id} already exists")
    _check_constraints(view, name, log)
    books = Books(view, name)
    if data is None:
        return
    try:
        entry = restore(books, log, data, view.now)
    except BrokenChain as error:
        expected, found = b64encode(error.expected).decode(), b64encode(error.found).decode()
        raise ImportRefused(f"invalid hash, expected {expected} got {found} for log {log.id}") from None
    except TransactionExists:
        raise ImportRefused("concurrent transaction occurred, cannot import the ledger") from None
    except kernel_errors.EngineError as error:
        if isinstance(error, LedgerError):
            raise
        raise ImportRefused(f"log {log.id}: {error.message}") from None
    deleted = log.type == chain.DELETE_METADATA
    history.of_accounts(view, row, entry, deleted=deleted)
    if entry.transaction is None:
        history.of_transaction(view, row, entry)
    if isinstance(data, chain.InsertedSchemaJson):
        _keep_schema(view, name, data)
    books.store(entry, imported=True)
    transaction = row.imported_transaction
    if entry.transaction is not None:
        number = entry.transaction.id
        transaction = number if transaction is None else max(transaction, number)
    view.put(LEDGERS, replace(row, imported_log=log.id, imported_transaction=transaction))


def _check_constraints(view: View, name: str, log: Log) -> None:
    """What the real service's database refuses. Raises ImportRefused."""
    if len(log.idempotency_key) > KEY_CHARS:
        raise ImportRefused(f"log {log.id}: an idempotency key has at most {KEY_CHARS} characters")
    if log.idempotency_key and view.get(IDEMPOTENCY, name, log.idempotency_key) is not None:
        raise ImportRefused(f"log {log.id}: the idempotency key is used already")
    if log.schema_version and schemas.get(view, name, log.schema_version) is None:
        raise ImportRefused(f"log {log.id}: there is no schema version `{log.schema_version}`")


def _keep_schema(view: View, name: str, data: chain.InsertedSchemaJson) -> None:
    text = bytes(data.schema).decode()
    schema = schemas.of_text(text)
    created = times.parse(schemas.created_at(text))
    if schemas.get(view, name, schema.version) is not None:
        raise ImportRefused(f"schema version `{schema.version}` exists already")
    schemas.keep(view, name, schema.version, created, text)
