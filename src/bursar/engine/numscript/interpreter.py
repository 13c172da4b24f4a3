"""Running a script: variables, balances, statements, final check (specification 4, 5, 7, 8, 9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from bursar.engine.numscript.balances import WORLD, Balances, Store, spelled
from bursar.engine.numscript.errors import Fault, RunError, fail
from bursar.engine.numscript.expressions import (
    ASSET_COLORS,
    ASSET_SCALING,
    FLAGS,
    MID_SCRIPT_CALL,
    ONEOF,
    Evaluator,
    check_arguments,
)
from bursar.engine.numscript.funds import Posting, Queue, complete, split
from bursar.engine.numscript.limits import WORK
from bursar.engine.numscript.scaling import base_and_scale, convert, scaled, scales_of
from bursar.engine.numscript.syntax import (
    All,
    Call,
    Declaration,
    DestinationAccount,
    DestinationAllotment,
    DestinationInOrder,
    DestinationOneof,
    Expression,
    Kept,
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
)
from bursar.engine.numscript.values import (
    Account,
    Value,
    is_asset,
    is_color,
    parse_value,
    text_of,
)


@dataclass(frozen=True, slots=True)
class Edition:
    """What releases of the language do differently."""

    spelled_colors: bool = False
    """A color is part of the asset's name, in balances and in postings: `USD_RED/2`."""
    caps_checked_first: bool = False
    """In an ordered destination a cap is evaluated even when nothing is left for it."""


LATEST: Final = Edition()
RELEASE_0_0_24: Final = Edition(spelled_colors=True, caps_checked_first=True)
"""The release inside the Formance ledger v2.4 (specification 12)."""


@dataclass(slots=True)
class Outcome:
    """What a script did."""

    postings: list[Posting] = field(default_factory=list[Posting])
    transaction_metadata: dict[str, Value] = field(default_factory=dict[str, Value])
    account_metadata: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    printed: list[Value] = field(default_factory=list[Value])
    """What `print` showed; machine only."""

    def transaction_metadata_text(self) -> dict[str, str]:
        """The transaction's metadata in text form."""
        return {key: text_of(value) for key, value in self.transaction_metadata.items()}


def run(
    program: Program,
    variables: Mapping[str, str],
    store: Store,
    flags: Collection[str] = (),
    edition: Edition = LATEST,
) -> Outcome:
    """Run a parsed script. Raises ParseError or RunError, then nothing of it counts; what the store raises passes."""
    program.require_valid()
    try:
        return _Run(program, store, flags, edition).outcome(variables)
    except RunError as error:
        if error.span:
            error.range = program.source.range(error.span)
        raise


