"""Calls of the wallets service."""

from typing import Any

from bursar.formance.wallets.models import (
    AccountSubject,
    Amount,
    Credit,
    Debit,
    HoldConfirmation,
    NewBalance,
    NewWallet,
    WalletPatch,
    WalletSubject,
)
from tests.formance.case import KEY, TAGS, TEXT, WHEN, Case

_SERVICE = "/api/wallets"
_WALLET = f"{_SERVICE}/wallets/w"
_HOLD = f"{_SERVICE}/holds/h"
_BIG = 10**30
_AMOUNT = {"asset": "USD/2", "amount": _BIG}
_SUBJECTS: list[dict[str, Any]] = [
    {"type": "ACCOUNT", "identifier": "bank"},
    {"type": "WALLET", "identifier": "other", "balance": "side"},
]
_CREDIT: dict[str, Any] = {
    "amount": _AMOUNT,
    "metadata": TAGS,
    "sources": _SUBJECTS,
    "balance": "side",
    "reference": "r",
    "timestamp": TEXT,
}
_DEBIT: dict[str, Any] = {
    "amount": _AMOUNT,
    "metadata": TAGS,
    "pending": True,
    "description": "d",
    "destination": _SUBJECTS[1],
    "balances": ["side", "main"],
    "timestamp": TEXT,
}

