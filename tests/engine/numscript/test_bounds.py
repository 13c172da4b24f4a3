"""A hostile script is refused with an error that says why; it never exhausts the stack, the memory or the clock."""

import re
import sys
from collections.abc import Mapping, Sequence
from time import process_time

import pytest

from bursar.engine.numscript import (
    FLAGS,
    BalanceKey,
    CompileError,
    RunError,
    check,
    compile_script,
    parse,
    run,
    run_machine,
)
from bursar.engine.numscript.limits import DIGITS, NESTING, SCRIPT_CHARS
from tests.engine.numscript.cases import attempt


class Rich:
    """Everybody has money."""

    def balances(self, wanted: Sequence[BalanceKey]) -> Mapping[BalanceKey, int]:
        return dict.fromkeys(wanted, 10**6)

    def metadata(self, account: str, key: str) -> str | None:
        return None


def send(source: str = "@world", destination: str = "@a", sent: str = "[USD 10]") -> str:
    return f"send {sent} (\nsource = {source}\ndestination = {destination}\n)"


def nested(depth: int, opening: str, closing: str, inner: str) -> str:
    return opening * depth + inner + closing * depth


NESTS = {
    "sources": lambda n: send(source=nested(n, "{ ", " }", "@a")),
    "capped sources": lambda n: send(source=nested(n, "max [USD 1] from ", "", "@a")),
    "alternatives": lambda n: send(source=nested(n, "oneof { ", " }", "@a")),
    "destinations": lambda n: send(destination=nested(n, "{ remaining to ", " }", "@a")),
    "parentheses": lambda n: f'set_tx_meta("k", {nested(n, "(", ")", "1")})',
    "signs": lambda n: f'set_tx_meta("k", {nested(n, "-", "", "1")})',
    "sums": lambda n: f'set_tx_meta("k", 1{nested(n, " + 1", "", "")})',
    "parenthesised sums": lambda n: f'set_tx_meta("k", {nested(n, "(1 - ", ")", "1")})',
    "monetaries": lambda n: f'set_tx_meta("k", {nested(n, "[USD get_amount(", ")]", "[USD 1]")})',
    "calls": lambda n: f'set_tx_meta("k", {nested(n, "get_asset(", ")", "1")})',
}
MACHINE_NESTS = {
    "sources": lambda n: send(source=nested(n, "{\n", "\n}", "@a")),
    "capped sources": lambda n: send(source=nested(n, "max [USD 10] from ", "", "@a")),
    "destinations": lambda n: send(
        destination=nested(n, "{\nmax [USD 0] kept\nremaining to ", "\n}", "@a"),
    ),
    "sums": lambda n: send(sent=f"[USD 1]{nested(n, ' + [USD 1]', '', '')}"),
    "monetaries": lambda n: send(sent=nested(n, "[", " 1]", "USD")),
}


@pytest.mark.parametrize("name", NESTS)
@pytest.mark.parametrize("depth", [NESTING + 1, 2_500])
def test_deep_nesting_is_a_problem_of_the_script(name: str, depth: int) -> None:
    program = parse(NESTS[name](depth))
    assert any(re.search(r"nested deeper|more than", problem.message) for problem in program.problems)
    assert [each.kind for each in check(program)][:1] == ["Parsing"]


@pytest.mark.parametrize("name", MACHINE_NESTS)
@pytest.mark.parametrize("depth", [NESTING + 1, 2_500])
def test_deep_nesting_does_not_compile(name: str, depth: int) -> None:
    with pytest.raises(CompileError, match=r"nested deeper|more than"):
        compile_script(MACHINE_NESTS[name](depth))


