"""What the machine refuses before it runs a script, and which balances it will ask for (13.2)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from bursar.engine.numscript.balances import WORLD
from bursar.engine.numscript.errors import CompileError
from bursar.engine.numscript.machine.parser import parse
from bursar.engine.numscript.position import Span
from bursar.engine.numscript.syntax import (
    Addition,
    All,
    Call,
    Declaration,
    DestinationAccount,
    DestinationAllotment,
    DestinationInOrder,
    Expression,
    Fail,
    Kept,
    Literal,
    MonetaryOf,
    Print,
    Program,
    Remaining,
    Save,
    Send,
    Share,
    SourceAccount,
    SourceAllotment,
    SourceCapped,
    SourceInOrder,
    SourceTree,
    Statement,
    Target,
    Variable,
)
from bursar.engine.numscript.values import Account, type_of

_ALL_OF_UNBOUNDED: Final = "cannot take all balance of an unbounded source"
_ALL_OF_ALLOTMENT: Final = "cannot take all balance of an allotment source"
_ARITHMETIC: Final = "tried to do an arithmetic operation with"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A script that the machine will run."""

    program: Program
    needs: tuple[tuple[Expression, Expression], ...]
    """Accounts that money may be taken from, each with an asset or a monetary of that asset."""


def compile_script(text: str) -> Compiled:
    """Read and check a script; raises CompileError."""
    try:
        program = parse(text)
        compiler = _Compiler()
        for declaration in program.declarations:
            compiler.declare(declaration)
        for statement in program.statements:
            compiler.statement(statement)
    except CompileError as error:
        error.locate(text)
        raise
    return Compiled(program, tuple(compiler.needs))


def first_operand(node: Expression) -> Expression:
    """The leftmost operand of a sum: the machine takes a sum's asset from it."""
    while isinstance(node, Addition):
        node = node.left
    return node


def fallback(source: SourceTree) -> Expression | None:
    """The account that gives whatever is missing: @world or an unbounded overdraft, as the last of a source."""
    match source:
        case SourceAccount():
            return source.account if source.unbounded or is_world(source.account) else None
        case SourceInOrder():
            return fallback(source.sources[-1])
        case _:
            return None


def is_world(node: Expression) -> bool:
    """Whether this is the literal `@world`."""
    return isinstance(node, Literal) and isinstance(node.value, Account) and node.value == WORLD


