"""Bodies of writes, decoded and checked for form (sections 3, 8, 9.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from bursar.engine.kernel import Posting
from bursar.engine.ledger import times, wire
from bursar.engine.ledger.errors import InvalidPostings, NoPostings, Validation
from bursar.engine.ledger.names import check_posting
from bursar.engine.ledger.requests import CreateTransaction, RevertTransaction, SetMetadata
from bursar.server.ledger import variables


class _Posting(Posting, forbid_unknown_fields=True, frozen=True, gc=False):
    pass


class _Body(Struct, forbid_unknown_fields=True, rename="camel"):
    """The usual body of a new transaction; whatever else comes takes the long way."""

    postings: list[_Posting]
    timestamp: str | None = None
    reference: str | None = None
    metadata: dict[str, str] | None = None
    account_metadata: dict[str, dict[str, str] | None] | None = None
    runtime: str | None = None
    force: bool | None = None

    def request(self, *, force: bool = False) -> CreateTransaction:
        """The new transaction. Raises InvalidPostings and Validation."""
        for index, posting in enumerate(self.postings):
            check_posting(index, posting)
        return CreateTransaction(
            postings=self.postings,
            timestamp=None if self.timestamp is None else times.parse_optional(self.timestamp),
            metadata=self.metadata,
            reference=self.reference or "",
            account_metadata=self.account_metadata,
            runtime=self.runtime or "",
            force=bool(self.force) or force,
        )


class UsualElement(Struct, forbid_unknown_fields=True):
    """The usual element of a bulk."""

    action: Literal["CREATE_TRANSACTION"]
    data: _Body
    ik: str | None = None


usual_elements: Final = msgspec.json.Decoder(list[UsualElement]).decode
"""Elements that only make transactions. Raises msgspec.MsgspecError or UnicodeDecodeError for any other bulk."""
_usual: Final = msgspec.json.Decoder(_Body).decode


def create(body: bytes, *, force: bool) -> CreateTransaction:
    """A new transaction of version 2. Raises Validation and NoPostings."""
    try:
        usual = _usual(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _create(body, force=force)
    return usual.request(force=force) if usual.postings else _create(body, force=force)


def _create(body: bytes, *, force: bool) -> CreateTransaction:
    members = wire.Members(wire.first_value(body))
    request, values = transaction(members, force=force)
    ways = sum((bool(values), bool(request.plain), bool(request.template)))
    if ways > 1:
        raise Validation("postings, script.plain and script.template exclude each other")
    if not ways:
        raise NoPostings("you need to pass either a posting array or a script")
    return msgspec.structs.replace(request, postings=checked_postings(values))


def transaction(members: wire.Members, *, force: bool = False) -> tuple[CreateTransaction, list[Any]]:
    """A new transaction without its postings, and these as they were sent. Raises Validation."""
    script = members.members("script")
    values = members.array("postings")
    for index, value in enumerate(values):
        wire.posting(value, index)
    request = CreateTransaction(
        plain=script.text("plain"),
        template=script.text("template"),
        vars=variables.of_v2(script.raw("vars")),
        timestamp=members.time("timestamp"),
        metadata=members.metadata("metadata"),
        reference=members.text("reference"),
        account_metadata=members.mapping("accountMetadata", wire.metadata),
        runtime=members.text("runtime"),
        force=members.flag("force") or force,
    )
    return request, values


def create_v1(body: bytes) -> CreateTransaction:
    """A new transaction of version 1 (section 18.4). Raises Validation."""
    members = wire.Members(wire.first_value(body))
    script = members.members("script")
    values = members.array("postings")
    plain = script.text("plain")
    if bool(values) == bool(plain):
        raise Validation("either postings or script must be given")
    return CreateTransaction(
        postings=checked_postings(values),
        plain=plain,
        template=script.text("template"),
        vars=variables.of_v1(script.raw("vars")),
        timestamp=members.time("timestamp"),
        metadata=members.metadata("metadata"),
        reference=members.text("reference"),
    )


def checked_postings(values: list[Any]) -> list[Posting]:
    """Postings of the right shape; those of section 3 checked one after another. Raises Validation."""
    postings: list[Posting] = []
    for index, value in enumerate(values):
        posting = wire.posting(value, index)
        if not wire.amount_given(value):
            raise InvalidPostings(f"invalid posting {index}: no amount defined")
        check_posting(index, posting)
        postings.append(posting)
    return postings


def metadata(body: bytes) -> dict[str, str] | None:
    """A body that is a map of texts, or null. Raises Validation."""
    return wire.metadata(wire.first_value(body), "metadata")


def needed_metadata(body: bytes) -> dict[str, str]:
    """The same without null (section 24.2)."""
    found = metadata(body)
    if found is None:
        raise Validation("the metadata must be an object, not null")
    return found


def transaction_metadata(body: bytes, id: str) -> SetMetadata:
    """Metadata for a transaction; the body is looked at before the id (8.5). Raises Validation."""
    found = metadata(body)
    target = write_id(id)
    if found is None:
        raise Validation("the metadata must be an object, not null")
    return SetMetadata(target, found)


def revert(body: bytes, id: int, options: Mapping[str, bool]) -> RevertTransaction:
    """A revert; an empty body is none (8.6). Raises Validation."""
    members = wire.Members(wire.first_value(body) if body else {})
    return RevertTransaction(
        id=id,
        force=options["force"],
        at_effective_date=options["atEffectiveDate"],
        metadata=members.metadata("metadata"),
    )


def write_id(text: str) -> int:
    """A transaction's id in the path of a write: 64 bits without sign. Raises Validation."""
    number = wire.integer(text, 0, 2**64 - 1)
    if number is None or text[0] in "+-":
        raise Validation(f"invalid transaction id {text!r}")
    return number if number < 2**63 else -1


def read_id(text: str) -> int:
    """A transaction's id in the path of a read: 64 bits with sign. Raises Validation."""
    number = wire.integer(text, -(2**63), 2**63 - 1)
    if number is None:
        raise Validation(f"invalid transaction id {text!r}")
    return number