@pytest.mark.parametrize("name", NESTS)
def test_nesting_up_to_the_limit_runs(name: str) -> None:
    program = parse(NESTS[name](NESTING // 2 - 2))
    assert not program.problems
    check(program)
    result = attempt(lambda: run(program, {}, Rich(), FLAGS))
    if isinstance(result, RunError):
        assert result.kind == {"calls": "TypeError", "capped sources": "MissingFundsErr"}[name]


def test_the_deepest_script_leaves_the_caller_most_of_the_stack() -> None:
    """Calls in sums in parentheses cost the most frames; Python allows 1,000."""
    inner = nested(NESTING - 2, "get_asset(", ")", f"[USD 1]{' + [USD 1]' * NESTING}")
    program, deepest, depth = parse(f'set_tx_meta("k", {inner})'), 0, 0
    assert not program.problems

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal deepest, depth
        depth += {"call": 1, "return": -1}.get(event, 0)
        deepest = max(deepest, depth)

    sys.setprofile(count)
    try:
        parse(program.source.text)
        check(program)
        attempt(lambda: run(program, {}, Rich(), FLAGS))
    finally:
        sys.setprofile(None)
    assert 200 < deepest < 500


@pytest.mark.parametrize("name", MACHINE_NESTS)
def test_nesting_up_to_the_limit_runs_on_the_machine(name: str) -> None:
    script = MACHINE_NESTS[name](NESTING // 2 - 2 if name != "monetaries" else 1)
    assert run_machine(compile_script(script), {}, Rich()).postings


def test_long_scripts() -> None:
    text = "/" * (SCRIPT_CHARS + 1)
    assert "characters" in parse(text).problems[0].message
    with pytest.raises(CompileError, match="characters"):
        compile_script(text)


@pytest.mark.parametrize("text", ["9" * (DIGITS + 1), "1." + "9" * DIGITS + "%"])
def test_long_numbers(text: str) -> None:
    assert "digits" in parse(f'set_tx_meta("k", {text})').problems[0].message


@pytest.mark.parametrize("type_name", ["number", "monetary", "portion"])
def test_long_numbers_in_variables(type_name: str) -> None:
    digits = "9" * 5_000  # more than Python itself is willing to convert
    text = {"number": digits, "monetary": f"USD {digits}", "portion": f"1/{digits}"}[type_name]
    script = f'vars {{\n {type_name} $x\n}}\nset_tx_meta("x", $x)'
    with pytest.raises(RunError):
        run(parse(script), {"x": text}, Rich())
    with pytest.raises(RunError):
        run_machine(compile_script(script), {"x": text}, Rich())


def refused(script: str, variables: Mapping[str, str] | None = None) -> str:
    program = parse(script)
    assert not program.problems
    with pytest.raises(RunError) as failed:
        run(program, variables or {}, Rich(), FLAGS)
    assert failed.value.kind == "LimitExceeded"
    return failed.value.message


def test_portions_without_a_small_common_denominator() -> None:
    shares = " ".join(f"1/{10**900 + n} to @a" for n in range(60))
    assert "denominator" in refused(send(destination=f"{{ {shares} remaining to @b }}"))
    check(send(destination=f"{{ {shares} }}"))


def test_many_alternatives_over_many_balances() -> None:
    sources = " ".join(f"@a{n}" for n in range(4_000))
    alternatives = " ".join("oneof { @x @y }" for _ in range(1_500))
    assert "balances" in refused(send(source=f"{{ {sources} {alternatives} }}"))


def test_long_account_names_made_of_variables() -> None:
    script = f'vars {{ string $s }}\nset_tx_meta("k", @a{":$s" * 1_000})'
    assert "account name" in refused(script, {"s": "x" * 1_000})


def test_scales_far_apart() -> None:
    script = send(source="@a with scaling through @b", sent="[USD/999999 10]")

    class Scales(Rich):
        def balances(self, wanted: Sequence[BalanceKey]) -> Mapping[BalanceKey, int]:
            return {BalanceKey("a", "USD"): 5}

    with pytest.raises(RunError, match="scales"):
        run(parse(script), {}, Scales(), FLAGS)


def test_many_sources_meeting_many_destinations_on_the_machine() -> None:
    sources = "\n".join(f"@a{n}" for n in range(2_000))
    caps = "\n".join("max [USD 1] to @x" for _ in range(2_000))
    script = send(f"{{\n{sources}\n}}", f"{{\n{caps}\nremaining to @y\n}}", f"[USD {2_000 * 10**6}]")
    with pytest.raises(RunError) as failed:
        run_machine(compile_script(script), {}, Rich())
    assert failed.value.kind == "LimitExceeded"


@pytest.mark.parametrize(
    "text",
    [
        "/*" * (SCRIPT_CHARS // 2),
        "/*" * 40_000 + "*/ *",
        '"' * SCRIPT_CHARS,
        "[" * SCRIPT_CHARS,
        "@" * SCRIPT_CHARS,
        "send [" * (SCRIPT_CHARS // 6),
        "\\" * SCRIPT_CHARS,
        "1_" * (SCRIPT_CHARS // 2),
        "set_tx_meta(" * 8_000,
        ("send " + "[" * (NESTING - 1)) * 900,
        ("send " + "[" * (NESTING - 1) + " 1" * 20_000) * 2,
        ("send " + "(" * (NESTING - 1) + "[1" * 300) * 100,
    ],
    ids=lambda text: text[:12],
)
def test_rubbish_is_read_in_linear_time(text: str) -> None:
    """Ten seconds of CPU are some ten times what the slowest takes; a quadratic reader takes minutes."""
    start = process_time()
    assert parse(text).problems
    check(text)
    with pytest.raises(CompileError):
        compile_script(text)
    assert process_time() - start < 10
