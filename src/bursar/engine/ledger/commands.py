"""Every write of a ledger is one of a `Session`: repetition, schema, effect, history, used ids (sections 9 to 11)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine import errors as kernel_errors
from bursar.engine.books import HEADS, IDEMPOTENCY, LOGS, VOLUMES, Books, VolumesRow
from bursar.engine.kernel import Entry, Metadata, NewTransaction, Origin, Posting, chain, ledger
from bursar.engine.kernel.model import NEVER
from bursar.engine.ledger import features, history, names, schemas
from bursar.engine.ledger.errors import (
    AlreadyReverted,
    BadKey,
    BadMetadata,
    Conflict,
    InsufficientFund,
    KeyTooLong,
    LedgerError,
    NoPostings,
    NotFound,
    SchemaExists,
    Validation,
)
from bursar.engine.ledger.ledgers import check_text, find
from bursar.engine.ledger.requests import (
    INTERPRETER,
    CreateTransaction,
    DeleteMetadata,
    InsertSchema,
    RevertTransaction,
    SetMetadata,
    Write,
    input_hash,
)
from bursar.engine.ledger.schemas import Schema
from bursar.engine.ledger.settings import Settings
from bursar.engine.registry import LEDGERS, LedgerRow
from bursar.engine.view import View

if TYPE_CHECKING:
    from bursar.engine.ledger.scripts import Execution

KEY_CHARS: Final = 255
REFERENCE_BYTES: Final = 2600
"""What a unique index of the real service's database takes (section 24.2)."""
_LEGAL_BACKSLASHES: Final = re.compile(r"(?:[^\\]|\\\\|\\[0-3][0-7]{2})*")

_TYPES: Final[Mapping[type[Write], str]] = {
    CreateTransaction: chain.NEW_TRANSACTION,
    RevertTransaction: chain.REVERTED_TRANSACTION,
    SetMetadata: chain.SET_METADATA,
    DeleteMetadata: chain.DELETE_METADATA,
    InsertSchema: chain.INSERTED_SCHEMA,
}


class Options(Struct, frozen=True):
    """What goes with a write of its own."""

    key: str = ""
    schema_version: str = ""
    dry_run: bool = False


class Written(Struct, frozen=True):
    """The log of a write; `hit` when an earlier write with the same idempotency key answered."""

    id: int
    type: str
    data: bytes
    date: int
    hit: bool = False


