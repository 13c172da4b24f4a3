"""Properties that hold for every script, found with random ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.engine.numscript import (
    FLAGS,
    BalanceKey,
    CompileError,
    NumscriptError,
    Outcome,
    Posting,
    RunError,
    check,
    compile_script,
    excerpt,
    parse,
    run,
    run_machine,
)
from bursar.engine.numscript.funds import complete, split
from tests.engine.numscript.cases import attempt

WORDS = [
    *(
        "send",
        "save",
        "vars",
        "max",
        "oneof",
        "remaining",
        "kept",
        "from",
        "to",
        "source",
        "destination",
        "=",
    ),
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        "*",
        "+",
        "-",
        "/",
        "\\",
        "@a",
        "@b:c",
        "@$x",
        ":",
        "$x",
        "USD/2",
        "1/2",
    ),
    *(
        "10",
        "50%",
        '"RED"',
        "balance",
        "overdraft",
        "meta",
        "set_tx_meta",
        "number",
        "with",
        "scaling",
        "through",
    ),
    *("allowing", "unbounded", "up", "#!", "feature", "\n", "//", "/*", "*/", "print", "fail", "monetary"),
    *("allowing overdraft up to", "allowing unbounded overdraft", "[USD/2 10]"),
]
SCRIPTS = st.text(max_size=80) | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)


class Books:
    def __init__(self, rows: Mapping[str, int]) -> None:
        self.rows = rows

    def balances(self, wanted: Sequence[BalanceKey]) -> dict[BalanceKey, int]:
        return {key: self.rows.get(key.account, 0) for key in wanted}

    def metadata(self, account: str, key: str) -> str | None:
        return {"k": "USD/2 1"}.get(key)


@given(SCRIPTS)
@settings(max_examples=400)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    program = parse(text)
    for problem in program.problems:
        excerpt(text, program.source.range(problem.span))
    for found in check(program):
        excerpt(text, found.range)
    assert str(attempt(lambda: run(program, {"x": "a"}, Books({"a": 5}), FLAGS)))


@given(SCRIPTS)
@settings(max_examples=400)
def test_the_machine_compiles_any_text_or_refuses_it_with_a_place(text: str) -> None:
    result = attempt(lambda: run_machine(compile_script(text), {}, Books({})))
    if isinstance(result, CompileError):
        assert result.range
        excerpt(text, result.range)


@given(st.text(max_size=30), st.sampled_from(["number", "monetary", "account", "asset", "portion", "string"]))
def test_any_text_of_a_variable_is_a_value_or_an_error(text: str, type_name: str) -> None:
    script = f'vars {{\n {type_name} $x\n}}\nset_tx_meta("x", $x)'
    for result in (
        attempt(lambda: run(parse(script), {"x": text}, Books({}))),
        attempt(lambda: run_machine(compile_script(script), {"x": text}, Books({}))),
    ):
        assert isinstance(result, NumscriptError) or list(result.transaction_metadata) == ["x"]


# --- random scripts that both runtimes accept

ACCOUNTS = [f"a{n}" for n in range(6)]
AMOUNTS = st.integers(0, 200)


@st.composite
def sources(draw: st.DrawFn, free: list[str], depth: int = 2) -> str:
    """A source in which no account stands twice, with bounded overdrafts."""
    kind = draw(st.sampled_from(["account", "account", "overdraft", "max", "order"]))
    if kind == "order" and depth and len(free) > 1:
        entries = [draw(sources(free, depth - 1)) for _ in range(draw(st.integers(1, 3))) if free]
        return "{\n" + "\n".join(entries) + "\n}"
    if kind == "max" and depth and free:
        return f"max [USD/2 {draw(AMOUNTS)}] from {draw(sources(free, depth - 1))}"
    account = free.pop(draw(st.integers(0, len(free) - 1))) if free else "spare"
    bound = f" allowing overdraft up to [USD/2 {draw(AMOUNTS)}]" if kind == "overdraft" else ""
    return f"@{account}{bound}"


@st.composite
def destinations(draw: st.DrawFn, kept: bool, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["account", "account", "order", "split"])) if depth else "account"
    if kind == "account":
        return f"@{draw(st.sampled_from([*ACCOUNTS, 'x', 'y', 'world']))}"

    def target() -> str:
        if kept and draw(st.integers(0, 3)) == 0:
            return "kept"
        return f"to {draw(destinations(kept, depth - 1))}"

    if kind == "order":
        caps = [f"max [USD/2 {draw(AMOUNTS)}] {target()}" for _ in range(draw(st.integers(1, 3)))]
        return "{\n" + "\n".join([*caps, f"remaining {target()}"]) + "\n}"
    weights = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    whole = sum(weights) + draw(st.integers(1, 9))
    shares = [f"{weight}/{whole} {target()}" for weight in weights]
    return "{\n" + "\n".join([*shares, f"remaining {target()}"]) + "\n}"


@st.composite
def scripts(draw: st.DrawFn, kept: bool) -> tuple[str, list[int | None]]:
    """A script of sends, and how much each sends (None: all)."""
    statements: list[str] = []
    amounts: list[int | None] = []
    for _ in range(draw(st.integers(1, 3))):
        amount = draw(st.none() | AMOUNTS)
        sent = "*" if amount is None else str(amount)
        source = draw(sources(list(ACCOUNTS)))
        destination = draw(destinations(kept))
        statements.append(f"send [USD/2 {sent}] (\nsource = {source}\ndestination = {destination}\n)")
        amounts.append(amount)
    return "\n".join(statements), amounts


ROWS = st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(-50, 300))
LARGEST_BOUND = 200


def moved(postings: Sequence[Posting]) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sums[posting.source, posting.destination] += posting.amount
    return +sums


@given(scripts(kept=True), ROWS)
@settings(max_examples=300)
def test_money_is_conserved_and_no_account_falls_below_its_bound(
    script: tuple[str, list[int | None]], rows: dict[str, int]
) -> None:
    outcome = attempt(lambda: run(parse(script[0]), {}, Books(rows), FLAGS))
    if isinstance(outcome, NumscriptError):
        assert isinstance(outcome, RunError)
        assert outcome.kind == "MissingFundsErr"
        return
    balances: Counter[str] = Counter(rows)
    for posting in outcome.postings:
        assert posting.amount > 0
        balances[posting.source] -= posting.amount
        balances[posting.destination] += posting.amount
        # In the order of the postings, too: money is there before it is spent.
        assert balances[posting.source] >= min(rows.get(posting.source, 0), -LARGEST_BOUND)
    assert sum(balances.values()) == sum(rows.values())
    if None not in script[1]:
        sent = sum(amount or 0 for amount in script[1])
        assert sum(posting.amount for posting in outcome.postings) <= sent
        if "kept" not in script[0]:
            assert sum(posting.amount for posting in outcome.postings) == sent


@given(scripts(kept=False), ROWS)
@settings(max_examples=300)
def test_both_runtimes_move_the_same_money(
    script: tuple[str, list[int | None]], rows: dict[str, int]
) -> None:
    """Where nothing is kept; the machine also writes postings of 0."""
    compiled = attempt(lambda: compile_script(script[0]))
    if isinstance(compiled, NumscriptError):
        assert "already empty" in compiled.message
        return
    older = attempt(lambda: run_machine(compiled, {}, Books(rows)))
    newer = attempt(lambda: run(parse(script[0]), {}, Books(rows)))
    if isinstance(older, RunError) or isinstance(newer, RunError):
        kinds = [getattr(result, "kind", None) for result in (older, newer)]
        assert kinds == ["ErrInsufficientFund", "MissingFundsErr"]
    else:
        assert isinstance(older, Outcome)
        assert isinstance(newer, Outcome)
        assert moved(older.postings) == moved(newer.postings)


@given(
    st.integers(-(10**30), 10**30),
    st.lists(st.fractions(0, 1) | st.none(), min_size=1, max_size=8),
)
def test_parts_of_a_split_sum_exactly(amount: int, shares: list[Fraction | None]) -> None:
    known = sum((share for share in shares if share is not None), Fraction(0))
    if None not in shares and known != 1:
        shares.append(None)
    filled = [Fraction(*share) for share in complete(shares)]
    assert sum(filled) == 1
    parts = split(amount, complete(shares))
    assert sum(parts) == amount
    for part, share in zip(parts, filled, strict=True):
        assert 0 <= part - share * amount + 1 <= 2


@given(st.integers(0, 10**6), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_missing_units_go_to_the_first_parts(amount: int, weights: list[int]) -> None:
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    extra = [
        part - int(share * amount)
        for part, share in zip(split(amount, complete(shares)), shares, strict=True)
    ]
    assert extra == sorted(extra, reverse=True)
    assert set(extra) <= {0, 1}