WALLETS = [
    Case(
        "wallets.v1.get_server_info_wallets",
        lambda c: c.wallets.v1.get_server_info_wallets(),
        "GET",
        f"{_SERVICE}/_info",
    ),
    Case(
        "wallets.v1.create_wallet",
        lambda c: c.wallets.v1.create_wallet(NewWallet(name="n", metadata=TAGS), idempotency_key=KEY),
        "POST",
        f"{_SERVICE}/wallets",
        body={"name": "n", "metadata": TAGS},
        key=KEY,
        vendor={"create_wallet_request": {"name": "n", "metadata": TAGS}, "idempotency_key": KEY},
    ),
    Case(
        "wallets.v1.create_wallet",
        lambda c: c.wallets.v1.create_wallet(),
        "POST",
        f"{_SERVICE}/wallets",
        vendor={"create_wallet_request": None},
    ),
    Case(
        "wallets.v1.list_wallets",
        lambda c: c.wallets.v1.list_wallets(
            name="n", metadata=TAGS, expand="balances", page_size=10, cursor="c"
        ),
        "GET",
        f"{_SERVICE}/wallets",
        {"name": "n", "metadata[tier]": "gold", "expand": "balances", "pageSize": "10", "cursor": "c"},
        vendor={"name": "n", "metadata": TAGS, "expand": "balances", "page_size": 10, "cursor": "c"},
    ),
    Case(
        "wallets.v1.get_wallet",
        lambda c: c.wallets.v1.get_wallet("w"),
        "GET",
        _WALLET,
        vendor={"id": "w"},
    ),
    Case(
        "wallets.v1.update_wallet",
        lambda c: c.wallets.v1.update_wallet("w", WalletPatch(metadata=TAGS), idempotency_key=KEY),
        "PATCH",
        _WALLET,
        body={"metadata": TAGS},
        key=KEY,
        vendor={"id": "w", "request_body": {"metadata": TAGS}, "idempotency_key": KEY},
    ),
    Case(
        "wallets.v1.get_wallet_summary",
        lambda c: c.wallets.v1.get_wallet_summary("w"),
        "GET",
        f"{_WALLET}/summary",
        vendor={"id": "w"},
    ),
    Case(
        "wallets.v1.credit_wallet",
        lambda c: c.wallets.v1.credit_wallet(
            "w",
            Credit(
                amount=Amount("USD/2", _BIG),
                metadata=TAGS,
                sources=[
                    AccountSubject(identifier="bank"),
                    WalletSubject(identifier="other", balance="side"),
                ],
                balance="side",
                reference="r",
                timestamp=WHEN,
            ),
            idempotency_key=KEY,
        ),
        "POST",
        f"{_WALLET}/credit",
        body=_CREDIT,
        key=KEY,
        vendor={"id": "w", "credit_wallet_request": _CREDIT, "idempotency_key": KEY},
    ),
    Case(
        "wallets.v1.debit_wallet",
        lambda c: c.wallets.v1.debit_wallet(
            "w",
            Debit(
                amount=Amount("USD/2", _BIG),
                metadata=TAGS,
                pending=True,
                description="d",
                destination=WalletSubject(identifier="other", balance="side"),
                balances=["side", "main"],
                timestamp=WHEN,
            ),
            idempotency_key=KEY,
        ),
        "POST",
        f"{_WALLET}/debit",
        body=_DEBIT,
        key=KEY,
        vendor={"id": "w", "debit_wallet_request": _DEBIT, "idempotency_key": KEY},
    ),
    Case(
        "wallets.v1.debit_wallet",
        lambda c: c.wallets.v1.debit_wallet("w", Debit(amount=Amount("USD/2", 1), reference="r")),
        "POST",
        f"{_WALLET}/debit",
        body={"amount": {"asset": "USD/2", "amount": 1}, "reference": "r"},
        vendor={
            "id": "w",
            "debit_wallet_request": {
                "amount": {"asset": "USD/2", "amount": 1},
                "metadata": {},
                "reference": "r",
            },
        },
        differs="the server wants no metadata, and takes a reference",
    ),
    Case(
        "wallets.v1.create_balance",
        lambda c: c.wallets.v1.create_balance(
            "w", NewBalance(name="side", expires_at=WHEN, priority=5), idempotency_key=KEY
        ),
        "POST",
        f"{_WALLET}/balances",
        body={"name": "side", "expiresAt": TEXT, "priority": 5},
        key=KEY,
        vendor={
            "id": "w",
            "balance": {"name": "side", "expires_at": TEXT, "priority": 5},
            "idempotency_key": KEY,
        },
    ),
    Case(
        "wallets.v1.list_balances",
        lambda c: c.wallets.v1.list_balances("w"),
        "GET",
        f"{_WALLET}/balances",
        vendor={"id": "w"},
    ),
    Case(
        "wallets.v1.list_balances",
        lambda c: c.wallets.v1.list_balances("w", page_size=10, cursor="c"),
        "GET",
        f"{_WALLET}/balances",
        {"pageSize": "10", "cursor": "c"},
        vendor={"id": "w"},
        differs="the server has pages",
    ),
    Case(
        "wallets.v1.get_balance",
        lambda c: c.wallets.v1.get_balance("w", "side"),
        "GET",
        f"{_WALLET}/balances/side",
        vendor={"id": "w", "balance_name": "side"},
    ),
    Case(
        "wallets.v1.get_holds",
        lambda c: c.wallets.v1.get_holds(wallet_id="w", metadata=TAGS, page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/holds",
        {"walletID": "w", "metadata[tier]": "gold", "pageSize": "10", "cursor": "c"},
        vendor={"wallet_id": "w", "metadata": TAGS, "page_size": 10, "cursor": "c"},
    ),
    Case(
        "wallets.v1.get_hold",
        lambda c: c.wallets.v1.get_hold("h"),
        "GET",
        _HOLD,
        vendor={"hold_id": "h"},
    ),
    Case(
        "wallets.v1.confirm_hold",
        lambda c: c.wallets.v1.confirm_hold(
            "h", HoldConfirmation(amount=_BIG, final=True), idempotency_key=KEY
        ),
        "POST",
        f"{_HOLD}/confirm",
        body={"amount": _BIG, "final": True},
        key=KEY,
        vendor={
            "hold_id": "h",
            "confirm_hold_request": {"amount": _BIG, "final": True},
            "idempotency_key": KEY,
        },
    ),
    Case(
        "wallets.v1.void_hold",
        lambda c: c.wallets.v1.void_hold("h", idempotency_key=KEY),
        "POST",
        f"{_HOLD}/void",
        key=KEY,
        vendor={"hold_id": "h", "idempotency_key": KEY},
    ),
    Case(
        "wallets.v1.get_transactions",
        lambda c: c.wallets.v1.get_transactions(wallet_id="w", page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/transactions",
        {"walletID": "w", "pageSize": "10", "cursor": "c"},
        vendor={"wallet_id": "w", "page_size": 10, "cursor": "c"},
    ),
]
