"""The value of an expression (specification 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from bursar.engine.numscript.balances import Balances, Store
from bursar.engine.numscript.errors import Fault, RunError, UnknownAccount, fail
from bursar.engine.numscript.limits import ACCOUNT_CHARS
from bursar.engine.numscript.position import Span
from bursar.engine.numscript.syntax import (
    AccountName,
    Addition,
    Call,
    Division,
    Expression,
    Literal,
    MonetaryOf,
    Negation,
    Variable,
)
from bursar.engine.numscript.values import (
    TYPE_NAMES,
    Account,
    Asset,
    Monetary,
    Value,
    make_account,
    text_of,
)

OVERDRAFT_FUNCTION: Final = "experimental-overdraft-function"
GET_ASSET_FUNCTION: Final = "experimental-get-asset-function"
GET_AMOUNT_FUNCTION: Final = "experimental-get-amount-function"
ONEOF: Final = "experimental-oneof"
ACCOUNT_INTERPOLATION: Final = "experimental-account-interpolation"
MID_SCRIPT_CALL: Final = "experimental-mid-script-function-call"
ASSET_COLORS: Final = "experimental-asset-colors"
ASSET_SCALING: Final = "experimental-asset-scaling"

FLAGS: Final = frozenset(
    {
        *(OVERDRAFT_FUNCTION, GET_ASSET_FUNCTION, GET_AMOUNT_FUNCTION, ONEOF),
        *(ACCOUNT_INTERPOLATION, MID_SCRIPT_CALL, ASSET_COLORS, ASSET_SCALING),
    }
)


class Evaluator:
    """Evaluates expressions with the variables, flags and balances of one run."""

    __slots__ = ("balances", "flags", "in_vars", "store", "variables")

    def __init__(self, flags: frozenset[str], store: Store, balances: Balances) -> None:
        self.flags = flags
        self.store = store
        self.balances = balances
        self.variables: dict[str, Value] = {}
        self.in_vars = True
        """Whether the vars block is being evaluated: calls are allowed there without a flag."""

    def require(self, flag: str) -> None:
        """Refuse an experimental feature that is not enabled."""
        if flag not in self.flags:
            raise fail(Fault.EXPERIMENTAL, flag_name=flag)

    def evaluate(self, node: Expression) -> Value:
        """The value of an expression; raises RunError."""
        match node:
            case Literal():
                return node.value
            case Variable():
                return self._variable(node)
            case MonetaryOf():
                return Monetary(self.asset(node.asset), self.number(node.amount))
            case Addition():
                return self._addition(node)
            case Division():
                return self._division(node)
            case Negation():
                return self._negation(node)
            case AccountName():
                return self._account_name(node)
            case Call():
                return self._call(node)

    # --- values of a wanted type

    def monetary(self, node: Expression) -> Monetary:
        """The value, which must be a monetary."""
        value = self.evaluate(node)
        if not isinstance(value, Monetary):
            raise type_error("monetary", value, node.span)
        return value

    def account(self, node: Expression) -> Account:
        """The value, which must be an account."""
        value = self.evaluate(node)
        if not isinstance(value, Account):
            raise type_error("account", value, node.span)
        return value

    def asset(self, node: Expression) -> Asset:
        """The value, which must be an asset."""
        value = self.evaluate(node)
        if not isinstance(value, Asset):
            raise type_error("asset", value, node.span)
        return value

    def number(self, node: Expression) -> int:
        """The value, which must be a number."""
        value = self.evaluate(node)
        if not isinstance(value, int):
            raise type_error("number", value, node.span)
        return value

    def portion(self, node: Expression) -> Fraction:
        """The value, which must be a portion."""
        value = self.evaluate(node)
        if not isinstance(value, Fraction):
            raise type_error("portion", value, node.span)
        return value

    def string(self, node: Expression) -> str:
        """The value, which must be a string."""
        value = self.evaluate(node)
        if type(value) is not str:
            raise type_error("string", value, node.span)
        return value

    # --- operators

    def _variable(self, node: Variable) -> Value:
        try:
            return self.variables[node.name]
        except KeyError:
            raise fail(Fault.UNBOUND_VARIABLE, node.span, name=node.name) from None

    def _addition(self, node: Addition) -> Value:
        left = self.evaluate(node.left)
        if isinstance(left, int):
            number = self.number(node.right)
            return left - number if node.negative else left + number
        if isinstance(left, Monetary):
            right = self.monetary(node.right)
            if right.asset != left.asset:
                raise fail(Fault.MISMATCHED_CURRENCY, expected=left.asset, got=right.asset)
            amount = left.amount - right.amount if node.negative else left.amount + right.amount
            return Monetary(left.asset, amount)
        raise type_error("monetary|number", left, node.left.span)

    def _division(self, node: Division) -> Fraction:
        numerator, denominator = self.number(node.left), self.number(node.right)
        if denominator == 0:
            raise fail(Fault.DIVIDE_BY_ZERO, node.span, numerator=numerator)
        return Fraction(numerator, denominator)

    def _negation(self, node: Negation) -> Value:
        value = self.evaluate(node.operand)
        if isinstance(value, int):
            return -value
        if isinstance(value, Monetary):
            return Monetary(value.asset, -value.amount)
        raise type_error("monetary|number", value, node.operand.span)

    def _account_name(self, node: AccountName) -> Account:
        self.require(ACCOUNT_INTERPOLATION)
        names: list[str] = []
        for part in node.parts:
            value = self._variable(part) if isinstance(part, Variable) else part
            if isinstance(value, Asset | Monetary | Fraction):
                raise fail(Fault.CANNOT_CAST, node.span, got=text_of(value))
            names.append(str(value))
        if sum(map(len, names)) + len(names) > ACCOUNT_CHARS:
            raise fail(
                Fault.LIMIT, node.span, limit=f"an account name has at most {ACCOUNT_CHARS} characters"
            )
        return make_account(":".join(names))

    # --- functions

    def _call(self, node: Call) -> Value:
        if not self.in_vars:
            self.require(MID_SCRIPT_CALL)
        values = [self.evaluate(argument) for argument in node.arguments]
        function = _FUNCTIONS.get(node.name)
        if function is None:
            raise fail(Fault.UNBOUND_FUNCTION, node.name_span, name=node.name)
        if function.flag:
            self.require(function.flag)
        check_arguments(function.parameters, values, node.span)
        return function.run(self, values)

    def metadata(self, node: Call) -> str:
        """The text that a `meta(account, key)` call finds."""
        values = [self.evaluate(argument) for argument in node.arguments]
        check_arguments(META_PARAMETERS, values, node.span)
        account, key = str(values[0]), str(values[1])
        try:
            text = self.store.metadata(account, key)
        except UnknownAccount as unknown:
            raise fail(Fault.QUERY_METADATA, node.span, text=str(unknown)) from unknown
        if text is None:
            raise fail(Fault.METADATA_NOT_FOUND, node.span, account=account, key=key)
        return text


def type_error(expected: str, value: Value, span: Span) -> RunError:
    """A value of another type than the one its place asks for."""
    return fail(Fault.TYPE, span, expected=expected, got=text_of(value), value=value)


def check_arguments(parameters: Sequence[type | None], values: Sequence[Value], span: Span) -> None:
    """Check the number, then the types of a call's arguments; None stands for any type."""
    if len(values) != len(parameters):
        raise fail(Fault.BAD_ARITY, expected_arity=len(parameters), given_arguments=len(values))
    for parameter, value in zip(parameters, values, strict=True):
        if parameter is not None and type(value) is not parameter:
            raise type_error(TYPE_NAMES[parameter], value, span)


