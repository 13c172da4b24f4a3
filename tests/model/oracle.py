"""A second, naive ledger, from the specification alone: plain dictionaries, all sums made anew.

It shares nothing with the engine, and a test sees to it that neither this nor what it imports imports Bursar. It knows
the wire's JSON, not the wire: `Oracle.do` takes an operation and says what status and body must come back.
"""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from tests.model import chain, reads
from tests.model.chain import shown
from tests.model.operations import (
    Bulk,
    Create,
    DeleteMetadata,
    Operation,
    Read,
    Request,
    Revert,
    SetMetadata,
    Write,
)

ADDRESS = re.compile(r"[a-zA-Z0-9_-]+(:[a-zA-Z0-9_-]+)*")
ASSET = re.compile(r"[A-Z][A-Z0-9]{0,16}(_[A-Z]{1,16})?(/\d{1,6})?")
REVERTS = "com.formance.spec/state/reverts"
ACTIONS = {
    Create: "CREATE_TRANSACTION",
    Revert: "REVERT_TRANSACTION",
    SetMetadata: "ADD_METADATA",
    DeleteMetadata: "DELETE_METADATA",
}
KEY_CHARS = 255
"""A longer key uses up no log id, whatever section 11.4 says: the real service was asked."""
READ_IDS = 2**63
"""Ids in the path of a read have a sign, those of writes have none (section 3)."""

Pair = tuple[str, str]
Row = dict[str, Any]
Table = dict[Any, Any]


@dataclass(frozen=True)
class Reply:
    """What comes back. Of an error `body` has the code; its message must contain `text`."""

    status: int
    body: Any = None
    hit: bool = False
    count: int | None = None
    text: str = ""


class Refusal(Exception):
    """A write that is refused; `transactions` counts the ids that it uses up if it makes one (section 11.4)."""

    def __init__(self, code: str, text: str = "", transactions: int = 0) -> None:
        super().__init__(code)
        self.code, self.text, self.transactions = code, text, transactions

    @property
    def status(self) -> int:
        """Of a single call."""
        return {"NOT_FOUND": 404, "CONFLICT": 409}.get(self.code, 400)