class Session:
    """The writes of one command on one ledger."""

    def __init__(self, view: View, name: str, settings: Settings, schema_version: str = "") -> None:
        self._view = view
        self._name = name
        self._settings = settings
        self._schema_version = schema_version
        self._books = Books(view, name)

    def write(
        self, request: Write, key: str = "", *, dry_run: bool = False, date: int | None = None
    ) -> Written | LedgerError:
        """Do one write, or say why not. `date` is given when several writes share a moment (one atomic bulk).

        A refusal is returned, not raised, since it may use up ids: its other changes are taken back.
        """
        view = self._view
        start = view.savepoint()
        try:
            row = find(view, self._name)
            names.check_not_a_rails(self._name)
            digest = input_hash(request)
            if key:
                known = _repeated(view, self._name, request, key, digest)
                if known is not None:
                    return known
            if not row.in_use:
                self._take_into_use(row)
            schema = schemas.for_write(view, row, request, self._schema_version, self._settings)
            origin = Origin(key, digest, self._schema_version, date)
            entry = self._effect(request, row, schema, origin)
            self._books.store(entry)
            if key:
                _check_key(row, key)
        except LedgerError as refusal:
            view.roll_back(start)
            if refusal.takes != "nothing":
                made = isinstance(request, (CreateTransaction, RevertTransaction))
                self._take(log=int(refusal.takes == "both"), transaction=int(made))
            return refusal
        if dry_run:
            view.roll_back(start)
            self._take(log=1, transaction=0 if entry.transaction is None else 1)
        return Written(entry.log.id, entry.log.type, entry.log.data, entry.log.date)

    def _take_into_use(self, row: LedgerRow) -> None:
        """From now on ids go on from the largest that imports brought (11.3, 11.4)."""
        self._view.put(LEDGERS, replace(row, in_use=True))
        if row.imported_log is not None:
            head = replace(self._books.head(), log=row.imported_log)
            if row.imported_transaction is not None:
                head = replace(head, transaction=row.imported_transaction)
            self._view.put(HEADS, head)

    def _take(self, *, log: int, transaction: int) -> None:
        """Use up ids: nothing will ever carry them."""
        head = self._books.head()
        taken = replace(head, log=head.log + log, transaction=head.transaction + transaction)
        self._view.put(HEADS, taken)

    def _effect(self, request: Write, row: LedgerRow, schema: Schema | None, origin: Origin) -> Entry:
        match request:
            case CreateTransaction():
                return self._create(request, row, schema, origin)
            case RevertTransaction():
                return self._revert(request, origin)
            case SetMetadata():
                return self._set_metadata(request, row, schema, origin)
            case DeleteMetadata():
                return self._delete_metadata(request, row, origin)
            case InsertSchema():
                return self._insert_schema(request, origin)

    def _create(
        self, request: CreateTransaction, row: LedgerRow, schema: Schema | None, origin: Origin
    ) -> Entry:
        new = self._from_postings(request) if request.postings else self._from_script(request, schema)
        if new.metadata:
            check_text(new.metadata)
        if new.reference:
            _check_reference(new.reference)
        if new.account_metadata:
            for address, metadata in new.account_metadata.items():
                check_text({address: "", **(metadata or {})})
        if schema is not None:
            schema.check_postings(new.postings, strict=self._settings.strict)
            new = replace(new, account_defaults=schema.defaults(_addresses(new)))
        try:
            entry = self._books.prepare(new, origin)
        except kernel_errors.InsufficientFunds as error:
            raise InsufficientFund(f"account(s) @{error.account} had/have insufficient funds") from None
        except kernel_errors.ReferenceConflict as error:
            raise Conflict(f'duplicate reference "{error.reference}"') from None
        if entry.accounts:
            history.of_accounts(self._view, row, entry)
        return entry

    def _from_postings(self, request: CreateTransaction) -> NewTransaction:
        postings = request.postings
        if self._interprets(request) and not all(posting.amount for posting in postings):
            postings = [posting for posting in postings if posting.amount]
            if not postings:
                raise NoPostings("numscript execution returned no postings")
        return _new(request, postings, request.metadata, request.account_metadata, unbounded=request.force)

    def _interprets(self, request: CreateTransaction) -> bool:
        runtime = request.runtime
        return runtime == INTERPRETER or (runtime != "machine" and self._settings.interpreter)

    def _from_script(self, request: CreateTransaction, schema: Schema | None) -> NewTransaction:
        chosen = request
        if request.template:
            assert schema is not None
            template = schema.template(request.template)
            chosen = replace(request, plain=template.script, runtime=request.runtime or template.runtime)
        from bursar.engine.ledger.scripts import (
            execute,
        )  # only a server that runs scripts pays for loading Numscript

        done = execute(self._view, self._name, chosen, self._settings, interprets=self._interprets(chosen))
        self._keep_asked(done)
        accounts = {**done.account_metadata}
        for address, metadata in (request.account_metadata or {}).items():
            accounts[address] = {**(accounts.get(address) or {}), **(metadata or {})}
        metadata = {**done.metadata, **(request.metadata or {})}
        return _new(request, done.postings, metadata, accounts, unbounded=True)

    def _keep_asked(self, done: Execution) -> None:
        """Balances that a script asked for become rows (section 9.5)."""
        for account, asset in done.asked:
            if self._view.get(VOLUMES, self._name, account, asset) is None:
                self._view.put(VOLUMES, VolumesRow(self._name, account, asset, 0, 0, NEVER))

    def _revert(self, request: RevertTransaction, origin: Origin) -> Entry:
        check_text(request.metadata)
        try:
            return ledger.revert(
                self._books,
                request.id,
                self._view.now,
                metadata=request.metadata,
                force=request.force,
                at_effective_date=request.at_effective_date,
                origin=origin,
            )
        except kernel_errors.UnknownTransaction:
            raise NotFound from None
        except kernel_errors.AlreadyReverted:
            raise AlreadyReverted(f"already reverted, id: {request.id}") from None
        except kernel_errors.InsufficientFunds as error:
            raise InsufficientFund(f"insufficient fund for {error.account}/{error.asset}") from None

    def _set_metadata(
        self, request: SetMetadata, row: LedgerRow, schema: Schema | None, origin: Origin
    ) -> Entry:
        check_text({str(request.target): "", **(request.metadata or {})})
        target = request.target
        defaults = None
        if schema is not None and isinstance(target, str):
            defaults = schema.defaults([target]).get(target)
        try:
            entry = ledger.set_metadata(
                self._books, target, request.metadata, self._view.now, origin, defaults=defaults
            )
        except kernel_errors.UnknownTransaction:
            raise NotFound from None
        history.of_accounts(self._view, row, entry)
        history.of_transaction(self._view, row, entry)
        return entry

    def _delete_metadata(self, request: DeleteMetadata, row: LedgerRow, origin: Origin) -> Entry:
        check_text({request.key: "", str(request.target): ""})
        try:
            entry = ledger.delete_metadata(self._books, request.target, request.key, self._view.now, origin)
        except kernel_errors.UnknownTransaction:
            raise NotFound from None
        history.of_accounts(self._view, row, entry, deleted=True)
        history.of_transaction(self._view, row, entry)
        return entry

    def _insert_schema(self, request: InsertSchema, origin: Origin) -> Entry:
        view, name, now = self._view, self._name, self._view.now
        if schemas.get(view, name, request.version) is not None:
            raise SchemaExists(f"schema version {request.version!r} exists already")
        text = schemas.stored_text(request, now)
        schemas.keep(view, name, request.version, now, text)
        return ledger.insert_schema(self._books, text.encode(), now, origin)


