"""Running a compiled script on the machine (13.3 to 13.6)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from bursar.engine.numscript.balances import WORLD, BalanceKey, Store
from bursar.engine.numscript.errors import Fault, RunError, UnknownAccount, fail
from bursar.engine.numscript.funds import Posting, complete, split
from bursar.engine.numscript.interpreter import Outcome
from bursar.engine.numscript.limits import WORK
from bursar.engine.numscript.machine.compiler import Compiled, fallback, first_operand, is_world
from bursar.engine.numscript.machine.funding import Funding, Part
from bursar.engine.numscript.machine.variables import read_value, read_variables
from bursar.engine.numscript.syntax import (
    Addition,
    All,
    Call,
    DestinationAccount,
    DestinationAllotment,
    DestinationInOrder,
    Expression,
    Fail,
    Literal,
    MonetaryOf,
    Print,
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
from bursar.engine.numscript.values import Account, Asset, Monetary, Value, text_of


def run(compiled: Compiled, variables: Mapping[str, str], store: Store) -> Outcome:
    """Run a compiled script. Raises RunError, then nothing of it counts; what the store raises passes.

    `error.fields["stage"]` is vars, resources, balances or execute. The kind of an account that does not exist,
    asked for metadata, is ErrNotFound.
    """
    machine = _Machine(compiled, store)
    machine.resolve(variables)
    for statement in compiled.program.statements:
        machine.execute(statement)
    return machine.outcome


def _fault(kind: str, message: str, stage: str = "execute") -> RunError:
    return RunError(kind, message, stage=stage)


class _Machine:
    def __init__(self, compiled: Compiled, store: Store) -> None:
        self.outcome = Outcome()
        self._compiled = compiled
        self._store = store
        self._variables: dict[str, Value] = {}
        self._balances: dict[str, dict[str, int]] = {}
        self._work = 0

    # --- variables and balances

    def resolve(self, given: Mapping[str, str]) -> None:
        """Set all variables and ask for all balances."""
        declarations = self._compiled.program.declarations
        self._variables = read_variables(declarations, given)
        asked: dict[str, tuple[str, str]] = {}
        for declaration in declarations:
            origin = declaration.origin
            if not isinstance(origin, Call):
                continue
            account = self._account(origin.arguments[0])
            if origin.name == "meta":
                value = self._metadata(account, self._text(origin.arguments[1]), declaration.type_name)
            else:
                asset = self._text(origin.arguments[1])
                # Of several balances of one account the machine fills in only the last; the others stay 0.
                asked[account] = declaration.name, asset
                value = Monetary(asset, 0)
            self._variables[declaration.name] = value
        self._load(asked)

    def _metadata(self, account: str, key: str, type_name: str) -> Value:
        try:
            text = self._store.metadata(account, key)
        except UnknownAccount as unknown:
            raise _fault("ErrNotFound", str(unknown), "resources") from unknown
        if text is None:
            message = f"missing key {key} in metadata for account {account}"
            raise _fault("ErrMissingMetadata", message, "resources")
        try:
            return read_value(type_name, text)
        except ValueError as reason:
            raise _fault("untyped", str(reason), "resources") from None

    def _load(self, asked: Mapping[str, tuple[str, str]]) -> None:
        wanted = {BalanceKey(account, asset): None for account, (_, asset) in asked.items()}
        for node, sent in self._compiled.needs:
            account = self._account(node)
            if account == WORLD:
                message = (
                    "`@world` can only be used as a variable in the experimental interpreter, "
                    "or if it is never used as a source"
                )
                raise _fault("ErrInvalidVars", message, "balances")
            wanted[BalanceKey(account, self._asset(sent))] = None
        found = self._store.balances(list(wanted)) if wanted else {}
        for key in wanted:
            self._balances.setdefault(key.account, {})[key.asset] = found.get(key, 0)
        for account, (name, asset) in asked.items():
            balance = self._balances[account][asset]
            if balance < 0:
                message = (
                    f"tried to request the balance of account {account} for asset {asset}: "
                    f"received {balance}: monetary amounts must be non-negative"
                )
                raise _fault("ErrNegativeAmount", message, "balances")
            self._variables[name] = Monetary(asset, balance)

    # --- expressions (their types are known to be right)

    def _value(self, node: Expression) -> Value:
        match node:
            case Literal():
                return node.value
            case Variable():
                return self._variables[node.name]
            case MonetaryOf():
                amount = self._value(node.amount)
                assert isinstance(amount, int)
                return Monetary(self._text(node.asset), amount)
            case Addition():
                return self._sum(node)
            case _:
                raise AssertionError(node)  # the parser makes no other

    def _sum(self, node: Addition) -> Value:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(left, int) and isinstance(right, int):
            return left - right if node.negative else left + right
        assert isinstance(left, Monetary)
        assert isinstance(right, Monetary)
        if left.asset != right.asset:
            if node.negative:
                raise _fault("untyped", "cannot subtract different assets")
            raise _fault("ErrInvalidScript", f"cannot add different assets: {left.asset} and {right.asset}")
        return Monetary(left.asset, left.amount + (-right.amount if node.negative else right.amount))

    def _monetary(self, node: Expression) -> Monetary:
        value = self._value(node)
        assert isinstance(value, Monetary)
        return value

    def _text(self, node: Expression) -> str:
        return str(self._value(node))

    def _account(self, node: Expression) -> str:
        value = self._value(node)
        assert isinstance(value, Account)
        return value

    def _asset(self, node: Expression) -> str:
        """The asset, or the asset of a monetary."""
        value = self._value(first_operand(node))
        assert isinstance(value, Asset | Monetary)
        return value.asset if isinstance(value, Monetary) else value

    # --- statements

    def execute(self, statement: Statement) -> None:
        """Run one statement."""
        match statement:
            case Send():
                self._repay(self._give(statement.destination, self._sent(statement)))
            case Save():
                self._save(statement)
            case Call():
                *rest, key, node = (self._value(argument) for argument in statement.arguments)
                if rest:
                    entries = self.outcome.account_metadata.setdefault(str(rest[0]), {})
                    entries[str(key)] = text_of(node)
                else:
                    self.outcome.transaction_metadata[str(key)] = node
            case Print():
                self.outcome.printed.append(self._value(statement.value))
            case Fail():
                raise _fault("ErrScriptFailed", "script exited with error code")

    def _save(self, save: Save) -> None:
        """Put money aside; only accounts that are sources somewhere have a balance here (13.6)."""
        account = self._account(save.account)
        value = self._value(first_operand(save.sent.asset if isinstance(save.sent, All) else save.sent))
        asset = value.asset if isinstance(value, Monetary) else str(value)
        row = self._balances.get(account, {})
        if asset in row:
            row[asset] = row[asset] - value.amount if isinstance(value, Monetary) else min(0, row[asset])

    # --- sources

    def _sent(self, send: Send) -> Funding:
        if isinstance(send.sent, All):
            return self._source(send.source, self._asset(send.sent.asset))
        asset = self._asset(send.sent)
        if not isinstance(send.source, SourceAllotment):
            funding = self._source(send.source, asset)
            return self._take_from(funding, self._monetary(send.sent), fallback(send.source))
        sent = self._monetary(send.sent)
        joined = Funding(asset, ())
        parts = split(sent.amount, self._shares(send.source.shares))
        for source, part in zip(send.source.sources, parts, strict=True):
            funding = self._source(source, asset)
            taken = self._take_from(funding, Monetary(sent.asset, part), fallback(source))
            joined = joined.then(taken)
        return joined

    def _take_from(self, funding: Funding, wanted: Monetary, account: Expression | None) -> Funding:
        """Exactly what is wanted; what is missing comes from the fallback account, if there is one."""
        if account is not None:
            return self._take_max(funding, wanted, account)
        self._same_asset(funding, wanted)
        self._spend(funding)
        taken, rest = funding.take(wanted.amount)
        self._repay(rest)
        return taken

    def _take_max(self, funding: Funding, wanted: Monetary, account: Expression | None) -> Funding:
        if wanted.amount < 0:
            message = f"cannot send a monetary with a negative amount: [{wanted.asset} {wanted.amount}]"
            raise _fault("untyped", message)
        self._same_asset(funding, wanted)
        self._spend(funding)
        taken, rest = funding.take_max(wanted.amount)
        self._repay(rest)
        if account is None:
            return taken
        missing = wanted.amount - taken.total
        return taken.then(self._withdraw_always(self._account(account), wanted.asset, missing))

    @staticmethod
    def _same_asset(funding: Funding, wanted: Monetary) -> None:
        if funding.asset != wanted.asset:
            message = f"cannot take from different assets: {funding.asset} and {wanted.asset}"
            raise _fault("ErrInvalidScript", message)

    def _source(self, source: SourceTree, asset: str) -> Funding:
        """All that a source has to give; an unbounded one nothing yet."""
        match source:
            case SourceAccount():
                return self._source_account(source, asset)
            case SourceCapped():
                funding = self._source(source.source, asset)
                return self._take_max(funding, self._monetary(source.cap), fallback(source.source))
            case SourceInOrder():
                joined, *others = [self._source(each, asset) for each in source.sources]
                for other in others:
                    self._spend(joined)
                    joined = joined.then(other)
                return joined
            case _:
                raise AssertionError(source)  # the parser makes no other

    def _source_account(self, source: SourceAccount, asset: str) -> Funding:
        account = self._account(source.account)
        if source.unbounded or is_world(source.account):
            return self._withdraw_always(account, asset, 0)
        bound = Monetary(asset, 0) if source.bound is None else self._monetary(source.bound)
        row = self._balances.get(account, {})
        if bound.asset not in row:
            raise _fault("ErrInvalidScript", f"missing {bound.asset} balance from @{account}")
        available = row[bound.asset] + bound.amount
        if available > 0:
            row[bound.asset] = -bound.amount
        return Funding(bound.asset, (Part(account, max(0, available)),))

    def _withdraw_always(self, account: str, asset: str, amount: int) -> Funding:
        self._credit(account, asset, -amount)
        return Funding(asset, (Part(account, amount),))

    def _credit(self, account: str, asset: str, amount: int) -> None:
        """Change a balance, if it is one of those that were asked for."""
        row = self._balances.get(account, {})
        if asset in row:
            row[asset] += amount

    def _repay(self, funding: Funding) -> None:
        for part in funding.parts:
            self._credit(part.account, funding.asset, part.amount)

    def _shares(self, shares: tuple[Share, ...]) -> list[tuple[int, int]]:
        values: list[Fraction | None] = []
        for share in shares:
            value = None if isinstance(share, Remaining) else self._value(share)
            assert value is None or isinstance(value, Fraction)
            values.append(value)
        filled = complete(values)
        if any(numerator < 0 for numerator, _ in filled):
            raise _fault("ErrInvalidScript", "sum of portions exceeded 100%")
        return filled

    def _spend(self, funding: Funding) -> None:
        self._work += len(funding.parts)
        if self._work > WORK:
            raise fail(Fault.LIMIT, limit="too many sources meet too many destinations")

    # --- destinations

    def _give(self, target: Target, funding: Funding) -> Funding:
        """Hand money to a destination; what is left of it, which was kept."""
        match target:
            case DestinationAccount():
                return self._send_all(self._account(target.account), funding)
            case DestinationInOrder():
                return self._give_in_order(target, funding)
            case DestinationAllotment():
                parts = split(funding.total, self._shares(target.shares))
                for each, part in zip(target.targets, parts, strict=True):
                    self._spend(funding)
                    taken, rest = funding.take(part)
                    funding = self._give(each, taken).then(rest)
                return funding
            case _:
                return funding

    def _send_all(self, account: str, funding: Funding) -> Funding:
        taken, rest = funding.take(funding.total)
        for part in taken.parts:
            if account != WORLD:
                self._credit(account, funding.asset, part.amount)
            self.outcome.postings.append(Posting(part.account, account, funding.asset, part.amount))
        return rest

    def _give_in_order(self, target: DestinationInOrder, funding: Funding) -> Funding:
        """What a clause keeps goes back to the front; in the end as much is set aside from the tail."""
        kept = 0
        for clause in target.caps:
            cap = self._monetary(clause.cap)
            if cap.amount < 0:
                message = f"cannot send a monetary with a negative amount: [{cap.asset} {cap.amount}]"
                raise _fault("untyped", message)
            self._same_asset(funding, cap)
            self._spend(funding)
            taken, rest = funding.take_max(cap.amount)
            left = self._give(clause.target, taken)
            kept += left.total
            funding = left.then(rest)
        aside, rest = funding.reversed().take(kept)
        return self._give(target.remaining, rest.reversed()).then(aside.reversed())
