"""The static checker: one walk over what could be read, collecting what is wrong or suspicious (11.1)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Final, NamedTuple
from typing import Literal as OneOf

from bursar.engine.numscript.diagnostics import Diagnostic, Finding
from bursar.engine.numscript.expressions import ACCOUNT_INTERPOLATION, FLAGS, ONEOF
from bursar.engine.numscript.hints import FUNCTION_REQUIREMENTS, V0_0_15, Version, hints_of
from bursar.engine.numscript.inference import AssetNode
from bursar.engine.numscript.limits import PORTION_BITS
from bursar.engine.numscript.parser import parse
from bursar.engine.numscript.position import Span
from bursar.engine.numscript.syntax import (
    AccountName,
    Addition,
    All,
    Call,
    Cap,
    Declaration,
    DestinationAccount,
    DestinationAllotment,
    DestinationInOrder,
    DestinationOneof,
    Division,
    Expression,
    Literal,
    MonetaryOf,
    Negation,
    Program,
    Remaining,
    Save,
    Send,
    Sent,
    Share,
    SourceAccount,
    SourceAllotment,
    SourceCapped,
    SourceInOrder,
    SourceOneof,
    SourceScaling,
    SourceTree,
    Statement,
    Target,
    Variable,
)
from bursar.engine.numscript.values import TYPE_NAMES, Account, Asset, Monetary, ratio_text, type_of

ANY: Final = "any"
_TYPES: Final = frozenset(TYPE_NAMES.values())


class _Signature(NamedTuple):
    context: OneOf["statement", "variable origin"]
    parameters: tuple[str, ...]
    result: str


_FUNCTIONS: Final = {
    "set_tx_meta": _Signature("statement", ("string", ANY), ANY),
    "set_account_meta": _Signature("statement", ("account", "string", ANY), ANY),
    "meta": _Signature("variable origin", ("account", "string"), ANY),
    "balance": _Signature("variable origin", ("account", "asset"), "monetary"),
    "overdraft": _Signature("variable origin", ("account", "asset"), "monetary"),
    "get_asset": _Signature("variable origin", ("monetary",), "asset"),
    "get_amount": _Signature("variable origin", ("monetary",), "number"),
}


def check(script: str | Program) -> list[Diagnostic]:
    """All findings about a script, syntax errors first."""
    program = parse(script) if isinstance(script, str) else script
    checker = _Checker(program)
    checker.program()
    return checker.found


class _Checker:
    def __init__(self, program: Program) -> None:
        self.found: list[Diagnostic] = []
        self._program = program
        self._hints = hints_of(program.comments)
        self._declared: dict[str, Declaration] = {}
        self._used: set[str] = set(program.skipped_variables)
        # Nodes are told apart by identity: two equal expressions are two places.
        self._assets: dict[int, AssetNode] = {}
        self._sent_asset = AssetNode()
        self._emptied: set[str] = set()
        self._after_unbounded = False
        self._send_all = False

    def _report(self, finding: Finding, span: Span, **fields: object) -> None:
        self.found.append(finding.at(self._program.source.range(span), **fields))

    def program(self) -> None:
        """Check everything."""
        for problem in self._program.problems:
            self._report(Finding.PARSING, problem.span, description=problem.message)
        for feature in self._program.features:
            if feature.value not in FLAGS:
                self._report(Finding.INVALID_FEATURE, feature.span, feature=feature.value)
        for declaration in self._program.declarations:
            self._declaration(declaration)
        for statement in self._program.statements:
            self._statement(statement)
        for name, declaration in self._declared.items():
            if name not in self._used:
                self._report(Finding.UNUSED_VARIABLE, declaration.name_span, name=name)
        self._bound_assets()

    # --- variables

    def _declaration(self, declaration: Declaration) -> None:
        if declaration.type_name not in _TYPES:
            self._report(Finding.INVALID_TYPE, declaration.type_span, name=declaration.type_name)
        if declaration.name in self._declared:
            self._report(Finding.DUPLICATE_VARIABLE, declaration.name_span, name=declaration.name)
        else:
            self._declared[declaration.name] = declaration
        if declaration.origin is not None:
            self._expect(declaration.origin, declaration.type_name)
            self._join(declaration.origin, self._asset_of(declaration))

    def _bound_assets(self) -> None:
        """Variables that can only ever have one asset; not told when there are mismatches to repair first."""
        if any(each.kind in {"TypeMismatch", "AssetMismatch"} for each in self.found):
            return
        for declaration in self._program.declarations:
            asset = self._asset_of(declaration).root().asset
            if declaration.origin is None and asset is not None:
                plain = declaration.type_name == "asset"
                self._report(
                    Finding.BOUND_ASSET if plain else Finding.BOUND_MONETARY,
                    declaration.span,
                    bound_asset_type="BoundAssetTypeAsset" if plain else "BoundAssetTypeMonetary",
                    inferred_asset=asset,
                )

    # --- statements

    def _statement(self, statement: Statement) -> None:
        self._emptied = set()
        self._after_unbounded = False
        self._sent_asset = AssetNode()
        match statement:
            case Save():
                self._sent(statement.sent)
                self._expect(statement.account, "account")
            case Send():
                self._send_all = isinstance(statement.sent, All)
                self._sent(statement.sent)
                self._source(statement.source)
                self._target(statement.destination)
            case Call():
                self._call(statement, "statement")
            case _:
                raise AssertionError(statement)  # the machine's own statements: this parser makes none

    def _sent(self, sent: Sent) -> None:
        node, wanted = (sent.asset, "asset") if isinstance(sent, All) else (sent, "monetary")
        self._expect(node, wanted)
        self._join(node, self._sent_asset)

    # --- sources

    def _source(self, source: SourceTree) -> None:
        if self._after_unbounded:
            self._report(Finding.UNBOUNDED_NOT_LAST, source.span)
        match source:
            case SourceAccount():
                if source.unbounded or source.bound:
                    self._overdraft(source)
                else:
                    self._plain_account(source)
            case SourceScaling():
                self._expect(source.account, "account")
                self._expect(source.swap, "account")
            case SourceInOrder() | SourceOneof():
                if isinstance(source, SourceOneof):
                    self._require(source.span, V0_0_15, ONEOF)
                for each in source.sources:
                    self._source(each)
            case SourceCapped():
                with self._branch():
                    self._join(source.cap, self._sent_asset)
                    self._expect(source.cap, "monetary")
                    self._source(source.source)
            case SourceAllotment():
                self._source_allotment(source)

    def _plain_account(self, source: SourceAccount) -> None:
        self._expect(source.account, "account")
        if source.color is not None:
            self._expect(source.color, "string")
        name = _account_text(source.account)
        if name == "world":
            if self._send_all:
                self._report(Finding.UNBOUNDED_IN_SEND_ALL, source.span)
            else:
                self._after_unbounded = True
        elif name is not None:
            colored = name + _color_text(source.color)
            if colored in self._emptied:
                self._report(Finding.EMPTIED_ACCOUNT, source.account.span, name=name)
            self._emptied.add(colored)

    def _overdraft(self, source: SourceAccount) -> None:
        if _account_text(source.account) == "world":
            self._report(Finding.WORLD_OVERDRAFT, source.account.span)
        if source.unbounded:
            self._after_unbounded = True
            if self._send_all:
                self._report(Finding.UNBOUNDED_IN_SEND_ALL, source.account.span)
        self._expect(source.account, "account")
        if source.color is not None:
            self._expect(source.color, "string")
        if source.bound is not None:
            self._cap(source.bound)

    def _source_allotment(self, source: SourceAllotment) -> None:
        if self._send_all:
            self._report(Finding.ALLOTMENT_IN_SEND_ALL, source.span)
        shares = _Shares()
        for index, (share, each) in enumerate(zip(source.shares, source.sources, strict=True)):
            self._share(share, shares, source.span, last=index == len(source.shares) - 1)
            with self._branch():
                self._source(each)
        self._sum(shares, source.span)

    @contextmanager
    def _branch(self) -> Generator[None]:
        """Inside a `max` or a share: what is found there about emptied and unbounded accounts stays there."""
        before = self._emptied, self._after_unbounded, self._send_all
        self._emptied, self._after_unbounded, self._send_all = set(self._emptied), False, False
        yield
        self._emptied, self._after_unbounded, self._send_all = before

    # --- destinations

    def _target(self, target: Target) -> None:
        match target:
            case DestinationAccount():
                self._expect(target.account, "account")
            case DestinationInOrder():
                self._clauses(target.caps, target.remaining)
            case DestinationOneof():
                self._require(target.span, V0_0_15, ONEOF)
                self._clauses(target.caps, target.remaining)
            case DestinationAllotment():
                shares = _Shares()
                for index, (share, each) in enumerate(zip(target.shares, target.targets, strict=True)):
                    self._share(share, shares, target.span, last=index == len(target.shares) - 1)
                    self._target(each)
                self._sum(shares, target.span)
            case _:
                pass

    def _clauses(self, caps: Sequence[Cap], remaining: Target) -> None:
        for clause in caps:
            self._cap(clause.cap)
            self._target(clause.target)
        self._target(remaining)

    def _cap(self, cap: Expression) -> None:
        self._expect(cap, "monetary")
        self._join(cap, self._sent_asset)

    # --- allotments

    def _share(self, share: Share, shares: _Shares, block: Span, *, last: bool) -> None:
        if isinstance(share, Remaining):
            if last:
                shares.remaining = share
            else:
                self._report(Finding.REMAINING_NOT_LAST, block)
            return
        self._expect(share, "portion")
        constant = self._constant_share(share)
        if constant is None or shares.total.denominator.bit_length() > PORTION_BITS:
            shares.variable.append(share)
        else:
            shares.total += constant

    def _constant_share(self, share: Expression) -> Fraction | None:
        if isinstance(share, Literal) and isinstance(share.value, Fraction):
            return share.value
        if not isinstance(share, Division):
            return None
        numerator, denominator = _constant_number(share.left), _constant_number(share.right)
        if denominator == 0:
            self._report(Finding.DIVISION_BY_ZERO, share.span)
            return None
        return None if numerator is None or denominator is None else Fraction(numerator, denominator)

    def _sum(self, shares: _Shares, block: Span) -> None:
        total, variable = shares.total, shares.variable
        if total > 1:
            self._report(Finding.SUM_TOO_LARGE, block, sum=ratio_text(total))
        elif total == 1:
            for each in variable:
                self._report(Finding.FIXED_PORTION, each.span, value="0/1")
            if shares.remaining:
                self._report(Finding.REDUNDANT_REMAINING, shares.remaining.span)
        elif shares.remaining is None and len(variable) == 1:
            self._report(Finding.FIXED_PORTION, variable[0].span, value=ratio_text(1 - total))
        elif shares.remaining is None and not variable:
            self._report(Finding.SUM_TOO_SMALL, block, sum=ratio_text(total))

    # --- expressions

    def _expect(self, node: Expression, wanted: str) -> None:
        got = self._type(node, wanted)
        if ANY not in {wanted, got} and got != wanted:
            self._report(Finding.TYPE_MISMATCH, node.span, expected=wanted, got=got)

    def _type(self, node: Expression, hint: str) -> str:
        """The type of an expression; `hint` is the one its place asks for."""
        match node:
            case Literal():
                self._literal_asset(node)
                return type_of(node.value)
            case Variable():
                return self._variable(node, hint)
            case MonetaryOf():
                self._expect(node.asset, "asset")
                self._expect(node.amount, "number")
                self._join(node, self._asset_of(node.asset))
                return "monetary"
            case Addition() | Division():
                return self._infix(node)
            case Negation():
                self._join(node, self._asset_of(node.operand))
                return self._number_or_monetary(node.operand)
            case AccountName():
                self._require(node.span, V0_0_15, ACCOUNT_INTERPOLATION)
                for part in node.parts:
                    if isinstance(part, Variable):
                        self._expect(part, ANY)
                return "account"
            case Call():
                return self._call(node, "variable origin")

    def _variable(self, node: Variable, hint: str) -> str:
        self._used.add(node.name)
        declaration = self._declared.get(node.name)
        if declaration is None:
            self._report(Finding.UNBOUND_VARIABLE, node.span, name=node.name, type=hint)
            return ANY
        self._join(node, self._asset_of(declaration))
        return declaration.type_name if declaration.type_name in _TYPES else ANY

    def _infix(self, node: Addition | Division) -> str:
        self._join(node.left, self._asset_of(node.right))
        if isinstance(node, Division):
            self._require(node.span, V0_0_15)
            self._expect(node.left, "number")
            self._expect(node.right, "number")
            return "portion"
        left = self._number_or_monetary(node.left)
        if left != "":
            self._expect(node.right, left)
        return left or ANY

    def _number_or_monetary(self, node: Expression) -> str:
        """The type of an operand; empty, after reporting it, if it is neither."""
        got = self._type(node, "number")
        if got in {"number", "monetary", ANY}:
            return got
        self._report(Finding.TYPE_MISMATCH, node.span, expected="number|monetary", got=got)
        return ""

    def _call(self, node: Call, context: OneOf["statement", "variable origin"]) -> str:
        signature = _FUNCTIONS.get(node.name)
        if signature is None or signature.context != context:
            for argument in node.arguments:
                self._expect(argument, ANY)
            if signature is None:
                self._report(Finding.UNKNOWN_FUNCTION, node.name_span, name=node.name)
            else:
                self._report(
                    Finding.MISPLACED_FUNCTION, node.name_span, name=node.name, context=signature.context
                )
            return ANY
        if requirement := FUNCTION_REQUIREMENTS.get(node.name):
            self._require(node.span, *requirement)
        self._arguments(node, signature)
        return signature.result

    def _arguments(self, node: Call, signature: _Signature) -> None:
        expected, actual = len(signature.parameters), len(node.arguments)
        if actual < expected:
            self._report(Finding.BAD_ARITY, node.span, expected=expected, actual=actual)
        elif actual > expected:
            surplus = (node.arguments[expected].span[0], node.arguments[-1].span[1])
            self._report(Finding.BAD_ARITY, surplus, expected=expected, actual=actual)
        for argument, wanted in zip(node.arguments, signature.parameters, strict=False):
            self._expect(argument, wanted)
        # The asset of balance(x, a) and overdraft(x, a) is a's; that of get_asset(m) is m's.
        place = {"balance": 1, "overdraft": 1, "get_asset": 0}.get(node.name)
        if place is not None and place < actual:
            self._join(node, self._asset_of(node.arguments[place]))

    # --- assets

    def _asset_of(self, node: Expression | Declaration) -> AssetNode:
        return self._assets.setdefault(id(node), AssetNode())

    def _literal_asset(self, node: Literal) -> None:
        if isinstance(node.value, Monetary):
            self._join(node, AssetNode(node.value.asset))
        elif isinstance(node.value, Asset):
            self._join(node, AssetNode(node.value))

    def _join(self, node: Expression, other: AssetNode) -> None:
        if clash := self._asset_of(node).join(other):
            self._report(Finding.ASSET_MISMATCH, node.span, expected=clash[0], got=clash[1])

    # --- hints

    def _require(self, span: Span, version: Version, flag: str | None = None) -> None:
        """Something that a script with a version hint may only use from a version on, and with its flag."""
        hinted = self._hints.version
        if hinted is None:
            return
        if not hinted.covers(version):
            self._report(Finding.VERSION_MISMATCH, span, required_version=version, got_version=hinted)
        elif flag and flag not in self._hints.flags:
            self._report(Finding.EXPERIMENTAL, span, name=flag)


class _Shares:
    """What is known of the shares of one allotment."""

    def __init__(self) -> None:
        self.total = Fraction(0)
        self.variable: list[Expression] = []
        self.remaining: Remaining | None = None


def _constant_number(node: Expression) -> int | None:
    """The value of an expression of number literals only."""
    match node:
        case Literal(value=int(number)):
            return number
        case Negation():
            operand = _constant_number(node.operand)
            return None if operand is None else -operand
        case Addition():
            left, right = _constant_number(node.left), _constant_number(node.right)
            if left is None or right is None:
                return None
            return left - right if node.negative else left + right
        case _:
            return None


def _account_text(node: Expression) -> str | None:
    """An account literal as it is written, variables included; None for any other expression."""
    if isinstance(node, Literal) and isinstance(node.value, Account):
        return node.value
    if isinstance(node, AccountName):
        return ":".join(f"${part.name}" if isinstance(part, Variable) else part for part in node.parts)
    return None


def _color_text(color: Expression | None) -> str:
    if isinstance(color, Variable):
        return f"\\${color.name}"
    if isinstance(color, Literal) and type(color.value) is str and color.value:
        return f'\\"{color.value}"'
    return ""
