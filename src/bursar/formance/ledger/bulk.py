"""Bulks: many writes in one call, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import field

from bursar.contract import InvalidRequestError, OpenEnum
from bursar.contract.json import dumps
from bursar.formance.errors import ErrorCode
from bursar.formance.wire import Wire

from .models import NewTransaction, TargetType, Transaction


class BulkAction(OpenEnum):
    """What an element of a bulk does."""

    CREATE_TRANSACTION = "CREATE_TRANSACTION"
    ADD_METADATA = "ADD_METADATA"
    REVERT_TRANSACTION = "REVERT_TRANSACTION"
    DELETE_METADATA = "DELETE_METADATA"


class NewMetadata(Wire, kw_only=True):
    """Metadata to merge into an account (by address) or a transaction (by id)."""

    target_type: TargetType
    target_id: str | int
    metadata: Mapping[str, str]


class MetadataKey(Wire, kw_only=True):
    """A metadata entry to delete."""

    target_type: TargetType
    target_id: str | int
    key: str


class Reversal(Wire, kw_only=True):
    """A transaction to revert."""

    id: int
    force: bool | None = None
    at_effective_date: bool | None = None
    metadata: Mapping[str, str] | None = None


class BulkWrite(Wire, tag_field="action", tag="", kw_only=True):
    """What all elements have."""

    ik: str | None = None
    """Idempotency key of the element; a bulk whose elements all have one is repeated on transient failures."""


class BulkCreate(BulkWrite, tag="CREATE_TRANSACTION", kw_only=True):
    """Create a transaction."""

    data: NewTransaction

    def validate(self) -> None:
        """See `NewTransaction.validate`."""
        self.data.validate()


class BulkAddMetadata(BulkWrite, tag="ADD_METADATA", kw_only=True):
    """Merge metadata."""

    data: NewMetadata


class BulkRevert(BulkWrite, tag="REVERT_TRANSACTION", kw_only=True):
    """Revert a transaction."""

    data: Reversal


class BulkDeleteMetadata(BulkWrite, tag="DELETE_METADATA", kw_only=True):
    """Delete a metadata entry."""

    data: MetadataKey


BulkElement = BulkCreate | BulkAddMetadata | BulkRevert | BulkDeleteMetadata


class BulkAnswer(Wire, tag_field="responseType", tag="", kw_only=True):
    """What came of one element."""

    log_id: int = field(name="logID")
    """Id of the write's log; 0 for a failure."""


class BulkCreated(BulkAnswer, tag="CREATE_TRANSACTION", kw_only=True):
    """The transaction that was created; the stored one on a replay."""

    data: Transaction


class BulkReverted(BulkAnswer, tag="REVERT_TRANSACTION", kw_only=True):
    """The transaction that reverts."""

    data: Transaction


class BulkMetadataAdded(BulkAnswer, tag="ADD_METADATA", kw_only=True):
    """Metadata was merged."""


class BulkMetadataDeleted(BulkAnswer, tag="DELETE_METADATA", kw_only=True):
    """A metadata entry was deleted."""


class BulkFailed(BulkAnswer, tag="ERROR", kw_only=True):
    """The element failed, or was left out after a failure (INTERNAL, "context canceled")."""

    error_code: ErrorCode
    error_description: str
    error_details: str | None = None


class BulkUnknown(BulkAnswer, tag="", kw_only=True):
    """An answer of a kind that this version does not know; its ``responseType`` is in `extra`."""

    data: Any = None


BulkOutcome = BulkCreated | BulkReverted | BulkMetadataAdded | BulkMetadataDeleted | BulkFailed | BulkUnknown


class BulkResult(Wire, kw_only=True):
    """What came of the elements, in their order.

    A streamed bulk also says how its stream ended; see `broken_off`.
    """

    data: list[BulkOutcome]
    error_code: ErrorCode | None = None
    error_message: str | None = None

    @property
    def failures(self) -> dict[int, BulkFailed]:
        """The elements that failed, by index."""
        return {index: entry for index, entry in enumerate(self.data) if isinstance(entry, BulkFailed)}

    @property
    def broken_off(self) -> bool:
        """True when a streamed bulk ended at something that could not be read: elements from there on were not run.

        The service answers 200 then. A JSON stream that was read to its end says ``EOF``.
        """
        return self.error_message not in (None, "EOF")


def keyed(arguments: Mapping[str, Any]) -> bool:
    """Tell whether every element of a bulk has an idempotency key of its own."""
    elements: Iterable[Any] = arguments["elements"]
    if not isinstance(elements, (list, tuple)):
        return False
    return all(
        bool(element.get("ik") if isinstance(element, Mapping) else element.ik) for element in elements
    )


def element_line(element: Any) -> bytes:
    """Return an element, or a mapping of that shape, as one line of a JSON stream."""
    return dumps(element) + b"\n"


class ScriptBlock(Wire, kw_only=True):
    """One script of a script stream, with an idempotency key or without."""

    plain: str
    ik: str | None = None


def script_block(block: Any) -> bytes:
    """Return a script, a `ScriptBlock` or a mapping of that shape as a block of a script stream.

    Raises `InvalidRequestError` for a script that would end its block early, an empty one (at which some servers die),
    and a key that the header line cannot hold.
    """
    if isinstance(block, Mapping):
        block = ScriptBlock.from_dict(block)
    plain, ik = (block, None) if isinstance(block, str) else (block.plain, block.ik)
    if not plain.strip():
        raise InvalidRequestError("a script of a stream must not be empty", "plain")
    if any(row.rstrip("\r") == "//end" for row in plain.split("\n")):
        raise InvalidRequestError("a script of a stream must not hold a line //end", "plain")
    if ik is not None and (not ik or any(mark in ik for mark in ",=\r\n")):
        raise InvalidRequestError(
            "an idempotency key of a script stream holds no comma and no equals sign", "ik"
        )
    header = "//script" if ik is None else f"//script ik={ik}"
    return f"{header}\n{plain}\n//end\n".encode()
