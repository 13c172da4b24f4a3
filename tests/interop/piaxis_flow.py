"""Every call of the Piaxis API, written once for the vendor's package and for Bursar's.

Arguments: name of the package, base URL. Prints what each step gave, a JSON value a line.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

PAGE = ("total", "offset", "limit", "results")
WHO = {
    "merchant_id": "m-1",
    "external_user_id": "u 1/é",
    "redirect_uri": "https://shop.example/cb?next=/a&b=c",
}
CODE = {
    "code": "c/1+2",
    "redirect_uri": "http://localhost:9/cb",
    "client_id": "cid",
    "client_secret": "s&=cret é",
}
OAUTH: dict[str, Any] = {"client_id": "cid", "client_secret": "s"}
TERMS = [
    {"type": "manual_release", "data": {}},
    {"type": "time_lock", "data": {"release_after": "2026-06-01"}},
]
PERSON = {"email": "buyer@example.com", "phone_number": "+254700000001", "otp": "123456"}
RECIPIENTS: list[dict[str, Any]] = [
    {"recipient_id": "r-1", "amount": "100000", "reference": "one"},
    {"phone_number": "+254700000002", "email": "x@example.com", "amount": "50000.50"},
]
BATCH: dict[str, Any] = {"recipients": RECIPIENTS, "currency": "UGX", "payment_method": "airtel"}
HELD = {**BATCH, "recipients": [{**each, "terms": TERMS} for each in RECIPIENTS]}
PLACE = {"latitude": 0.312, "longitude": 32.582}
PAYMENT = {
    "amount": "15000",
    "currency": "UGX",
    "payment_method": "mtn",
    "recipient_id": None,
    "user_info": PERSON,
    "products": [{"id": "tea", "price": "10.50", "n": 2}],
    "customer_pays_fees": False,
}
ESCROW = {
    "receiver_id": "m-1",
    "amount": "50000",
    "currency_code": "UGX",
    "payment_method": "mtn",
    "external_order_id": "order-789",
    "metadata": {"channel": "marketplace", "nested": {"n": [1, None, True]}},
    "allocations": [{"allocation_key": "a", "amount": "20000"}, {"allocation_key": "b", "amount": "30000"}],
    "user_info": PERSON,
    "user_location": PLACE,
    "terms": TERMS,
}
RELEASE = {"allocation_keys": ["a"], "amount": "20000", "reason": "shipped", "force": True}
EVIDENCE = {
    "term_type": "meeting_delivery",
    "data": {"buyer_latitude": 0.5, "device_info": {"platform": "x"}},
}
OWN = {
    "headers": {"x-request-id": "trace-1", "api-key": "other", "Accept": "application/vnd.x+json"},
    "timeout": 9.0,
}


def plain(result: Any) -> Any:
    """Bursar's answers as the dictionaries that the vendor gives."""
    if isinstance(result, (str, dict)):
        return result
    return dict(result) if hasattr(result, "keys") else {name: result[name] for name in PAGE}


def steps(client: Any) -> dict[str, Callable[[], Any]]:
    return {
        "url": lambda: client.build_authorize_url(
            **WHO, state="s t", code_challenge="c", code_challenge_method="S256"
        ),
        "authorize": lambda: client.authorize_test(**WHO, state="st"),
        "authorize by group": lambda: client.auth.authorize_test(WHO),
        "exchange": lambda: client.exchange_token(**CODE, code_verifier="v" * 43),
        "exchange by group": lambda: client.auth.exchange_token(CODE),
        "refresh": lambda: client.refresh_token(refresh_token="r+/=", **OAUTH),
        "refresh by group": lambda: client.auth.refresh_token({"refresh_token": "r", **OAUTH}),
        "otp": lambda: client.request_otp({"email": "a@b.example", "phone_number": "+254700000001"}),
        "otp by group": lambda: client.otp.request({"email": "a@b.example"}),
        "pay": lambda: client.create_payment(PAYMENT),
        "pay with code": lambda: client.payments.create(PAYMENT, mfa_code="9876", request_options=OWN),
        "payment": lambda: client.get_payment("p-1", request_options=OWN),
        "payments": lambda: client.list_merchant_payments({"status": "succeeded", "limit": 20, "offset": 0}),
        "all payments": client.payments.list,
        "escrow": lambda: client.create_escrow(ESCROW),
        "get escrow": lambda: client.escrows.get("e-1"),
        "status": lambda: client.get_escrow_status("e-1"),
        "release all": lambda: client.release_escrow("e-1"),
        "release": lambda: client.escrows.release("e-1", payload=RELEASE),
        "fulfil": lambda: client.fulfill_escrow_term("e-1", "t-1", EVIDENCE),
        "fulfil named": lambda: client.escrows.fulfill_term("e-1", "t-1", {**EVIDENCE, "term_id": "t-1"}),
        "reverse": lambda: client.reverse_escrow("e-1", {"reason": "late", "allocation_keys": ["b"]}),
        "dispute": lambda: client.dispute_escrow("e-1", {"reason": "broken", "initiator_role": "sender"}),
        "disburse": lambda: client.disburse(**BATCH, description="weekly"),
        "disburse by group": lambda: client.disbursements.create(BATCH),
        "batch": lambda: client.get_disbursement("b-1"),
        "batches": lambda: client.list_disbursements(
            status="pending", from_date="2026-05-01T00:00:00Z", limit=5
        ),
        "cancel": lambda: client.cancel_disbursement("b-1"),
        "cancel why": lambda: client.disbursements.cancel("b-1", reason="wrong"),
        "hold": lambda: client.escrow_disburse(**HELD, user_location=PLACE),
        "hold by group": lambda: client.escrow_disbursements.create(HELD),
        "held": lambda: client.get_escrow_disbursement("b-1"),
        "held ones": lambda: client.list_escrow_disbursements(status="pending", limit=5, offset=5),
        "release held": lambda: client.release_escrow_disbursement("b-1"),
        "release some": lambda: client.escrow_disbursements.release(
            "b-1", force=True, reason="r", escrow_ids=["e-1"]
        ),
        "cancel held": lambda: client.cancel_escrow_disbursement("b-1"),
        **{
            f"refused {number}": lambda number=number: client.get_payment(f"refused-{number}")
            for number in range(6)
        },
    }


def main(package: str, base_url: str) -> None:
    vendor = importlib.import_module(package)
    settings = {"api_key": "key-1", "access_token": "Bearer at", "piaxis_client_id": "cid"}
    with vendor.PiaxisClient(
        base_url=base_url, app_name="shop", app_version="1", timeout=5.0, **settings
    ) as client:
        for step, act in steps(client).items():
            try:
                result = plain(act())
            except vendor.PiaxisApiError as error:
                names = ("message", "status_code", "code", "details", "request_id")
                result = {name: getattr(error, name) for name in names} | {"text": str(error)}
            sys.stdout.write(json.dumps([step, result], sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