class _Function(NamedTuple):
    parameters: tuple[type, ...]
    flag: str | None
    run: Callable[[Evaluator, list[Value]], Value]


META_PARAMETERS: Final = (Account, str)


def _balance(run: Evaluator, values: list[Value]) -> Value:
    account, asset = str(values[0]), str(values[1])
    amount = run.balances.lookup(account, asset)
    if amount < 0:
        raise fail(Fault.NEGATIVE_BALANCE, account=account, amount=amount)
    return Monetary(asset, amount)


def _overdraft(run: Evaluator, values: list[Value]) -> Value:
    asset = str(values[1])
    return Monetary(asset, max(0, -run.balances.lookup(str(values[0]), asset)))


def _get_asset(_: Evaluator, values: list[Value]) -> Value:
    assert isinstance(values[0], Monetary)
    return Asset(values[0].asset)


def _get_amount(_: Evaluator, values: list[Value]) -> Value:
    assert isinstance(values[0], Monetary)
    return values[0].amount


def _nested_meta(_run: Evaluator, _values: list[Value]) -> Value:
    raise fail(Fault.NESTED_META)


_FUNCTIONS: Final = {
    "balance": _Function((Account, Asset), None, _balance),
    "overdraft": _Function((Account, Asset), OVERDRAFT_FUNCTION, _overdraft),
    "get_asset": _Function((Monetary,), GET_ASSET_FUNCTION, _get_asset),
    "get_amount": _Function((Monetary,), GET_AMOUNT_FUNCTION, _get_amount),
    "meta": _Function(META_PARAMETERS, None, _nested_meta),
}