class _Run:
    __slots__ = (
        "_asset",
        "_balances",
        "_edition",
        "_evaluator",
        "_outcome",
        "_postings",
        "_program",
        "_queue",
        "_work",
    )

    def __init__(self, program: Program, store: Store, flags: Collection[str], edition: Edition) -> None:
        for feature in program.features:
            if feature.value not in FLAGS:
                raise fail(Fault.INVALID_FEATURE, feature=feature.value)
        enabled = frozenset(flags).union(str(feature.value) for feature in program.features)
        self._program = program
        self._edition = edition
        self._balances = Balances(store, spelled_colors=edition.spelled_colors)
        self._evaluator = Evaluator(enabled, store, self._balances)
        self._outcome = Outcome()
        self._postings = self._outcome.postings
        self._queue = Queue()
        self._asset = ""
        self._work = 0

    def outcome(self, variables: Mapping[str, str]) -> Outcome:
        """All of it, in the order of specification 4."""
        for declaration in self._program.declarations:
            self._evaluator.variables[declaration.name] = self._initial_value(declaration, variables)
        self._evaluator.in_vars = False
        for statement in self._program.statements:
            self._want_balances(statement)
        self._balances.load()
        for statement in self._program.statements:
            self._execute(statement)
        self._check_postings()
        return self._outcome

    # --- variables

    def _initial_value(self, declaration: Declaration, variables: Mapping[str, str]) -> Value:
        origin = declaration.origin
        if origin is None:
            text = variables.get(declaration.name)
            if text is None:
                raise fail(Fault.MISSING_VARIABLE, name=declaration.name)
        elif isinstance(origin, Call):
            if origin.name != "meta":
                return self._evaluator.evaluate(origin)
            text = self._evaluator.metadata(origin)
        else:
            self._evaluator.require(MID_SCRIPT_CALL)
            return self._evaluator.evaluate(origin)
        value = parse_value(declaration.type_name, text)
        if value is None:
            raise fail(Fault.INVALID_TYPE, declaration.type_span, name=declaration.type_name)
        return value

    # --- which balances the statements will need

    def _want_balances(self, statement: Statement) -> None:
        match statement:
            case Save():
                asset = self._sent(statement.sent)[0]
                self._balances.want(self._evaluator.account(statement.account), asset)
            case Send():
                self._asset = self._sent(statement.sent)[0]
                self._want_source(statement.source)
            case _:
                pass

    def _want_source(self, source: SourceTree) -> None:
        match source:
            case SourceAccount():
                if not source.unbounded:
                    account = self._evaluator.account(source.account)
                    color = "" if source.color is None else self._evaluator.string(source.color)
                    self._balances.want(account, self._asset, color)
            case SourceScaling():
                account = self._evaluator.account(source.account)
                self._balances.want(account, f"{base_and_scale(self._asset)[0]}/*")
            case SourceCapped():
                self._want_source(source.source)
            case SourceInOrder() | SourceOneof() | SourceAllotment():
                for each in source.sources:
                    self._want_source(each)

    # --- statements

    def _execute(self, statement: Statement) -> None:
        match statement:
            case Send():
                self._send(statement)
            case Save():
                self._save(statement)
            case Call():
                self._set_metadata(statement)
            case _:
                raise AssertionError(statement)  # the machine's own statements: this parser makes none

    def _sent(self, sent: Sent) -> tuple[str, int | None]:
        """The asset and the amount; None for all there is."""
        if isinstance(sent, All):
            return self._evaluator.asset(sent.asset), None
        return self._evaluator.monetary(sent)

    def _sent_checked(self, sent: Sent) -> tuple[str, int | None]:
        asset, amount = self._sent(sent)
        if amount is not None and amount < 0:
            raise fail(Fault.NEGATIVE_AMOUNT, sent.span, amount=amount)
        return asset, amount

    def _send(self, statement: Send) -> None:
        self._asset, amount = self._sent_checked(statement.sent)
        if amount is None:
            amount = self._pull_all(statement.source)
        else:
            self._pull_exactly(statement.source, amount)
        self._give(statement.destination, amount)

    def _save(self, statement: Save) -> None:
        asset, amount = self._sent_checked(statement.sent)
        account = self._evaluator.account(statement.account)
        balance = self._balances.get(account, asset)
        left = min(0, balance) if amount is None else max(0, balance - amount)
        self._balances.add(account, asset, "", left - balance)

    def _set_metadata(self, call: Call) -> None:
        values = [self._evaluator.evaluate(argument) for argument in call.arguments]
        if call.name == "set_tx_meta":
            check_arguments((str, None), values, call.name_span)
            self._outcome.transaction_metadata[str(values[0])] = values[1]
        elif call.name == "set_account_meta":
            check_arguments((Account, str, None), values, call.name_span)
            entries = self._outcome.account_metadata.setdefault(str(values[0]), {})
            entries[str(values[1])] = text_of(values[2])
        else:
            raise fail(Fault.UNBOUND_FUNCTION, call.name_span, name=call.name)

    # --- sources

    def _pull_exactly(self, source: SourceTree, needed: int) -> None:
        available = self._pull(source, needed)
        if available != needed:
            raise fail(
                Fault.MISSING_FUNDS, source.span, asset=self._asset, needed=needed, available=available
            )

    def _pull(self, source: SourceTree, wanted: int) -> int:
        """Pull up to what is wanted; what came."""
        wanted = max(0, wanted)
        match source:
            case SourceAccount():
                return self._pull_account(source, wanted)
            case SourceInOrder():
                came = 0
                for each in source.sources:
                    came += self._pull(each, wanted - came)
                return came
            case SourceCapped():
                return self._pull(source.source, min(wanted, self._cap(source.cap)))
            case SourceAllotment():
                parts = split(wanted, self._shares(source.shares))
                for each, part in zip(source.sources, parts, strict=True):
                    self._pull_exactly(each, part)
                return wanted
            case SourceOneof():
                return self._pull_oneof(source, wanted)
            case SourceScaling():
                return self._pull_scaled(source, wanted)

    def _pull_all(self, source: SourceTree) -> int:
        """Pull everything there is; what came."""
        match source:
            case SourceAccount():
                return self._pull_account(source, None)
            case SourceInOrder():
                return sum([self._pull_all(each) for each in source.sources])
            case SourceCapped():
                return self._pull(source.source, self._cap(source.cap))
            case SourceAllotment():
                raise fail(Fault.ALLOTMENT_IN_SEND_ALL)
            case SourceOneof():
                self._evaluator.require(ONEOF)
                return self._pull_all(source.sources[0])
            case SourceScaling():
                return self._pull_scaled(source, None)

    def _pull_account(self, source: SourceAccount, wanted: int | None) -> int:
        bound = 0 if source.bound is None else max(0, self._cap(source.bound))
        if source.color is not None:
            self._evaluator.require(ASSET_COLORS)
        account = self._evaluator.account(source.account)
        unbounded = source.unbounded or account == WORLD
        if unbounded and wanted is None:
            raise fail(Fault.UNBOUNDED_IN_SEND_ALL, name=account)
        color = "" if source.color is None else self._color(source.color)
        return self._take(account, color, wanted, None if unbounded else bound)

    def _take(self, account: str, color: str, wanted: int | None, bound: int | None) -> int:
        """Move money of an account to the queue; a bound of None is an unbounded overdraft."""
        if bound is None:
            amount = wanted or 0
        else:
            amount = max(0, self._balances.get(account, self._asset, color) + bound)
            if wanted is not None:
                amount = min(amount, wanted)
        self._queue.put(account, color, amount)
        self._balances.add(account, self._asset, color, -amount)
        return amount

    def _pull_oneof(self, source: SourceOneof, wanted: int) -> int:
        self._evaluator.require(ONEOF)
        for each in source.sources[:-1]:
            rows, size = self._balances.snapshot()
            pieces = self._queue.pieces.copy()
            self._spend(size + len(pieces))
            if self._pull(each, wanted) == wanted:
                return wanted
            self._balances.restore(rows)
            self._queue.pieces = pieces
        return self._pull(source.sources[-1], wanted)

    def _pull_scaled(self, source: SourceScaling, wanted: int | None) -> int:
        """Swap what the account has in other scales of the asset as needed, then pull from it (7.3)."""
        self._evaluator.require(ASSET_SCALING)
        account = self._evaluator.account(source.account)
        swap = self._evaluator.account(source.swap)
        rows = self._balances.assets(account)
        if rows is None:
            raise fail(Fault.UNBOUNDED_IN_SCALING, source.span)
        self._spend(len(rows))
        base, scale = base_and_scale(self._asset)
        scales = scales_of(base, rows)
        need = None if wanted is None else wanted - scales.pop(scale, 0)
        scales.pop(scale, None)
        given, total = convert(scales, scale, need)
        for other, amount in given:
            self._swap(account, swap, scaled(base, other), amount)
        if total:
            self._swap(swap, account, self._asset, total)
        if account == WORLD and wanted is None:
            raise fail(Fault.UNBOUNDED_IN_SEND_ALL, name=account)
        return self._take(account, "", wanted, None if account == WORLD else 0)

    def _swap(self, source: str, destination: str, asset: str, amount: int) -> None:
        self._postings.append(Posting(source, destination, asset, amount))
        self._balances.add(source, asset, "", -amount)
        self._balances.add(destination, asset, "", amount)

    def _color(self, node: Expression) -> str:
        color = self._evaluator.string(node)
        if not is_color(color):
            raise fail(Fault.INVALID_COLOR, node.span, color=color)
        return color

    def _cap(self, node: Expression) -> int:
        """A cap or bound: the amount of a monetary in the asset that is being sent."""
        asset, amount = self._evaluator.monetary(node)
        if asset != self._asset:
            raise fail(Fault.MISMATCHED_CURRENCY, expected=self._asset, got=asset)
        return amount

    def _shares(self, shares: tuple[Share, ...]) -> list[tuple[int, int]]:
        return complete(
            [None if isinstance(share, Remaining) else self._evaluator.portion(share) for share in shares]
        )

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > WORK:
            raise fail(Fault.LIMIT, limit="it copies or searches too many balances")

    # --- destinations

    def _give(self, target: Target, amount: int) -> None:
        """Hand money of the queue to a destination, or give it back."""
        match target:
            case DestinationAccount():
                self._credit(self._evaluator.account(target.account), amount)
            case DestinationAllotment():
                parts = split(amount, self._shares(target.shares))
                for each, part in zip(target.targets, parts, strict=True):
                    self._give(each, part)
            case DestinationInOrder():
                self._give_in_order(target, amount)
            case DestinationOneof():
                self._evaluator.require(ONEOF)
                self._give(self._chosen(target, amount), amount)
            case Kept():
                for account, color, part in self._queue.take(amount):
                    self._balances.add(account, self._asset, color, part)

    def _credit(self, account: Account, amount: int) -> None:
        for source, color, part in self._queue.take(amount):
            self._balances.add(account, self._asset, color, part)
            if self._edition.spelled_colors:
                self._postings.append(Posting(source, account, spelled(self._asset, color), part))
            else:
                self._postings.append(Posting(source, account, self._asset, part, color))

    def _give_in_order(self, target: DestinationInOrder, amount: int) -> None:
        rest = amount
        for clause in target.caps:
            if rest == 0 and not self._edition.caps_checked_first:
                break
            part = max(0, min(rest, self._cap(clause.cap)))
            if rest == 0:
                break
            if part:
                self._give(clause.target, part)
                rest -= part
        if rest:
            self._give(target.remaining, rest)

    def _chosen(self, target: DestinationOneof, amount: int) -> Target:
        for clause in target.caps:
            if self._cap(clause.cap) >= amount:
                return clause.target
        return target.remaining

    # --- the final check

    def _check_postings(self) -> None:
        """No negative amount and no impossible asset; accounts were checked when their names were made (8.5)."""
        good: set[str] = set()
        for posting in self._postings:
            if posting.asset not in good and is_asset(posting.asset):
                good.add(posting.asset)
            if posting.amount < 0 or posting.asset not in good:
                source, destination, asset, amount, color = posting
                text = f"{source} {destination} {amount} {asset}"
                if not self._edition.spelled_colors:
                    text += f" {color}"
                raise fail(Fault.INTERNAL, posting=text)
