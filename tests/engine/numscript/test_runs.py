"""What callers rely on beside the recorded cases: the store protocol, places of errors, editions, the cache."""

import sys
from collections.abc import Mapping, Sequence

import pytest

from bursar.engine.numscript import (
    LATEST,
    RELEASE_0_0_24,
    BalanceKey,
    CompileError,
    Edition,
    ParseError,
    Posting,
    RunError,
    ScriptCache,
    UnknownAccount,
    check,
    compile_script,
    parse,
    run,
    run_machine,
)


class Ledger:
    """A store that writes down what it is asked."""

    def __init__(self, rows: Mapping[BalanceKey, int] | None = None) -> None:
        self.rows = dict(rows or {})
        self.asked: list[list[BalanceKey]] = []

    def balances(self, wanted: Sequence[BalanceKey]) -> dict[BalanceKey, int]:
        self.asked.append(list(wanted))
        return {key: self.rows[key] for key in wanted if key in self.rows}

    def metadata(self, account: str, key: str) -> str | None:
        raise UnknownAccount("not found")


TRANSFERS = """
send [USD/2 100] (
  source = @world
  destination = @a
)
send [USD/2 70] (
  source = {
    @a
    @b allowing overdraft up to [USD/2 30]
    @c allowing unbounded overdraft
  }
  destination = {
    1/3 to @x
    remaining to @y
  }
)
send [EUR *] (
  source = @a
  destination = @z
)
"""


def test_all_balances_are_asked_for_at_once_and_never_the_worlds() -> None:
    ledger = Ledger({BalanceKey("a", "EUR"): 5})
    outcome = run(parse(TRANSFERS), {}, ledger)
    assert ledger.asked == [[BalanceKey("a", "USD/2"), BalanceKey("b", "USD/2"), BalanceKey("a", "EUR")]]
    assert outcome.postings[-1] == Posting("a", "z", "EUR", 5)


def test_the_machine_asks_for_the_same_balances_at_once() -> None:
    ledger = Ledger({BalanceKey("a", "EUR"): 5})
    outcome = run_machine(compile_script(TRANSFERS), {}, ledger)
    assert [sorted(keys) for keys in ledger.asked] == [
        [BalanceKey("a", "EUR"), BalanceKey("a", "USD/2"), BalanceKey("b", "USD/2")]
    ]
    assert outcome.postings == run(parse(TRANSFERS), {}, ledger).postings


def test_what_a_store_raises_passes_unchanged() -> None:
    """A store may stop a run to load what it misses; the run is then started again."""

    class Missing(Exception):
        pass

    class Absent(Ledger):
        def balances(self, wanted: Sequence[BalanceKey]) -> dict[BalanceKey, int]:
            raise Missing(wanted)

    with pytest.raises(Missing):
        run(parse(TRANSFERS), {}, Absent())
    with pytest.raises(Missing):
        run_machine(compile_script(TRANSFERS), {}, Absent())


def test_metadata_of_an_unknown_account() -> None:
    script = 'vars {\n account $a = meta(@nobody, "k")\n}\nset_tx_meta("a", $a)'
    with pytest.raises(RunError) as failed:
        run(parse(script), {}, Ledger())
    assert (failed.value.kind, failed.value.message) == ("QueryMetadataError", "not found")
    with pytest.raises(RunError) as failed:
        run_machine(compile_script(script), {}, Ledger())
    assert (failed.value.kind, failed.value.fields) == ("ErrNotFound", {"stage": "resources"})


def test_a_script_with_problems_is_not_run_and_says_where() -> None:
    with pytest.raises(ParseError) as failed:
        run(parse("send [USD 1] (\n  source = \n  destination = @a\n)"), {}, Ledger())
    assert failed.value.range is not None
    assert failed.value.range.start == (2, 2)
    assert "'destination'" in failed.value.message


def test_a_refusal_of_the_machine_says_where() -> None:
    with pytest.raises(CompileError) as failed:
        compile_script("send [USD 1] (\n  source = $a\n  destination = @b\n)")
    assert (failed.value.message, failed.value.range) == ("variable not declared", ((1, 11), (1, 13)))


def test_the_checker_goes_on_after_a_statement_that_cannot_be_read() -> None:
    found = check("vars { account $a }\nsend [USD 1] ( source = $a )\nset_tx_meta(@a)")
    assert [each.kind for each in found] == ["Parsing", "BadArity", "TypeMismatch"]


RED = '#![feature("experimental-asset-colors")]\nsend [USD/2 5] ( source = @a \\ "RED" destination = @b )'


