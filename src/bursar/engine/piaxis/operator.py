"""The back office as methods: what each endpoint of `bursar.piaxis.operator.PiaxisOperator` does, without HTTP.

The caller is an operator; its client id is the name in the audit trail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bursar.engine.books import VOLUMES
from bursar.engine.core import Core
from bursar.engine.currency import to_decimal, to_minor
from bursar.engine.errors import InvalidInput, NotFound
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import (
    audit,
    disputes,
    fees,
    merchants,
    payments,
    providers,
    refunds,
    shown,
    treasury,
)
from bursar.engine.piaxis.escrow_tables import DISPUTES, ESCROWS
from bursar.engine.piaxis.invariants import check
from bursar.engine.piaxis.providers import Behaviour, Handlers, Report, Rule
from bursar.engine.piaxis.tables import (
    ACCOUNTS,
    API_KEYS,
    AUDIT,
    FEES,
    INSTRUCTIONS,
    REFUNDS,
    RULES,
    SUSPENSE,
    Account,
    ApiKey,
    FeeRow,
    Movement,
    Refund,
    RuleRow,
    SuspenseRow,
    packed,
)
from bursar.engine.store.base import Where
from bursar.engine.view import ReadView, View
from bursar.piaxis import operator as contract


class Operator(Protocol):
    """Who calls, as the access token proved."""

    @property
    def client_id(self) -> str:
        """The name in the audit trail."""
        ...


class OperatorService:
    """Serves operators. Every change is one command: all of it is durable when the method returns, or none."""

    def __init__(self, core: Core, handlers: Handlers) -> None:
        self._core = core
        self._handlers = handlers

    # Parties.

    async def create_account(self, caller: Operator, account: contract.NewAccount) -> contract.Account:
        """Add a merchant or user. Raises `Conflict` and `InvalidInput`."""

        def command(view: View) -> Account:
            return merchants.create_account(
                view,
                caller.client_id,
                account.kind.value,
                account.name,
                id=account.id,
                email=account.email,
                phone=account.phone_number,
            )

        if not account.kind.is_known:
            raise InvalidInput("kind is merchant or user")
        return shown.account(await self._core.submit(command), [])

    async def list_accounts(
        self,
        caller: Operator,
        kind: contract.AccountKind | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> contract.Accounts:
        """Return accounts by id."""
        where: dict[str, str] = {} if kind is None else {"kind": kind.value}
        if after is not None:
            where["id >"] = after

        def query(view: ReadView) -> contract.Accounts:
            rows = view.select(ACCOUNTS, where, order=("id",), limit=limit)
            return contract.Accounts([shown.account(row, _balances(view, row.id)) for row in rows])

        return await self._core.read(query)

    async def get_account(self, caller: Operator, account: str) -> contract.Account:
        """Return an account. Raises `NotFound`."""

        def query(view: ReadView) -> contract.Account:
            return shown.account(merchants.known_account(view, account), _balances(view, account))

        return await self._core.read(query)

    async def disable_account(self, caller: Operator, account: str, why: contract.Why) -> contract.Account:
        """Close an account. Raises `NotFound`."""
        return await self._set_disabled(caller, account, why, disabled=True)

    async def enable_account(self, caller: Operator, account: str, why: contract.Why) -> contract.Account:
        """Open an account again. Raises `NotFound`."""
        return await self._set_disabled(caller, account, why, disabled=False)

    async def set_profile(
        self, caller: Operator, account: str, changes: contract.Profile
    ) -> contract.Account:
        """Change a merchant's profile. Raises `NotFound` and `InvalidInput`."""
        given: dict[str, Any] = {
            name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not None
        }
        if changes.mfa_above is not None:
            given["mfa_above"] = {
                currency: to_minor(amount, currency, "/mfa_above")
                for currency, amount in changes.mfa_above.items()
            }
        await self._core.submit(lambda view: merchants.set_profile(view, caller.client_id, account, given))
        return await self.get_account(caller, account)

    async def create_key(self, caller: Operator, account: str, key: contract.NewKey) -> contract.ApiKey:
        """Make an API key and show it. Raises `NotFound`."""

        def command(view: View) -> tuple[ApiKey, str]:
            made = merchants.new_key(view)
            who = caller.client_id
            row = merchants.add_key(view, who, account, made, label=key.label, owner=key.owner)
            return row, made

        return shown.api_key(*await self._core.submit(command))

    async def list_keys(self, caller: Operator, account: str) -> contract.ApiKeys:
        """Return a merchant's keys. Raises `NotFound`."""

        def query(view: ReadView) -> contract.ApiKeys:
            merchants.merchant_account(view, account)
            rows = view.select(API_KEYS, {"merchant": account}, order=("created_at", "id"))
            return contract.ApiKeys([shown.api_key(row) for row in rows])

        return await self._core.read(query)

    async def revoke_key(self, caller: Operator, key: str) -> contract.ApiKey:
        """End an API key. Raises `NotFound`."""
        found = await self._core.read(lambda view: view.select(API_KEYS, {"id": key}, limit=1))
        if not found:
            raise NotFound(f"there is no API key {key}")
        row = await self._core.submit(lambda view: merchants.revoke_key(view, caller.client_id, found[0]))
        return shown.api_key(row)

    # The platform's money.

    async def fund_wallet(self, caller: Operator, order: contract.WalletOrder) -> contract.Movement:
        """Book money paid in. Raises `NotFound` and `InvalidInput`."""
        return await self._move(caller, order, order.account, treasury.fund)

    async def withdraw_wallet(self, caller: Operator, order: contract.WalletOrder) -> contract.Movement:
        """Book money paid out. Raises `NotFound`, `InvalidInput`, and `Refusal` when the wallet cannot pay."""
        return await self._move(caller, order, order.account, treasury.withdraw)

    async def top_up_rail(self, caller: Operator, order: contract.RailOrder) -> contract.Movement:
        """Book money moved to a float. Raises `InvalidInput`."""
        return await self._move(caller, order, _rail(order.rail), treasury.top_up)

    async def charge_rail(self, caller: Operator, order: contract.RailOrder) -> contract.Movement:
        """Book what a provider charged. Raises `InvalidInput`."""
        return await self._move(caller, order, _rail(order.rail), treasury.charge)

    # Fees and providers.

    async def put_fee(
        self, caller: Operator, kind: str, method: str, currency: str, settings: contract.FeeSettings
    ) -> contract.Fee:
        """Set a fee rule. Raises `InvalidInput`."""
        maximum = settings.maximum
        row = FeeRow(
            kind=kind,
            method=method,
            currency=currency,
            percent=f"{settings.percent:f}",
            fixed=to_minor(settings.fixed, currency, "/fixed"),
            minimum=to_minor(settings.minimum, currency, "/minimum"),
            maximum=None if maximum is None else to_minor(maximum, currency, "/maximum"),
        )
        await self._core.submit(lambda view: fees.put_fee(view, caller.client_id, row))
        return shown.fee(row)

    async def list_fees(self, caller: Operator) -> contract.Fees:
        """Return all fee rules."""
        rows = await self._core.read(lambda view: view.select(FEES))
        return contract.Fees([shown.fee(row) for row in rows])

    async def put_provider_rules(
        self, caller: Operator, rail: contract.ProviderName, rules: contract.ProviderRules
    ) -> contract.ProviderRules:
        """Replace a provider's rules. Raises `InvalidInput`."""
        name, row = _rail(rail), packed([_rule(each) for each in rules.rules])

        def command(view: View) -> None:
            view.put(RULES, RuleRow(name, row))
            audit.record(view, caller.client_id, "put-provider-rules", f"rail:{name}", count=len(rules.rules))

        await self._core.submit(command)
        return rules

    async def list_provider_rules(
        self, caller: Operator, rail: contract.ProviderName
    ) -> contract.ProviderRules:
        """Return a provider's rules. Raises `InvalidInput`."""
        row = await self._core.read(lambda view: view.get(RULES, _rail(rail)))
        rules = providers.read_rules(None if row is None else row.rules)
        return contract.ProviderRules(
            [
                contract.ProviderRule(
                    behaviour=rule.behaviour.value, phone=rule.phone, direction=rule.direction
                )
                for rule in rules
            ]
        )

    async def list_unknown(self, caller: Operator, limit: int = 100) -> contract.Instructions:
        """Return instructions whose outcome is unknown, oldest first."""
        where: Where = {"outcome": None, "unknown_at >": 0}
        order = ("unknown_at", "id")
        rows = await self._core.read(lambda view: view.select(INSTRUCTIONS, where, order=order, limit=limit))
        return contract.Instructions([shown.instruction(row) for row in rows])

    async def report_outcome(
        self, caller: Operator, instruction: str, evidence: contract.Evidence
    ) -> contract.Instruction:
        """Take evidence of an outcome. Raises `NotFound`."""
        told = Report("succeeded" if evidence.result == "succeeded" else "failed", evidence.error)

        def command(view: View) -> contract.Instruction:
            row = providers.report(view, self._handlers, instruction, told)
            audit.record(
                view,
                caller.client_id,
                "report-outcome",
                f"{row.owner_kind}:{row.owner_id}",
                evidence.reason,
                instruction=instruction,
                result=told.result,
            )
            return shown.instruction(row)

        return await self._core.submit(command)

    # What is left open.

    async def list_suspense(self, caller: Operator, limit: int = 100) -> contract.SuspenseRows:
        """Return open suspense, oldest first."""
        where: Where = {"resolved_at": None}
        rows = await self._core.read(
            lambda view: view.select(SUSPENSE, where, order=("at", "id"), limit=limit)
        )
        return contract.SuspenseRows([shown.suspense(row) for row in rows])

    async def settle_suspense(
        self, caller: Operator, suspense: str, decision: contract.SuspenseDecision
    ) -> contract.Suspense:
        """Decide whose money it is. Raises `Refusal` and `NotFound`."""

        def command(view: View) -> SuspenseRow:
            who, why = caller.client_id, decision.reason
            return treasury.settle_suspense(view, who, suspense, decision.account, why)

        return shown.suspense(await self._core.submit(command))

    async def return_suspense(self, caller: Operator, suspense: str, why: contract.Why) -> contract.Suspense:
        """Send money back. Raises `Refusal`."""
        row = await self._core.submit(
            lambda view: treasury.return_suspense(view, caller.client_id, suspense, why.reason)
        )
        return shown.suspense(row)

    async def list_refunds(
        self, caller: Operator, status: str = refunds.PAYABLE, limit: int = 100
    ) -> contract.Refunds:
        """Return refunds of a status, oldest first."""
        order = ("created_at", "id")
        rows = await self._core.read(
            lambda view: view.select(REFUNDS, {"status": status}, order=order, limit=limit)
        )
        return contract.Refunds([shown.refund(row) for row in rows])

    async def retry_refund(
        self, caller: Operator, refund: str, order: contract.RetryRefund
    ) -> contract.Refund:
        """Pay a refund out again. Raises `Refusal`."""
        rail = None if order.rail is None else _rail(order.rail)

        def command(view: View) -> Refund:
            who, why = caller.client_id, order.reason
            return refunds.retry(view, who, refund, why, rail=rail, phone=order.phone_number)

        return shown.refund(await self._core.submit(command))

    async def credit_refund(
        self, caller: Operator, refund: str, order: contract.CreditRefund
    ) -> contract.Refund:
        """Put a refund into a wallet. Raises `Refusal` and `NotFound`."""
        row = await self._core.submit(
            lambda view: refunds.credit(view, caller.client_id, refund, order.account, order.reason)
        )
        return shown.refund(row)

    async def refund_payment(
        self, caller: Operator, payment: str, why: contract.Why
    ) -> contract.RefundedPayment:
        """Give a payment back. Raises `Refusal`."""
        row = await self._core.submit(
            lambda view: payments.refund(view, caller.client_id, payment, why.reason)
        )
        return shown.refunded(row)

    # Disputes.

    async def list_disputes(self, caller: Operator, limit: int = 100) -> contract.Disputes:
        """Return open disputes, oldest first."""

        def query(view: ReadView) -> contract.Disputes:
            where: Where = {"outcome": None}
            rows = view.select(DISPUTES, where, order=("opened_at", "id"), limit=limit)
            return contract.Disputes([shown.dispute(row, view.get(ESCROWS, row.escrow)) for row in rows])

        return await self._core.read(query)

    async def resolve_dispute(
        self, caller: Operator, dispute: str, resolution: contract.Resolution
    ) -> contract.Dispute:
        """Divide what is held. Raises `Refusal` and `InvalidInput`."""

        def command(view: View) -> contract.Dispute:
            escrow = view.get(ESCROWS, disputes.known(view, dispute).escrow)
            currency = "" if escrow is None else escrow.currency
            release = to_minor(resolution.release, currency, "/release")
            reverse = to_minor(resolution.reverse, currency, "/reverse")
            why = resolution.reason
            row, whole = disputes.resolve(view, caller.client_id, dispute, release, reverse, why)
            return shown.dispute(row, whole.row)

        return await self._core.submit(command)

    async def dismiss_dispute(self, caller: Operator, dispute: str, why: contract.Why) -> contract.Dispute:
        """Let the escrow go on. Raises `Refusal`."""

        def command(view: View) -> contract.Dispute:
            row, whole = disputes.dismiss(view, caller.client_id, dispute, why.reason)
            return shown.dispute(row, whole.row)

        return await self._core.submit(command)

    # The books.

    async def list_audit(
        self, caller: Operator, before: int | None = None, limit: int = 100
    ) -> contract.AuditTrail:
        """Return the audit trail, newest first."""
        where: Where = {} if before is None else {"id <": before}
        rows = await self._core.read(lambda view: view.select(AUDIT, where, order=("-id",), limit=limit + 1))
        following = rows[limit - 1].id if len(rows) > limit else None
        return contract.AuditTrail([shown.audit_entry(row) for row in rows[:limit]], following)

    async def trial_balance(self, caller: Operator) -> contract.TrialBalance:
        """Return every account, the sums by currency, and what the invariants say."""
        return await self._core.read(_trial_balance)

    async def _set_disabled(
        self, caller: Operator, account: str, why: contract.Why, *, disabled: bool
    ) -> contract.Account:
        await self._core.submit(
            lambda view: merchants.set_disabled(
                view, caller.client_id, account, why.reason, disabled=disabled
            )
        )
        return await self.get_account(caller, account)

    async def _move(
        self,
        caller: Operator,
        order: contract.WalletOrder | contract.RailOrder,
        party: str,
        operation: Callable[[View, str, str, int, str, str], Movement],
    ) -> contract.Movement:
        amount = _amount(order.amount, order.currency)
        row = await self._core.submit(
            lambda view: operation(view, caller.client_id, party, amount, order.currency, order.reason)
        )
        return shown.movement(row)