def _repeated(view: View, name: str, request: Write, key: str, digest: str) -> Written | None:
    """What the first write with this key answered, if there was one and it meant the same (section 10)."""
    used = view.get(IDEMPOTENCY, name, key)
    if used is None:
        return None
    log = view.get(LOGS, name, used.log)
    assert log is not None
    kept = log.idempotency_hash
    same = kept == digest if kept else log.type == _TYPES[type(request)]
    if not same:
        raise Validation(
            f"invalid idempotency hash when using idempotency key '{key}', "
            f"has computed '{digest}' but '{log.idempotency_hash}' is stored"
        )
    return Written(log.id, log.type, log.data.encode(), log.date, hit=True)


def _check_key(row: LedgerRow, key: str) -> None:
    if len(key) > KEY_CHARS:
        raise KeyTooLong(f"an idempotency key has at most {KEY_CHARS} characters")
    if "\\" in key and features.has(row, features.HASH) and not _LEGAL_BACKSLASHES.fullmatch(key):
        raise BadKey("a backslash in an idempotency key is doubled, or followed by three octal digits")


def _new(
    request: CreateTransaction,
    postings: Sequence[Posting],
    metadata: Metadata | None,
    accounts: Mapping[str, Metadata | None] | None,
    *,
    unbounded: bool,
) -> NewTransaction:
    """`unbounded`: every source may go negative; the caller, or the script, has seen to the funds."""
    return NewTransaction(
        postings,
        metadata or {},
        request.reference or None,
        request.timestamp,
        accounts or {},
        {posting.source: None for posting in postings} if unbounded else {},
        template=request.template,
    )


def _addresses(new: NewTransaction) -> set[str]:
    named = {name for posting in new.postings for name in (posting.source, posting.destination)}
    return named | set(new.account_metadata or ())


def _check_reference(reference: str) -> None:
    check_text({reference: ""})
    if len(reference.encode()) > REFERENCE_BYTES:
        raise BadMetadata(f"a reference has at most {REFERENCE_BYTES} bytes")
