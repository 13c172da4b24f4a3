"""The log's JSON, its memento, and the SHA-256 chain over it (Formance ledger, "HASH_LOGS = SYNC"; invariant 5).

    hash(n) = SHA-256( ['"' base64(hash(n-1)) '"' newline]  line(n) newline )

The line holds type, memento, date and idempotency key, byte for byte as the Go server writes it: compact JSON, keys in
declaration order, maps sorted by key, `<` `>` `&` U+2028 U+2029 escaped, the idempotency key inserted raw.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET, Raw, Struct, UnsetType, field, json

from bursar.engine.kernel.model import (
    CommitVolumes,
    Metadata,
    Pair,
    Posting,
    Transaction,
    Volumes,
    format_time,
)

NEW_TRANSACTION: Final = "NEW_TRANSACTION"
REVERTED_TRANSACTION: Final = "REVERTED_TRANSACTION"
SET_METADATA: Final = "SET_METADATA"
DELETE_METADATA: Final = "DELETE_METADATA"
INSERTED_SCHEMA: Final = "INSERTED_SCHEMA"


class TransactionJson(Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A transaction as the ledger API writes it; maps of volumes are pre-encoded JSON."""

    postings: Sequence[Posting]
    metadata: Metadata | None
    timestamp: str
    reference: str = ""
    id: int
    inserted_at: str
    updated_at: str
    reverted_at: str | UnsetType = UNSET
    post_commit_volumes: Raw | UnsetType = UNSET
    post_commit_effective_volumes: Raw | UnsetType = UNSET
    template: str = ""
    reverted: bool
    pre_commit_volumes: Raw | UnsetType = UNSET
    pre_commit_effective_volumes: Raw | UnsetType = UNSET


class NewTransactionJson(Struct, rename="camel"):
    """Data of a NEW_TRANSACTION log."""

    transaction: TransactionJson
    account_metadata: Mapping[str, Metadata | None] | None


class RevertedTransactionJson(Struct, rename="camel"):
    """Data of a REVERTED_TRANSACTION log: the original as it became, and its opposite."""

    reverted_transaction: TransactionJson
    transaction: TransactionJson


class SetMetadataJson(Struct, rename="camel"):
    """`target_type` is ACCOUNT (with an address) or TRANSACTION (with an id)."""

    target_type: str
    target_id: str | int
    metadata: Metadata | None


class DeleteMetadataJson(Struct, rename="camel"):
    """Data of a DELETE_METADATA log."""

    target_type: str
    target_id: str | int
    key: str


class InsertedSchemaJson(Struct):
    """The schema in the form in which it is read back."""

    schema: Raw


LogData = (
    NewTransactionJson | RevertedTransactionJson | SetMetadataJson | DeleteMetadataJson | InsertedSchemaJson
)

_TYPES: Final[dict[str, type[LogData]]] = {
    NEW_TRANSACTION: NewTransactionJson,
    REVERTED_TRANSACTION: RevertedTransactionJson,
    SET_METADATA: SetMetadataJson,
    DELETE_METADATA: DeleteMetadataJson,
    INSERTED_SCHEMA: InsertedSchemaJson,
}
_DECODERS: Final = {name: json.Decoder(shape) for name, shape in _TYPES.items()}
_NAMES: Final = {shape: name for name, shape in _TYPES.items()}
_encode: Final = json.Encoder(order="deterministic").encode
_volumes: Final = json.Decoder(dict[str, dict[str, Volumes]]).decode
_GO_ESCAPES: Final = tuple(
    (raw.encode(), f"\\u{ord(raw):04x}".encode()) for raw in ("<", ">", "&", "\u2028", "\u2029")
)


class _Core(Struct, kw_only=True, omit_defaults=True):
    """What the chain protects of a transaction: no volumes, no insertion date, no template, never reverted."""

    postings: Sequence[Posting]
    metadata: Metadata | None
    timestamp: str
    reference: str = ""
    id: int
    reverted: bool


class _Volumes(Struct, gc=False):
    """Volumes as the API writes them. Members stand in this order."""

    balance: int
    input: int
    output: int


class _NewMemento(Struct, rename="camel"):
    transaction: _Core
    account_metadata: Mapping[str, Metadata | None] | None


class _RevertedMemento(Struct):
    reverted_transaction_id: int = field(name="revertedTransactionID")
    transaction: _Core