@dataclass
class Oracle:
    """One ledger. Every value in a table is replaced, never changed, so that `_undo` can put the old one back."""

    now: int
    accounts: dict[str, Row] = field(default_factory=dict)
    transactions: dict[int, Row] = field(default_factory=dict)
    moves: dict[Pair, tuple[Row, ...]] = field(default_factory=dict)
    """Of an account and asset, in order of insertion."""
    references: dict[str, int] = field(default_factory=dict)
    keys: dict[str, Row] = field(default_factory=dict)
    """The log of each idempotency key."""
    logs: dict[int, Row] = field(default_factory=dict)
    head: Row = field(default_factory=lambda: {"log": 0, "transaction": 0, "date": -(2**63), "hash": b""})
    journal: list[tuple[Table, Any, Any]] = field(default_factory=list)
    before: Row = field(default_factory=dict)
    """The head before the last operation."""

    def do(self, operation: Operation) -> Reply:
        """Carry out an operation: what must come back."""
        self.journal.clear()
        self.before = dict(self.head)
        match operation:
            case Write():
                return self.write(operation)
            case Bulk():
                return self.bulk(operation)
            case Read():
                return self.read(operation)

    def back(self) -> None:
        """Take the last operation back, with the ids that it used up."""
        self._undo(0)
        self.head.update(self.before)

    def read(self, read: Read) -> Reply:
        """Section 7 and 8: see `reads`."""
        if isinstance(read.target, int) and read.target >= READ_IDS:
            return Reply(400, {"errorCode": "VALIDATION"})
        found = reads.answer(self, read)
        if found is None:
            return Reply(404, {"errorCode": "NOT_FOUND"}, text="not found")
        if read.what == "counts":
            return Reply(204, count=found)
        return Reply(200, found)

    def write(self, write: Write) -> Reply:
        """A single write."""
        request = write.request
        try:
            self._check_form(request)
            log, hit = self._tried(write, None)
        except Refusal as refusal:
            return Reply(refusal.status, {"errorCode": refusal.code}, text=refusal.text)
        match request:
            case Create():
                return Reply(200, {"data": log["data"]["transaction"]}, hit)
            case Revert():
                return Reply(201, {"data": log["data"]["transaction"]}, hit)
            case _:
                return Reply(204, hit=hit)

    def bulk(self, bulk: Bulk) -> Reply:
        """Section 8.12."""
        if not all(_is_decodable(write.request) for write in bulk.elements):
            return Reply(400, {"errorCode": "VALIDATION"})
        results: list[Row] = []
        failed, date = False, None
        before = dict(self.head)
        for write in bulk.elements:
            if failed and not bulk.keep_going:
                results.append(_failure("INTERNAL"))
                continue
            try:
                self._check_form(write.request, in_bulk=True)
                log, hit = self._tried(write, date)
            except Refusal as refusal:
                failed = True
                results.append(_failure(refusal.code))
                continue
            if bulk.atomic and not hit and date is None:
                date = log["date"]
            result = {"responseType": ACTIONS[type(write.request)], "logID": log["id"]}
            if isinstance(write.request, Create | Revert):
                result["data"] = log["data"]["transaction"]
            results.append(result)
        if failed and bulk.atomic:
            taken = {name: self.head[name] for name in ("log", "transaction")}
            self._undo(0)
            self.head.update(before, **taken)
        return Reply(400 if failed else 200, {"data": results})

    def _tried(self, write: Write, date: int | None) -> tuple[Row, bool]:
        """The log of a write and whether it was there before. Raises Refusal; then only ids are used up."""
        mark, head = len(self.journal), dict(self.head)
        made = isinstance(write.request, Create | Revert)
        try:
            log, hit = self._logged(write, date)
        except Refusal as refusal:
            self._undo(mark)
            self.head.update(head)
            self._take(0, refusal.transactions if made else 0)
            raise
        if write.dry_run and not hit:
            self._undo(mark)
            self.head.update(head)
            self._take(1, int(made))
        return log, hit

    def _logged(self, write: Write, shared: int | None) -> tuple[Row, bool]:
        request, key = write.request, write.key
        digest = chain.input_hash(input_of(request))
        if key in self.keys:
            known = self.keys[key]
            if known["idempotencyHash"] != digest:
                raise Refusal("VALIDATION", f"invalid idempotency hash when using idempotency key '{key}'")
            return known, True
        date = max(self.now, self.head["date"] + 1) if shared is None else shared
        if any("\0" in text for text in _texts(request)):
            raise Refusal("VALIDATION", transactions=1)
        kind, data, memento = self._effect(request, date)
        if len(key) > KEY_CHARS:
            raise Refusal("VALIDATION", transactions=1)
        linked = chain.link(self.head["hash"], kind, memento, date, key)
        number = self.head["log"] + 1
        self.head.update(log=number, date=date, hash=linked)
        log = {
            "id": number,
            "type": kind,
            "data": data,
            "date": date,
            "idempotencyKey": key,
            "idempotencyHash": digest,
            "hash": base64.b64encode(linked).decode(),
        }
        self._put(self.logs, number, log)
        if key:
            self._put(self.keys, key, log)
        return log, False

    def _effect(self, request: Request, date: int) -> tuple[str, Row, Row]:
        """Type, data and memento of the log."""
        match request:
            case Create():
                return self._create(request, date)
            case Revert():
                return self._revert(request, date)
            case SetMetadata(target=str(address)):
                self._describe(address, request.metadata or {}, date, date)
            case SetMetadata(target=int(number)):
                known = self._transaction(number)
                merged = {**known["metadata"], **(request.metadata or {})}
                if merged != known["metadata"]:
                    self._put_metadata(known, merged, date)
            case _:
                assert isinstance(request, DeleteMetadata)
                self._delete(request, date)
        place = {
            "targetType": "ACCOUNT" if isinstance(request.target, str) else "TRANSACTION",
            "targetId": request.target,
        }
        if isinstance(request, SetMetadata):
            data = {**place, "metadata": request.metadata}
            return "SET_METADATA", data, {**place, "metadata": chain.in_order(request.metadata)}
        data = {**place, "key": request.key}
        return "DELETE_METADATA", data, data

    def _create(self, request: Create, date: int) -> tuple[str, Row, Row]:
        body = request.body
        self._check_funds(body["postings"], force=request.force)
        reference = body.get("reference") or ""
        if reference in self.references:
            raise Refusal("CONFLICT", f'duplicate reference "{reference}"', transactions=1)
        timestamp = date if request.timestamp is None else request.timestamp
        row = self._post(body["postings"], body.get("metadata") or {}, reference, timestamp, date)
        described = body.get("accountMetadata") or {}
        ends = {posting[end] for posting in body["postings"] for end in ("source", "destination")}
        for address in ends | set(described):
            self._describe(address, described.get(address) or {}, timestamp, date)
        made = reads.transaction(self, row, effective=True, volumes=True)
        data = {"transaction": made, "accountMetadata": described}
        return "NEW_TRANSACTION", data, chain.new_memento(made, described)

    def _revert(self, request: Revert, date: int) -> tuple[str, Row, Row]:
        known = self._transaction(request.id)
        if known["reverted_at"] is not None:
            raise Refusal("ALREADY_REVERT", f"already reverted, id: {request.id}")
        postings = [
            {**posting, "source": posting["destination"], "destination": posting["source"]}
            for posting in reversed(known["postings"])
        ]
        if not request.force:
            self._check_left(postings)
        reverted = {**known, "reverted_at": date, "updated_at": date}
        self._put(self.transactions, known["id"], reverted)
        timestamp = known["timestamp"] if request.at_effective_date else date
        metadata = {**(request.metadata or {}), REVERTS: str(request.id)}
        row = self._post(postings, metadata, "", timestamp, date)
        made = reads.transaction(self, row, effective=True, volumes=True)
        original = reads.transaction(self, reverted, effective=False, volumes=True)
        data = {"revertedTransaction": original, "transaction": made}
        return "REVERTED_TRANSACTION", data, chain.revert_memento(request.id, made)

    def _delete(self, request: DeleteMetadata, date: int) -> None:
        target, key = request.target, request.key
        if isinstance(target, int):
            known = self._transaction(target)
            if key not in known["metadata"]:
                raise Refusal("NOT_FOUND", "not found")
            self._put_metadata(known, _without(known["metadata"], key), date)
        elif target in self.accounts and key in self.accounts[target]["metadata"]:
            account = self.accounts[target]
            left = _without(account["metadata"], key)
            # Such a revision is dated like the change before it (section 7).
            revisions = (*account["revisions"], (account["updated_at"], left))
            self._put(self.accounts, target, {**account, "metadata": left, "revisions": revisions})

    def _post(
        self, postings: list[Row], metadata: dict[str, str], reference: str, timestamp: int, date: int
    ) -> Row:
        number = self.head["transaction"] + 1
        self.head["transaction"] = number
        row = {
            "id": number,
            "postings": [dict(posting) for posting in postings],
            "metadata": metadata,
            "reference": reference,
            "timestamp": timestamp,
            "inserted_at": date,
            "updated_at": date,
            "reverted_at": None,
            "revisions": ((timestamp, metadata),),
        }
        self._put(self.transactions, number, row)
        if reference:
            self._put(self.references, reference, number)
        for pair, (put_in, put_out) in reads.moved(postings).items():
            move = {"id": number, "timestamp": timestamp, "date": date, "input": put_in, "output": put_out}
            self._put(self.moves, pair, (*self.moves.get(pair, ()), move))
        return row

    def _describe(self, address: str, metadata: dict[str, str], first_usage: int, date: int) -> None:
        """Make or update an account that a write names."""
        known = self.accounts.get(address)
        if known is None:
            row = {
                "address": address,
                "metadata": dict(metadata),
                "first_usage": first_usage,
                "insertion_date": date,
                "updated_at": date,
                "revisions": ((date, dict(metadata)),),
            }
            self._put(self.accounts, address, row)
            return
        merged = {**known["metadata"], **metadata}
        if first_usage < known["first_usage"] or merged != known["metadata"]:
            changed = {
                **known,
                "metadata": merged,
                "first_usage": min(first_usage, known["first_usage"]),
                "updated_at": date,
                "revisions": (*known["revisions"], (date, merged)),
            }
            self._put(self.accounts, address, changed)

    def _put_metadata(self, known: Row, metadata: dict[str, str], date: int) -> None:
        revisions = (*known["revisions"], (date, metadata))
        changed = {**known, "metadata": metadata, "updated_at": date, "revisions": revisions}
        self._put(self.transactions, known["id"], changed)

    def _transaction(self, number: int) -> Row:
        if number not in self.transactions:
            raise Refusal("NOT_FOUND", "not found")
        return self.transactions[number]

    def _balance(self, pair: Pair) -> int:
        return sum(move["input"] - move["output"] for move in self.moves.get(pair, ()))

    def _check_funds(self, postings: list[Row], *, force: bool) -> None:
        """One posting after another: what one brings, the next may spend."""
        balances: dict[Pair, int] = {}
        for posting in postings:
            source, amount, asset = posting["source"], posting["amount"], posting["asset"]
            for end in (source, posting["destination"]):
                if (end, asset) not in balances:
                    balances[end, asset] = self._balance((end, asset))
            if amount and source != "world" and not force and balances[source, asset] < amount:
                raise Refusal("INSUFFICIENT_FUND", "insufficient funds")
            balances[source, asset] -= amount
            balances[posting["destination"], asset] += amount

    def _check_left(self, postings: list[Row]) -> None:
        """After a revert who gives back may not be negative."""
        change = reads.moved(postings)
        for posting in postings:
            pair = (posting["source"], posting["asset"])
            put_in, put_out = change[pair]
            if pair[0] != "world" and self._balance(pair) + put_in - put_out < 0:
                raise Refusal("INSUFFICIENT_FUND", "insufficient fund for ")

    def _check_form(self, request: Request, *, in_bulk: bool = False) -> None:
        """What is refused before anything is looked up (section 3)."""
        if isinstance(request, Create):
            for posting in request.body["postings"]:
                if not _is_posting(posting):
                    raise Refusal("INTERNAL" if in_bulk else "VALIDATION")
        if in_bulk or not isinstance(request, SetMetadata):
            return
        if isinstance(request.target, int) and request.metadata is None:
            raise Refusal("VALIDATION")

    def _take(self, logs: int, transactions: int) -> None:
        self.head["log"] += logs
        self.head["transaction"] += transactions

    def _put(self, table: Table, key: Any, value: Any) -> None:
        self.journal.append((table, key, table.get(key)))
        table[key] = value

    def _undo(self, mark: int) -> None:
        while len(self.journal) > mark:
            table, key, before = self.journal.pop()
            if before is None:
                del table[key]
            else:
                table[key] = before


