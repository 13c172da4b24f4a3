"""A bank's day with the MilkyWay API, written once for the vendor's package and for Bursar's.

Arguments: name of the package, settings as JSON. Prints what each step gave, a JSON value a line.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any


def tell(step: str, make: Callable[[], Any]) -> None:
    """Print a step's result, or its error as far as both packages document it."""
    try:
        result = make()
    except ValueError:
        result = "ValueError"
    except Exception as error:  # noqa: BLE001 - the packages' errors have no other base in common
        result = {"error": type(error).__name__, **fields(error, "status_code", "message", "response_body")}
    sys.stdout.write(json.dumps([step, result], default=str) + "\n")


def fields(model: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(model, name) for name in names}


def main(package: str, settings: dict[str, Any]) -> None:
    mw = importlib.import_module(package)
    terms = {"third_party_id_debit": "bank/beta", "service_id": "card payout", "recipient_id": "получатель"}
    terms |= {"amount_credit": Decimal("100.00"), "currency_credit": "USD"}
    data = {
        "passport": "AA1234567",
        "limits": [Decimal("1E+3"), {"fee": Decimal("0.10")}],
        "n": 2**70,
        "имя": "Ünï",
    }
    quote_fields = ["third_party_id", "service_id", "recipient_id", "amount_credit", "currency_credit"]
    quote_fields += ["amount_debit", "currency_debit", "rate", "commission"]

    with mw.MilkywayPaymentsClient(mw.MilkywayOptions(**settings)) as client:
        pay = mw.PayRequest(**terms, sender_id="s-1", data=data)
        tell("health", lambda: client.healthcheck("bank/beta", "card payout&x=1"))
        tell("quote", lambda: fields(client.precheck(mw.PrecheckRequest(**terms)), *quote_fields))
        tell("quote with data", lambda: fields(client.precheck(mw.PrecheckRequest(**terms, data={})), "rate"))
        tell("pay", lambda: client.pay(pay, idempotency_key="key-1"))
        tell("pay without key", lambda: client.pay(pay))
        tell("pay with empty key", lambda: client.pay(pay, ""))
        tell("status", lambda: fields(client.postcheck(42), "transaction_id", "status", "error"))
        tell("big id", lambda: client.cancel(9007199254740993).status.name)
        tell("cancel", lambda: client.cancel(42).status)
        soon = mw.PollOptions(initial_delay=0.01)
        tell("wait", lambda: fields(client.wait_for_completion(42, soon), "status", "error"))
        for status in (400, 402, 403, 404, 409):
            tell(f"refused with {status}", partial(client.postcheck, status))
        tell("passing failures", lambda: client.pay(pay, "key-2"))
        tell("keyless failure", lambda: client.pay(pay))
        tell("token refused", lambda: client.postcheck(401).status.name)
        tell("blank argument", lambda: client.healthcheck(" ", "x"))
    tell(
        "blank option",
        lambda: mw.MilkywayPaymentsClient(mw.MilkywayOptions(**{**settings, "client_id": " "})),
    )
    tell("wrong secret", lambda: _refused(mw, settings))


def _refused(mw: Any, settings: dict[str, Any]) -> Any:
    with mw.MilkywayPaymentsClient(mw.MilkywayOptions(**{**settings, "client_secret": "wrong"})) as client:
        return client.postcheck(1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