class _Compiler:
    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self.needs: list[tuple[Expression, Expression]] = []

    # --- variables

    def declare(self, declaration: Declaration) -> None:
        """Check one line of the vars block."""
        name = declaration.name
        if name in self._types:
            raise CompileError(f"duplicate variable ${name}", declaration.span)
        if isinstance(declaration.origin, Call):
            self._origin(declaration, declaration.origin)
        self._types[name] = declaration.type_name

    def _origin(self, declaration: Declaration, origin: Call) -> None:
        start = f"variable ${declaration.name}: "
        account, second = origin.arguments
        if origin.name == "meta":
            self._check(account, "account", f"{start}type should be 'account' to pull account metadata")
            return
        if declaration.type_name != "monetary":
            message = f"{start}type should be 'monetary' to pull account balance"
            raise CompileError(message, origin.span)
        self._check(
            account,
            "account",
            f"{start}the first argument to pull account balance should be of type 'account'",
        )
        self._check(
            second, "asset", f"{start}the second argument to pull account balance should be of type 'asset'"
        )

    # --- statements

    def statement(self, statement: Statement) -> None:
        """Check one statement."""
        match statement:
            case Send():
                self._send(statement)
            case Save():
                self._save(statement)
            case Call():
                self._type(statement.arguments[-1])
                if statement.name == "set_account_meta":
                    account = statement.arguments[0]
                    found = self._type(account)
                    message = (
                        f"set_account_meta: expression is of type {found}, and should be of type account"
                    )
                    self._check(account, "account", message)
            case Print():
                self._type(statement.value)
            case Fail():
                pass

    def _send(self, send: Send) -> None:
        everything = isinstance(send.sent, All)
        if isinstance(send.sent, All):
            node, wanted, what = send.sent.asset, "asset", "send monetary all"
        else:
            node, wanted, what = send.sent, "monetary", "send monetary"
        found = self._type(node)
        self._check(node, wanted, f"{what}: the expression should be of type '{wanted}' instead of '{found}'")
        if isinstance(send.source, SourceAllotment):
            if everything:
                raise CompileError(_ALL_OF_ALLOTMENT, send.source.span)
            self._shares(send.source.shares, send.source.span)
            for source in send.source.sources:
                self._source(source, node, everything)
        else:
            self._source(send.source, node, everything)
        self._target(send.destination)

    def _save(self, save: Save) -> None:
        if isinstance(save.sent, All):
            node, wanted, what = save.sent.asset, "asset", "save monetary all from account"
        else:
            node, wanted, what = save.sent, "monetary", "save monetary from account"
        for each, expected, place in ((node, wanted, "first"), (save.account, "account", "second")):
            found = self._type(each)
            label = what if place == "first" else "save monetary from account"
            message = f"{label}: the {place} expression should be of type '{expected}' instead of '{found}'"
            self._check(each, expected, message)

    # --- sources

    def _source(self, source: SourceTree, sent: Expression, everything: bool) -> set[object]:
        """Check a source; the accounts that are empty after it."""
        match source:
            case SourceAccount():
                return self._source_account(source, sent, everything)
            case SourceCapped():
                self._source(source.source, sent, False)
                self._check(source.cap, "monetary", "wrong type: expected monetary as max")
                return set()
            case SourceInOrder():
                return self._source_in_order(source, sent, everything)
            case _:
                raise AssertionError(source)  # the parser makes no other

    def _source_account(self, source: SourceAccount, sent: Expression, everything: bool) -> set[object]:
        account = source.account
        self._check(account, "account", "wrong type: expected account or allocation as destination")
        if is_world(account) and (source.unbounded or source.bound):
            raise CompileError("@world is already set to an unbounded overdraft", source.span)
        if source.bound:
            self._check(source.bound, "monetary", "wrong type: expected monetary")
        if fallback(source) is None:
            self.needs.append((account, first_operand(sent)))
        elif everything:
            raise CompileError(_ALL_OF_UNBOUNDED, source.span)
        return {account.value if isinstance(account, Literal) else ("$", getattr(account, "name", ""))}

    def _source_in_order(self, source: SourceInOrder, sent: Expression, everything: bool) -> set[object]:
        emptied: set[object] = set()
        for each in source.sources:
            found = self._source(each, sent, everything)
            if fallback(each) is not None and each is not source.sources[-1]:
                raise CompileError("an unbounded subsource can only be in last position", source.span)
            if again := emptied & found:
                name = next(iter(again))
                label = f"@{name}" if isinstance(name, str) else "a variable account"
                raise CompileError(f"{label} is already empty at this stage", each.span)
            emptied |= found
        return emptied

    # --- destinations

    def _target(self, target: Target) -> None:
        match target:
            case DestinationAccount():
                self._check(target.account, "account", "wrong type: expected account as destination")
            case DestinationInOrder():
                for cap in target.caps:
                    self._check(cap.cap, "monetary", "wrong type: expected monetary as max")
                    self._target(cap.target)
                self._target(target.remaining)
            case DestinationAllotment():
                self._shares(target.shares, target.span)
                for each in target.targets:
                    self._target(each)
            case Kept():
                pass
            case _:
                raise AssertionError(target)  # the parser makes no other

    def _shares(self, shares: tuple[Share, ...], span: Span) -> None:
        """Check that the shares can sum to 1, and surely do unless `remaining` makes them."""
        total, variable, remaining = Fraction(0), False, False
        for share in reversed(shares):
            if isinstance(share, Remaining):
                if remaining:
                    raise CompileError("two uses of `remaining` in the same allocation", share.span)
                remaining = True
            elif isinstance(share, Literal) and isinstance(share.value, Fraction):
                total += share.value
            else:
                found = self._type(share)
                self._check(share, "portion", f"wrong type: expected type portion for variable: {found}")
                variable = True
        if total > 1:
            raise CompileError("the sum of known portions is greater than 100%", span)
        if total < 1 and not remaining:
            raise CompileError("the sum of portions might be less than 100%", span)
        if total == 1 and variable:
            raise CompileError("the sum of portions might be greater than 100%", span)
        if total == 1 and remaining:
            raise CompileError("known portions are already equal to 100%", span)

    # --- expressions

    def _check(self, node: Expression, wanted: str, message: str) -> None:
        if self._type(node) != wanted:
            raise CompileError(message, node.span)

    def _type(self, node: Expression) -> str:
        match node:
            case Literal():
                return type_of(node.value)
            case Variable():
                if node.name not in self._types:
                    raise CompileError("variable not declared", node.span)
                return self._types[node.name]
            case MonetaryOf():
                found = self._type(node.asset)
                message = f"the expression in monetary literal should be of type 'asset' instead of '{found}'"
                self._check(node.asset, "asset", message)
                return "monetary"
            case Addition():
                return self._sum_type(node)
            case _:
                raise AssertionError(node)  # the parser makes no other

    def _sum_type(self, node: Addition) -> str:
        left = self._type(node.left)
        if left not in {"number", "monetary"}:
            message = f"{_ARITHMETIC} unsupported left-hand side operand type: {left}"
            raise CompileError(message, node.span)
        right = self._type(node.right)
        if right != left:
            message = f"{_ARITHMETIC} incompatible left and right-hand side operand types: {left} and {right}"
            raise CompileError(message, node.span)
        return left