def _is_decodable(request: Request) -> bool:
    """Whether amounts are whole numbers, or missing: another type fails a bulk before anything of it runs."""
    if not isinstance(request, Create):
        return True
    return all(type(posting["amount"]) in (int, type(None)) for posting in request.body["postings"])


def _is_posting(posting: Row) -> bool:
    amount = posting["amount"]
    return (
        type(amount) is int
        and amount >= 0
        and bool(ADDRESS.fullmatch(posting["source"]))
        and bool(ADDRESS.fullmatch(posting["destination"]))
        and bool(ASSET.fullmatch(posting["asset"]))
    )


def _texts(request: Request) -> list[str]:
    """All values of metadata, which no ledger keeps with a NUL (section 24.2)."""
    match request:
        case Create():
            described = (request.body.get("accountMetadata") or {}).values()
            maps = [request.body.get("metadata"), *described]
        case Revert() | SetMetadata():
            maps = [request.metadata]
        case DeleteMetadata():
            return []
    return [text for each in maps for text in (each or {}).values()]


def input_of(request: Request) -> Row:
    match request:
        case Create():
            return chain.create_input(request.body, request.timestamp, force=request.force)
        case Revert():
            return {
                "Force": request.force,
                "AtEffectiveDate": request.at_effective_date,
                "TransactionID": request.id,
                "Metadata": chain.in_order(request.metadata),
            }
        case SetMetadata():
            name = "Address" if isinstance(request.target, str) else "TransactionID"
            return {name: request.target, "Metadata": chain.in_order(request.metadata)}
        case DeleteMetadata():
            name = "Address" if isinstance(request.target, str) else "TransactionID"
            return {name: request.target, "Key": request.key}


def _failure(code: str) -> Row:
    return {"responseType": "ERROR", "logID": 0, "errorCode": code}


def _without(metadata: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in metadata.items() if name != key}


def log_json(log: Row) -> Row:
    """A log as the API writes it."""
    return {**log, "date": shown(log["date"])}
