"""What the oracle answers to reads: every sum is made anew from the moves (sections 7, 8 and 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tests.model.chain import shown

if TYPE_CHECKING:
    from tests.model.operations import Read
    from tests.model.oracle import Oracle

Row = dict[str, Any]
Pair = tuple[str, str]
Volumes = dict[str, int]


def answer(oracle: Oracle, read: Read) -> Any:
    """The body of a read, the number of a count, None for what is not found."""
    match read.what:
        case "account":
            found = account(oracle, str(read.target), read.pit, read.expand)
            return found and {"data": found}
        case "transaction":
            row = oracle.transactions.get(int(read.target))
            if row is None or _later(row["timestamp"], read.pit):
                return None
            return {"data": _expanded(oracle, row, read)}
        case "accounts":
            rows = [account(oracle, address, read.pit, read.expand) for address in _accounts(oracle, read)]
            return _page(rows, read)
        case "transactions":
            return _page([_expanded(oracle, row, read) for row in _transactions(oracle, read)], read)
        case "counts":
            return len((_accounts if read.target == "accounts" else _transactions)(oracle, read))
        case "volumes":
            return _page(_volumes(oracle, read), read)
        case "balances":
            return {"data": _balances(oracle, read)}
        case "stats":
            return {"data": {"transactions": len(oracle.transactions), "accounts": len(oracle.accounts)}}
        case _:
            rows = [
                {**log, "date": shown(log["date"])} for _, log in sorted(oracle.logs.items(), reverse=True)
            ]
            return _page(rows, read)


def moved(postings: Iterable[Row]) -> dict[Pair, tuple[int, int]]:
    """By account and asset what postings bring and take."""
    found: dict[Pair, tuple[int, int]] = {}
    for posting in postings:
        source, destination = (
            (posting["source"], posting["asset"]),
            (posting["destination"], posting["asset"]),
        )
        put_in, put_out = found.get(source, (0, 0))
        found[source] = (put_in, put_out + posting["amount"])
        put_in, put_out = found.get(destination, (0, 0))
        found[destination] = (put_in + posting["amount"], put_out)
    return found


def transaction(oracle: Oracle, row: Row, *, volumes: bool, effective: bool) -> Row:
    """A transaction as the API writes it."""
    out: Row = {
        "postings": row["postings"],
        "metadata": row["metadata"],
        "timestamp": shown(row["timestamp"]),
        "id": row["id"],
        "insertedAt": shown(row["inserted_at"]),
        "updatedAt": shown(row["updated_at"]),
        "reverted": row["reverted_at"] is not None,
    }
    if row["reference"]:
        out["reference"] = row["reference"]
    if row["reverted_at"] is not None:
        out["revertedAt"] = shown(row["reverted_at"])
    if volumes:
        number = row["id"]
        out |= _commit_volumes(oracle, row, "CommitVolumes", lambda move: move["id"] <= number)
    if effective:
        place = (row["timestamp"], row["id"])
        out |= _commit_volumes(
            oracle, row, "CommitEffectiveVolumes", lambda move: (move["timestamp"], move["id"]) <= place
        )
    return out


def account(oracle: Oracle, address: str, pit: int | None, expand: Iterable[str]) -> Row | None:
    """An account as the API writes it, as of a point in time; None when it was not there."""
    row = oracle.accounts.get(address)
    if row is None or _later(row["first_usage"], pit):
        return None
    out: Row = {
        "address": address,
        "metadata": _metadata(row, pit),
        "firstUsage": shown(row["first_usage"]),
        "insertionDate": shown(row["insertion_date"]),
        "updatedAt": shown(row["updated_at"]),
    }
    for name in expand:
        dated = "date" if name == "volumes" else "timestamp"
        by_asset = {
            asset: _sum(moves)
            for (owner, asset), every in oracle.moves.items()
            if owner == address and (moves := _within(every, dated, None, pit))
        }
        if by_asset:
            out[name] = by_asset
    return out


def _expanded(oracle: Oracle, row: Row, read: Read) -> Row:
    row = {**row, "metadata": _metadata(row, read.pit)}
    if row["reverted_at"] is not None and _later(row["reverted_at"], read.pit):
        row["reverted_at"] = None
    return transaction(
        oracle, row, volumes="volumes" in read.expand, effective="effectiveVolumes" in read.expand
    )


def _commit_volumes(oracle: Oracle, row: Row, name: str, counts: Callable[[Row], bool]) -> Row:
    after: dict[str, dict[str, Volumes]] = {}
    before: dict[str, dict[str, Volumes]] = {}
    for (owner, asset), (put_in, put_out) in moved(row["postings"]).items():
        total = _sum(move for move in oracle.moves[owner, asset] if counts(move))
        after.setdefault(owner, {})[asset] = total
        before.setdefault(owner, {})[asset] = _shown(total["input"] - put_in, total["output"] - put_out)
    return {f"post{name}": after, f"pre{name}": before}


def _accounts(oracle: Oracle, read: Read) -> list[str]:
    found = [address for address in sorted(oracle.accounts) if account(oracle, address, read.pit, ())]
    return [address for address in found if _fits_account(oracle, address, read)]


def _fits_account(oracle: Oracle, address: str, read: Read) -> bool:
    if read.filter is None:
        return True
    operator, field, value = read.filter
    if field == "address":
        return address == value
    name = field[field.index("[") + 1 : -1]
    if field.startswith("metadata"):
        known = oracle.accounts.get(address)
        return known is not None and _metadata(known, read.pit).get(name) == value
    moves = _within(oracle.moves.get((address, name), ()), "timestamp", None, read.pit)
    if not moves:
        return False
    balance = _sum(moves)["balance"]
    return {"$lt": balance < value, "$gte": balance >= value, "$match": balance == value}[operator]


def _transactions(oracle: Oracle, read: Read) -> list[Row]:
    rows = [row for _, row in sorted(oracle.transactions.items(), reverse=True)]
    return [row for row in rows if not _later(row["timestamp"], read.pit) and _fits_transaction(row, read)]


def _fits_transaction(row: Row, read: Read) -> bool:
    if read.filter is None:
        return True
    _, field, value = read.filter
    match field:
        case "account":
            return any(value in (posting["source"], posting["destination"]) for posting in row["postings"])
        case "source" | "destination":
            return any(posting[field] == value for posting in row["postings"])
        case "reverted":
            reverted_at = row["reverted_at"]
            return (reverted_at is not None and not _later(reverted_at, read.pit)) == value
        case "reference":
            return bool(row["reference"] == value)
        case _:
            return _metadata(row, read.pit).get(field[field.index("[") + 1 : -1]) == value


def _volumes(oracle: Oracle, read: Read) -> list[Row]:
    dated = "date" if read.insertion else "timestamp"
    groups: dict[Pair, list[Row]] = {}
    for (owner, asset), every in oracle.moves.items():
        moves = _within(every, dated, read.oot, read.pit)
        name = ":".join(owner.split(":")[: read.group_by]) if read.group_by else owner
        if moves:
            groups.setdefault((name, asset), []).extend(moves)
    return [{"account": name, "asset": asset, **_sum(groups[name, asset])} for name, asset in sorted(groups)]


def _balances(oracle: Oracle, read: Read) -> dict[str, int]:
    """An account without moves by then adds nothing, not even a 0."""
    dated = "date" if read.insertion else "timestamp"
    balances: dict[str, int] = {}
    for (owner, asset), every in oracle.moves.items():
        moves = _within(every, dated, None, read.pit)
        if moves and _fits_account(oracle, owner, read):
            balances[asset] = balances.get(asset, 0) + _sum(moves)["balance"]
    return balances


def _page(rows: list[Any], read: Read) -> Row:
    return {
        "cursor": {
            "pageSize": read.page_size,
            "hasMore": len(rows) > read.page_size,
            "data": rows[: read.page_size],
        }
    }


def _metadata(row: Row, pit: int | None) -> dict[str, str]:
    """The last revision that is dated by then."""
    if pit is None:
        return row["metadata"]
    known: dict[str, str] = {}
    for date, metadata in row["revisions"]:
        if date <= pit:
            known = metadata
    return known


def _within(moves: Iterable[Row], dated: str, after: int | None, before: int | None) -> list[Row]:
    return [
        move
        for move in moves
        if (after is None or move[dated] >= after) and (before is None or move[dated] <= before)
    ]


def _later(moment: int, pit: int | None) -> bool:
    return pit is not None and moment > pit


def _sum(moves: Iterable[Row]) -> Volumes:
    put_in = put_out = 0
    for move in moves:
        put_in += move["input"]
        put_out += move["output"]
    return _shown(put_in, put_out)


def _shown(put_in: int, put_out: int) -> Volumes:
    return {"input": put_in, "output": put_out, "balance": put_in - put_out}