def _rail(rail: contract.ProviderName) -> str:
    if not rail.is_known:
        raise InvalidInput(f"a provider is one of {', '.join(providers.PROVIDERS)}")
    return rail.value


def _rule(rule: contract.ProviderRule) -> Rule:
    try:
        behaviour = Behaviour(rule.behaviour)
    except ValueError:
        known = ", ".join(each.value for each in Behaviour)
        raise InvalidInput(f"there is no behaviour {rule.behaviour}; known are {known}") from None
    return Rule(behaviour, rule.phone, rule.direction)


def _amount(amount: Decimal, currency: str) -> int:
    units = to_minor(amount, currency, "/amount")
    if not 0 < units < 2**63:
        raise InvalidInput("amount must be more than 0, and fit into 63 bits of minor units")
    return units


def _balances(view: ReadView, account: str) -> list[contract.Balance]:
    """A wallet in each currency that it ever had."""
    names = {book.available(account): 0, book.held(account): 1}
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, place in names.items():
        for row in view.select(VOLUMES, {"ledger": book.LEDGER, "account": name}):
            found[row.asset.partition("/")[0]][place] = row.input - row.output
    return [
        contract.Balance(currency, to_decimal(available, currency), to_decimal(held, currency))
        for currency, (available, held) in sorted(found.items())
    ]


def _trial_balance(view: ReadView) -> contract.TrialBalance:
    accounts: list[contract.AccountBalance] = []
    sums: defaultdict[str, int] = defaultdict(int)
    for row in view.scan(VOLUMES, book.LEDGER):
        currency, balance = row.asset.partition("/")[0], row.input - row.output
        sums[currency] += balance
        accounts.append(contract.AccountBalance(row.account, currency, to_decimal(balance, currency)))
    return contract.TrialBalance(
        accounts=accounts,
        sums={currency: to_decimal(total, currency) for currency, total in sorted(sums.items())},
        problems=[str(damage) for damage in check(view)],
    )
