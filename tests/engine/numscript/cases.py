"""Recorded cases of the language: reading them, running them, and comparing what came out with what is expected.

A case is `{name, group, script, feature_flags, variables, balances, metadata, expected}`.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bursar.engine.numscript import (
    FLAGS,
    BalanceKey,
    NumscriptError,
    Outcome,
    Range,
    RunError,
    check,
    compile_script,
    excerpt,
    parse,
    run,
    run_machine,
    text_of,
)
from tests.recorded import CORPUS

HERE = Path(__file__).parent
COMMITTED = HERE / "probe.jsonl"

Case = dict[str, Any]
Result = TypeVar("Result")


def attempt(action: Callable[[], Result]) -> Result | NumscriptError:
    """What an action returns or, if it is one of the language's errors, raises."""
    try:
        return action()
    except NumscriptError as error:
        return error


def corpora() -> list[Path]:
    """The corpora that are here; without them the committed probes, which are a part of one."""
    return sorted(CORPUS.glob("numscript_*.jsonl")) or [COMMITTED]


@cache
def read(path: Path) -> list[Case]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


class Books:
    """A store that holds what a case gives."""

    def __init__(self, case: Case) -> None:
        self.rows = {
            BalanceKey(row["account"], row["asset"], row.get("color") or ""): row["amount"]
            for row in case.get("balances", [])
        }
        self.entries: Mapping[str, Mapping[str, str]] = case.get("metadata") or {}

    def balances(self, wanted: Sequence[BalanceKey]) -> dict[BalanceKey, int]:
        found: dict[BalanceKey, int] = {}
        for key in wanted:
            if not key.asset.endswith("/*"):
                found[key] = self.rows.get(key, 0)
                continue
            base = key.asset[:-2]
            for row, amount in self.rows.items():
                same = row.account == key.account and row.color == key.color
                if same and (row.asset == base or row.asset.startswith(f"{base}/")):
                    found[row] = amount
        return found

    def metadata(self, account: str, key: str) -> str | None:
        return self.entries.get(account, {}).get(key)


def verdict(case: Case) -> str | None:
    """What differs from the expectation; None if nothing does."""
    if "expect.diagnostics" in case["expected"]:
        return _diagnostics(case)
    if "machine" in case["group"]:
        return _machine(case)
    return _interpreter(case)


def _interpreter(case: Case) -> str | None:
    expected = case["expected"]
    program = parse(case["script"])
    if expected.get("expect.parseError"):
        return None if program.problems else "it was read"
    flags = FLAGS if case.get("feature_flags") == "all" else case.get("feature_flags", [])
    result = attempt(lambda: run(program, case.get("variables", {}), Books(case), flags))
    for name, kind in (("missingFunds", "MissingFundsErr"), ("negativeAmount", "NegativeAmountErr")):
        if expected.get(f"expect.error.{name}"):
            return None if isinstance(result, RunError) and result.kind == kind else repr(result)
    return _result(result, case)


def _machine(case: Case) -> str | None:
    refused = case["expected"].get("expect.compileError")
    compiled = attempt(lambda: compile_script(case["script"]))
    if isinstance(compiled, NumscriptError):
        place = compiled.range
        rendered = f"{compiled}\n{excerpt(case['script'], place) if place else 'nowhere'}"
        return None if refused and refused.get("contains", "") in rendered else f"refused: {rendered}"
    if refused:
        return "it was compiled"
    return _result(attempt(lambda: run_machine(compiled, case.get("variables", {}), Books(case))), case)


def _result(result: Outcome | NumscriptError, case: Case) -> str | None:
    if isinstance(result, RunError):
        return _error(result, case["expected"].get("expect.error"), case["script"])
    return f"not read: {result}" if isinstance(result, NumscriptError) else _outcome(result, case)


def _error(error: RunError, expected: Mapping[str, Any] | None, script: str) -> str | None:
    got: dict[str, Any] = {"kind": error.kind, "message": error.message}
    for name, value in error.fields.items():
        label = name if name == "stage" else "".join(word.title() for word in name.split("_"))
        got[label] = value if isinstance(value, int) and name != "amount" else str(value)
    if error.range:
        got |= {"range": _json(error.range), "excerpt": excerpt(script, error.range)}
    for name, value in ((expected or {}) | (expected or {}).get("fields", {})).items():
        if name == "contains":
            if value not in error.message:
                return f"{got}, not {expected}"
        elif name == "Value" or (name == "Amount" and isinstance(value, dict)):
            if text_of(error.fields[name.lower()]) != value["value"]:  # pyright: ignore[reportArgumentType] (a field may be anything)
                return f"{got}, not {expected}"
        elif name in {"Needed", "Available"}:
            if str(got.get(name)) != value:
                return f"{got}, not {expected}"
        elif name != "fields" and got.get(name) != value:
            return f"{got}, not {expected}"
    return None if expected else f"failed: {got}"


def _outcome(outcome: Outcome, case: Case) -> str | None:
    expected: Mapping[str, Any] = case["expected"]
    if expected.get("expect.error"):
        return f"no error, but {outcome}"
    postings = [posting._asdict() for posting in outcome.postings]
    got: dict[str, Any] = {
        "expect.postings": [{k: v for k, v in each.items() if v or k != "color"} for each in postings],
        "expect.txMetadata": outcome.transaction_metadata_text() | case.get("tx_metadata", {}),
        "expect.metadata": outcome.account_metadata,
        "expect.movements": _movements(outcome),
        "expect.endBalances": _end_balances(outcome, case),
        "expect.printed": [text_of(value) for value in outcome.printed],
        "expect.ok": True,
    }
    for name, value in expected.items():
        if name == "expect.endBalances.include":
            if any(row not in got["expect.endBalances"] for row in map(_counted, value)):
                return f"{got['expect.endBalances']} without {value}"
        elif name in {"expect.movements", "expect.endBalances"}:
            if value is not None and Counter(map(_counted, value)) != Counter(got[name]):
                return f"{name}: {got[name]}, not {value}"
        elif value is not None and not name.startswith("expect.error") and got[name] != value:
            return f"{name}: {got[name]}, not {value}"
    return None


def _counted(row: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = ("source", "destination") if "source" in row else ("account",)
    return (*(row[key] for key in keys), row["asset"], row.get("color") or "", row["amount"])


def _movements(outcome: Outcome) -> list[tuple[Any, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for source, destination, asset, amount, color in outcome.postings:
        sums[source, destination, asset, color] += amount
    return [(*key, amount) for key, amount in sums.items()]


def _end_balances(outcome: Outcome, case: Case) -> list[tuple[Any, ...]]:
    rows = dict(Books(case).rows)
    for source, destination, asset, amount, color in outcome.postings:
        for account, change in ((source, -amount), (destination, amount)):
            key = BalanceKey(account, asset, color)
            rows[key] = rows.get(key, 0) + change
    return [(key.account, key.asset, key.color, amount) for key, amount in rows.items()]


def _diagnostics(case: Case) -> str | None:
    found = check(case["script"])
    expected = case["expected"]["expect.diagnostics"]
    ok = len(found) == len(expected)
    for got, want in zip(found, expected, strict=False):
        ok &= got.kind == want["kind"] and got.severity == want["severity"]
        ok &= want.get("message") in {None, got.message}
        ok &= want.get("range") in (None, _json(got.range))
        for name, value in (want.get("fields") or {}).items():
            ok &= got.fields.get(re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()) == value
    return None if ok else f"{found}, not {expected}"


def _json(place: Range) -> dict[str, dict[str, int]]:
    return {"start": place.start._asdict(), "end": place.end._asdict()}