@pytest.mark.parametrize(
    ("edition", "key", "posting"),
    [
        (LATEST, BalanceKey("a", "USD/2", "RED"), Posting("a", "b", "USD/2", 5, "RED")),
        (RELEASE_0_0_24, BalanceKey("a", "USD_RED/2"), Posting("a", "b", "USD_RED/2", 5)),
    ],
)
def test_colors_are_a_field_or_a_part_of_the_asset(
    edition: Edition, key: BalanceKey, posting: Posting
) -> None:
    ledger = Ledger({key: 5})
    assert run(parse(RED), {}, ledger, edition=edition).postings == [posting]
    assert ledger.asked == [[key]]


def test_a_spelled_color_and_the_asset_of_that_name_are_one_balance() -> None:
    """Otherwise a script could spend it twice."""
    script = RED.replace("\n", "\nvars { asset $again } send [$again 1] ( source = @a destination = @b )\n")
    with pytest.raises(RunError, match=r"only .USD/2 4. available"):
        run(
            parse(script),
            {"again": "USD_RED/2"},
            Ledger({BalanceKey("a", "USD_RED/2"): 5}),
            edition=RELEASE_0_0_24,
        )


def test_when_caps_are_evaluated() -> None:
    script = parse(
        "send [USD 1] ( source = @world destination = { max [USD 1] to @a max [EUR 1] to @b remaining kept } )"
    )
    assert len(run(script, {}, Ledger()).postings) == 1
    with pytest.raises(RunError, match="expected 'USD', got 'EUR'"):
        run(script, {}, Ledger(), edition=RELEASE_0_0_24)


def test_a_string_of_the_machine_is_unescaped_and_a_meta_key_is_not() -> None:
    script = r'set_tx_meta("a\"b", "tab\t \u00e9 \x41 \101 \xff")' + "\nprint 1 + 2"
    outcome = run_machine(compile_script(script), {}, Ledger())
    assert outcome.transaction_metadata == {'a"b': "tab\t é A A \ufffd"}
    assert outcome.printed == [3]
    with pytest.raises(CompileError, match="invalid syntax"):
        compile_script(r'set_tx_meta("\q", 1)')


def test_two_balances_of_one_account_leave_the_first_at_zero_on_the_machine() -> None:
    """Imitated: the older runtime fills in only the last (13.3)."""
    script = "vars {\n monetary $x = balance(@a, USD)\n monetary $y = balance(@a, EUR)\n}\n"
    script += 'set_tx_meta("x", $x)\nset_tx_meta("y", $y)'
    rows = {BalanceKey("a", "USD"): 3, BalanceKey("a", "EUR"): 4}
    outcome = run_machine(compile_script(script), {}, Ledger(rows))
    assert outcome.transaction_metadata_text() == {"x": "USD 0", "y": "EUR 4"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unexpected end of JSON input"),
        ("1.", "unexpected end of JSON input"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1e+x", "invalid character 'x' in exponent of numeric literal"),
        ("5 6", "invalid character '6' after top-level value"),
        ("\u0665", "invalid character 'Ù' looking for beginning of value"),
        ("true", 'math/big: cannot unmarshal "true" into a *big.Int'),
        ("[5", "invalid JSON value"),
    ],
)
def test_a_number_of_the_machine_is_a_json_integer(text: str, reason: str) -> None:
    compiled = compile_script('vars {\n number $n\n}\nset_tx_meta("n", $n)')
    with pytest.raises(RunError) as failed:
        run_machine(compiled, {"n": text}, Ledger())
    assert failed.value.message == f"invalid JSON value for variable $n of type number: {reason}"


def test_cached_scripts_are_read_once_and_the_oldest_give_way() -> None:
    readings: list[str] = []

    def reading(text: str) -> str:
        readings.append(text)
        return text.upper()

    cache = ScriptCache(reading, scripts=2, chars=10)
    assert [cache.get(text) for text in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert readings == ["a", "b", "c", "b"]
    cache.get("x" * 9)
    assert len(cache) == 2
    cache.get("y" * 11)
    assert len(cache) == 0


def test_a_cached_run_of_three_postings_stays_cheap() -> None:
    """Calls of Python functions stand for time here: some 20 us go with 200 of them."""
    program, ledger = parse(TRANSFERS), Ledger({BalanceKey("a", "EUR"): 5})
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        run(program, {}, ledger)
    finally:
        sys.setprofile(None)
    assert calls < 260