def encode_volumes(volumes: Mapping[Pair, Volumes]) -> Raw:
    """`{account: {asset: {balance, input, output}}}`, sorted."""
    shown: dict[str, dict[str, _Volumes]] = {}
    for (account, asset), total in volumes.items():
        entry = _Volumes(total.input - total.output, total.input, total.output)
        if account in shown:
            shown[account][asset] = entry
        else:
            shown[account] = {asset: entry}
    return Raw(_encode(shown))


def decode_volumes(shown: Raw | bytes | str) -> dict[Pair, Volumes]:
    """The reverse of `encode_volumes`. Raises msgspec.ValidationError."""
    return {
        (account, asset): total
        for account, assets in _volumes(shown).items()
        for asset, total in assets.items()
    }


def volumes_of(tx: TransactionJson) -> CommitVolumes:
    """The volumes that a log shows of its transaction."""
    return CommitVolumes(
        tx.post_commit_volumes,
        tx.pre_commit_volumes,
        tx.post_commit_effective_volumes,
        tx.pre_commit_effective_volumes,
    )


def transaction_json(tx: Transaction, *, effective: bool = True) -> TransactionJson:
    """The API's form of a transaction; volumes that were not loaded are omitted."""
    volumes = tx.volumes
    inserted_at = format_time(tx.inserted_at)
    return TransactionJson(
        postings=tx.postings,
        metadata=tx.metadata,
        timestamp=inserted_at if tx.timestamp == tx.inserted_at else format_time(tx.timestamp),
        reference=tx.reference or "",
        id=tx.id,
        inserted_at=inserted_at,
        updated_at=inserted_at if tx.updated_at == tx.inserted_at else format_time(tx.updated_at),
        reverted_at=UNSET if tx.reverted_at is None else format_time(tx.reverted_at),
        post_commit_volumes=UNSET if volumes is None else volumes.post,
        post_commit_effective_volumes=UNSET if volumes is None or not effective else volumes.post_effective,
        template=tx.template,
        reverted=tx.reverted_at is not None,
        pre_commit_volumes=UNSET if volumes is None else volumes.pre,
        pre_commit_effective_volumes=UNSET if volumes is None or not effective else volumes.pre_effective,
    )


def encode_data(data: LogData) -> bytes:
    """The `data` of a log as JSON, maps sorted by key, so that equal data are equal bytes."""
    return _encode(data)


def decode_data(type: str, data: bytes) -> LogData:
    """The reverse of `encode_data`. Raises msgspec.ValidationError or KeyError (unknown type)."""
    return _DECODERS[type].decode(data)


def memento(data: LogData) -> bytes:
    """The bytes of a log's data that the chain protects."""
    if isinstance(data, NewTransactionJson):
        kept: object = _NewMemento(_core(data.transaction), data.account_metadata)
    elif isinstance(data, RevertedTransactionJson):
        kept = _RevertedMemento(data.reverted_transaction.id, _core(data.transaction))
    else:
        kept = data
    return go_json(kept)


def _core(tx: TransactionJson) -> _Core:
    return _Core(
        postings=tx.postings,
        metadata=tx.metadata,
        timestamp=tx.timestamp,
        reference=tx.reference,
        id=tx.id,
        reverted=False,
    )


def go_json(value: object) -> bytes:
    """Compact JSON as Go writes it: maps sorted by key, some characters escaped that need not be."""
    encoded = _encode(value)
    if encoded.isascii() and b"<" not in encoded and b">" not in encoded and b"&" not in encoded:
        return encoded
    for raw, escaped in _GO_ESCAPES:
        if raw in encoded:
            encoded = encoded.replace(raw, escaped)
    return encoded


def chain(previous: bytes, type: str, kept: bytes, date: int, idempotency_key: str = "") -> bytes:
    """The 32-byte hash of a log; `kept` is its memento, `previous` the hash before it (empty for the first log)."""
    line = b'{"type":"%b","data":%b,"date":"%b","idempotencyKey":"%b","id":0,"hash":null}\n' % (
        type.encode(),
        kept,
        format_time(date).encode(),
        idempotency_key.encode(),
    )
    return hashlib.sha256(
        b'"%b"\n%b' % (b2a_base64(previous, newline=False), line) if previous else line
    ).digest()


def log_type(data: LogData) -> str:
    """The log type that carries data of this shape."""
    return _NAMES[type(data)]
