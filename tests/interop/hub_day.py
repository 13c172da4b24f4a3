"""A bank's day at a real hub, written once for the vendor's package and for Bursar's.

Arguments: name of the package, URL of a sandbox. Prints what each step gave, a JSON value a line. At the step named
"pause" it waits for a line on standard input, so that somebody can revoke its token meanwhile.
"""

from __future__ import annotations

import importlib
import json
import sys
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from typing import Any

TOKEN_PATH = "/milkyway/realms/sandbox/protocol/openid-connect/token"


def main(package: str, url: str) -> None:
    mw = importlib.import_module(package)
    options = mw.MilkywayOptions(
        base_url=f"{url}/milkyway",
        token_url=url + TOKEN_PATH,
        client_id="bank-alpha",
        client_secret="alpha-secret",
        retry_base_delay=0.01,
    )
    with mw.MilkywayPaymentsClient(options) as client:
        _day(mw, client, url)


def _day(mw: Any, client: Any, url: str) -> None:
    def request(recipient: str = "recipient-1", amount: str = "100.00", **changes: Any) -> Any:
        terms = {"third_party_id_debit": "bank-beta", "service_id": "card-payout", "sender_id": "s-1"}
        terms |= {"data": {"passport": "AA1234567"}, "currency_credit": "USD", **changes}
        return mw.PayRequest(recipient_id=recipient, amount_credit=Decimal(amount), **terms)

    def finished(payment: int) -> list[Any]:
        result = client.wait_for_completion(payment, mw.PollOptions(initial_delay=0.05, max_delay=0.2))
        return [result.status.name, result.error]

    ids: list[int] = []

    def pay(*args: Any, key: str | None = None, **changes: Any) -> int:
        """Number of the payment in order of appearance: ids themselves are random."""
        payment = client.pay(request(*args, **changes), idempotency_key=key)
        if payment not in ids:
            ids.append(payment)
        return ids.index(payment)

    tell("health", lambda: client.healthcheck("bank-beta", "card-payout"))
    tell("unknown service", lambda: client.healthcheck("bank-beta", "nothing"))
    tell("quote", lambda: quoted(client, mw))
    tell("pay", lambda: pay(key="k-1"))
    tell("done", lambda: finished(ids[0]))
    tell("replay", lambda: [pay(key="k-1") for _ in range(5)])
    tell("replay, zeros", lambda: pay("recipient-1", "100", key="k-1"))
    tell("replay, other amount", lambda: pay("recipient-1", "100.01", key="k-1"))
    tell("without key", lambda: [pay(), pay()])
    tell("declined", lambda: finished(ids[pay("decline-1", key="k-2")]))
    tell("cancelled", lambda: cancelled(client, ids[pay("slow-1", key="k-3")], finished))
    tell("cancelled again", lambda: client.cancel(ids[-1]).status.name)
    tell("cancel of a done one", lambda: client.cancel(ids[0]).status.name)
    tell("blocked by the limit", lambda: pay("recipient-1", "9999.00", key="k-4"))
    tell("the key is free after that", lambda: pay("recipient-1", "1.00", key="k-4"))
    tell("bad passport", lambda: pay(data={"passport": 7}))
    tell("too many decimals", lambda: pay("recipient-1", "1.001"))
    tell("no rate", lambda: pay(currency_credit="CHF"))
    tell("unknown recipient", lambda: pay("unknown-1"))
    tell("foreign", lambda: finished(1))
    tell("silent", lambda: pay("silent-1", key="k-5"))
    sys.stdout.flush()
    if sys.stdin.readline().strip() == "advance":
        advance(
            url, 16 * 60
        )  # the bank's deadline and the token's end pass; the client does not know of the latter
    tell("stuck", lambda: client.postcheck(ids[-1]).status.name)
    tell("pay with a new token", lambda: pay(key="k-6"))


def quoted(client: Any, mw: Any) -> list[str]:
    quote = client.precheck(
        mw.PrecheckRequest(
            third_party_id_debit="bank-beta",
            service_id="card-payout",
            recipient_id="recipient-1",
            amount_credit=Decimal("100.00"),
            currency_credit="USD",
            data={"passport": "AA1234567"},
        )
    )
    return [str(part) for part in (quote.rate, quote.amount_debit, quote.currency_debit, quote.commission)]


def cancelled(client: Any, payment: int, finished: Callable[[int], list[Any]]) -> list[Any]:
    """At once before the bank got the instruction; on a slow machine it did, and agrees a moment later."""
    client.cancel(payment)
    return finished(payment)


def advance(url: str, seconds: int) -> None:
    body = json.dumps({"seconds": seconds}).encode()
    urllib.request.urlopen(f"{url}/_bursar/clock/advance", body).close()


def tell(step: str, make: Callable[[], Any]) -> None:
    try:
        result = make()
    except Exception as error:  # the packages' errors have no other base in common
        if not hasattr(error, "status_code"):
            raise
        result = [type(error).__name__, vars(error).get("status_code"), str(vars(error).get("message"))]
    sys.stdout.write(json.dumps([step, result]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
