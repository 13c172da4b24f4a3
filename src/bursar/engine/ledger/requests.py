"""What callers ask to be written, decoded and checked for form, and the hash by which a repetition is known (10.3)."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import UNSET, Raw, Struct, UnsetType, field

from bursar.engine.kernel import WORLD, Metadata, Posting
from bursar.engine.kernel.chain import go_json
from bursar.engine.kernel.model import format_time

INTERPRETER: Final = "experimental-interpreter"
"""The runtime that is not the machine."""
_SHORT: Final = 8
"""Postings of which a script's text is kept."""
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_NO_TIME: Final = "0001-01-01T00:00:00Z"


class CreateTransaction(Struct, frozen=True, kw_only=True):
    """Postings, a script, or the name of a schema's script; `runtime` "" is the server's default.

    `metadata` and `account_metadata` None is an absent or null map; the hash tells it from an empty one.
    """

    postings: Sequence[Posting] = ()
    plain: str = ""
    template: str = ""
    vars: Mapping[str, str] = {}
    timestamp: int | None = None
    metadata: Metadata | None = None
    reference: str = ""
    account_metadata: Mapping[str, Metadata | None] | None = None
    runtime: str = ""
    force: bool = False


class RevertTransaction(Struct, frozen=True, kw_only=True):
    """`at_effective_date` dates the revert like the original."""

    id: int
    force: bool = False
    at_effective_date: bool = False
    metadata: Metadata | None = None


class SetMetadata(Struct, frozen=True):
    """`target` is an account's address or a transaction's id."""

    target: str | int
    metadata: Metadata | None


class DeleteMetadata(Struct, frozen=True):
    """`target` is an account's address or a transaction's id."""

    target: str | int
    key: str


class InsertSchema(Struct, frozen=True):
    """`data` is the schema as it was sent, decoded; `stored` its read-back form without version and date."""

    version: str
    data: Raw
    stored: Mapping[str, object]


Write = CreateTransaction | RevertTransaction | SetMetadata | DeleteMetadata | InsertSchema


class _Create(Struct):
    plain: str | UnsetType
    template: str | UnsetType
    vars: Mapping[str, str]
    timestamp: str
    metadata: Metadata | None
    reference: str
    account_metadata: Mapping[str, Metadata | None] | None = field(name="AccountMetadata")
    runtime: str = field(name="Runtime")


class _Revert(Struct, rename="pascal"):
    force: bool
    at_effective_date: bool
    transaction: int = field(name="TransactionID")
    metadata: Metadata | None = None


class _SetTransaction(Struct):
    transaction: int = field(name="TransactionID")
    metadata: Metadata | None = field(name="Metadata")


class _SetAccount(Struct, rename="pascal"):
    address: str
    metadata: Metadata | None


class _DeleteTransaction(Struct):
    transaction: int = field(name="TransactionID")
    key: str = field(name="Key")


class _DeleteAccount(Struct, rename="pascal"):
    address: str
    key: str


class _Schema(Struct, rename="pascal"):
    version: str
    data: Raw


def input_hash(request: Write) -> str:
    """Which input this is: equal for what means the same to the real service."""
    digest = hashlib.sha256(go_json(_hashed(request)) + b"\n").digest()
    return b2a_base64(digest, newline=False).translate(_URL_SAFE).decode()


def _hashed(request: Write) -> Struct:
    if isinstance(request, CreateTransaction):
        return _hashed_create(request)
    match request:
        case RevertTransaction():
            return _Revert(request.force, request.at_effective_date, request.id, request.metadata)
        case SetMetadata():
            if isinstance(request.target, str):
                return _SetAccount(request.target, request.metadata)
            return _SetTransaction(request.target, request.metadata)
        case DeleteMetadata():
            if isinstance(request.target, str):
                return _DeleteAccount(request.target, request.key)
            return _DeleteTransaction(request.target, request.key)
        case InsertSchema():
            return _Schema(request.version, request.data)


def _hashed_create(request: CreateTransaction) -> _Create:
    plain, variables, metadata = request.plain, request.vars, request.metadata
    if request.postings:
        plain, variables = script_of(request.postings, force=request.force)
        metadata = metadata or {}
    return _Create(
        plain or UNSET,
        request.template or UNSET,
        variables,
        _NO_TIME if request.timestamp is None else format_time(request.timestamp),
        metadata,
        request.reference,
        request.account_metadata,
        request.runtime,
    )


def script_of(postings: Sequence[Posting], *, force: bool) -> tuple[str, dict[str, str]]:
    """The script and variables that the real service turns postings into (section 9.2)."""
    accounts = {WORLD: ""}
    amounts: dict[str, str] = {}
    variables: dict[str, str] = {}
    lines: list[tuple[str, str, str]] = []
    for posting in postings:
        source, destination, money = posting.source, posting.destination, f"{posting.asset} {posting.amount}"
        for address in (source, destination):
            if address not in accounts:
                name = accounts[address] = f"va{len(accounts) - 1}"
                variables[name] = address
        if money not in amounts:
            name = amounts[money] = f"vm{len(amounts)}"
            variables[name] = money
        lines.append((accounts[source], accounts[destination], amounts[money]))
    return (_known_text if len(lines) <= _SHORT else _script_text)(tuple(lines), force), variables


def _script_text(lines: tuple[tuple[str, str, str], ...], force: bool) -> str:
    """The script of postings that are known by their variables: source and destination ("" for world), amount."""
    accounts = {name for source, destination, _ in lines for name in (source, destination) if name}
    text = ["vars {"]
    text += [f"\taccount ${name}" for name in sorted(accounts)]
    text += [f"\tmonetary ${name}" for name in sorted({amount for _, _, amount in lines})]
    text.append("}")
    overdraft = " allowing unbounded overdraft" if force else ""
    for source, destination, amount in lines:
        text += [
            f"send ${amount} (",
            f"\tsource = ${source}{overdraft}" if source else "\tsource = @world",
            f"\tdestination = ${destination}" if destination else "\tdestination = @world",
            ")",
        ]
    return "\n".join([*text, ""])


_known_text: Final = lru_cache(maxsize=256)(_script_text)
