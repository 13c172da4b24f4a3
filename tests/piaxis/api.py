"""A scripted Piaxis API, one face for clients of both colours, and answers in the documented form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bursar.piaxis import AsyncPiaxisClient, PiaxisClient
from tests.client.server import Action, Recorded, Server, reply

ESCROW_ID = "0b8a5c1e-27a9-4f55-9a1c-0d4e6f0c1a11"
TERM_ID = "5f1d9a52-9e0b-4a3e-8c77-6a2f4a9d7b22"
BATCH_ID = "a3f6c2d4-1b7e-4c58-b9f0-2e5d8a6c4f33"
PAYMENT_ID = "c9d1e7f0-5a3b-4d2c-8e6f-7b1a9c0d2e44"

TOKENS = {"access_token": "at-1", "token_type": "bearer", "expires_in": 3600, "refresh_token": "rt-1"}
SUMMARY = {
    "total_count": 2,
    "pending_count": 1,
    "released_count": 1,
    "reversed_count": 0,
    "pending_amount": "700.00",
    "released_amount": "500.00",
    "reversed_amount": "0.00",
}
SLICES = [
    {
        "allocation_key": "a",
        "amount": "500.00",
        "status": "released",
        "seller_reference": "s-a",
    },
    {"allocation_key": "b", "amount": "700.00", "status": "pending", "metadata": {"sku": "B"}},
]
PAYMENT: dict[str, Any] = {
    "id": PAYMENT_ID,
    "status": "pending",
    "amount": "1,234,567.89",
    "currency": "KES",
    "payment_method": "airtel",
    "created_at": "2026-05-02T08:30:00Z",
    "reference": "order-1",
    "receipt": None,
    "merchant_details": {"id": "m-1", "business_name": "Shop"},
    "recipient_details": None,
    "product_details": {"id": "p-1", "name": "Tea", "price": "1,000.00"},
    "chain_payment_details": None,
    "transaction_details": {"id": "t-1", "status": "pending", "provider_reference": None},
}
ITEM: dict[str, Any] = {
    "payment_id": PAYMENT_ID,
    "status": "succeeded",
    "amount": "750.00",
    "currency": "KES",
    "payment_method": "mtn",
    "date": "2026-05-02T08:30:00Z",
    "payer": {"id": None, "email": "b@example.com", "phone": "+254700000001", "type": "unregistered"},
    "recipient": None,
}
ESCROW: dict[str, Any] = {
    "id": ESCROW_ID,
    "amount": "1200.00",
    "currency_code": "KES",
    "status": "pending",
    "payment_method": "mtn",
    "sender_id": None,
    "receiver_id": "m-1",
    "created_at": "2026-05-02T08:30:00Z",
    "updated_at": "2026-05-02T08:31:00Z",
    "terms": [{"term_id": TERM_ID, "type": "manual_release", "data": {}}],
    "products": [],
    "location": None,
    "required_actions": None,
    "external_user_id": None,
    "balance_escrow_in": "1200.00",
    "balance_escrow_out": "500.00",
    "metadata": {"channel": "web"},
    "allocations": SLICES,
    "allocation_summary": SUMMARY,
}
STATE = {
    "escrow_id": ESCROW_ID,
    "status": "pending",
    "amount": "1200.00",
    "currency": "KES",
    "payment_method": "mtn",
    "created_at": "2026-05-02T08:30:00Z",
    "buyer_info": {
        "type": "unregistered",
        "email": "b@example.com",
        "phone_number": "+254700000001",
        "verified": True,
    },
    "terms": [{"term_id": TERM_ID, "term_type": "manual_release", "is_met": False, "met_at": None}],
    "all_terms_met": False,
}
BATCH: dict[str, Any] = {
    "disbursement_id": BATCH_ID,
    "status": "pending",
    "total_amount": "900.00",
    "currency": "KES",
    "recipient_count": 3,
    "successful_count": 1,
    "failed_count": 0,
    "pending_count": 0,
}
DETAIL = {
    **BATCH,
    "payment_method": "mtn",
    "description": None,
    "created_at": "2026-05-02T08:30:00Z",
    "completed_at": None,
    "cancelled_at": None,
    "cancellation_reason": None,
    "items": [{"recipient_id": "r-1", "amount": "900.00", "status": "pending"}],
}
ESCROW_BATCH = {
    **BATCH,
    "escrow_items": [
        {
            "recipient_id": "r-1",
            "email": None,
            "phone_number": None,
            "amount": "900.00",
            "escrow_id": ESCROW_ID,
            "status": "pending",
            "terms_count": 1,
            "reference": None,
        }
    ],
    "description": None,
    "created_at": "2026-05-02T08:30:00Z",
}
ACTED = {
    "escrow_id": ESCROW_ID,
    "amount": "500.00",
    "reason": None,
    "allocation_keys": ["a"],
    "allocation_summary": SUMMARY,
}
QUOTE = {
    "currency": "KES",
    "total_amount": "900.00",
    "total_fees": "9.00",
    "total_debit": "909.00",
    "recipient_count": 1,
    "items": [{"recipient_id": "r-1", "amount": "900.00", "fee": "9.00"}],
    "expires_at": "2026-05-02T08:45:00Z",
}
AUTHORIZED = {
    "redirect_url": "https://shop.example/cb?code=c-1",
    "code": "c-1",
    "next_step": "POST /api/token",
    "token_parameters": {
        "grant_type": "authorization_code",
        "code": "c-1",
        "redirect_uri": "https://shop.example/cb",
        "client_id": "client-1",
        "client_secret": "secret-1",
    },
}
SESSION = {
    "session_id": "gid/1",
    "status": "resolved",
    "amount": "10000.00",
    "currency": "UGX",
    "store_name": "Shop",
    "shop_domain": "shop.example",
    "test_mode": True,
    "methods": ["mtn"],
    "reject_reason": None,
}
RELEASED_BATCH = {
    "disbursement_id": BATCH_ID,
    "force": False,
    "reason": None,
    "released_count": 1,
    "skipped_count": 1,
    "failed_count": 0,
    "released": [{"item_id": "i-1", "escrow_id": ESCROW_ID, "status": "released"}],
    "skipped": [{"item_id": "i-2", "escrow_id": "e-2", "status": "pending", "reason": "terms unmet"}],
    "failed": [],
}


def page(*results: Any, total: int | None = None, offset: int = 0) -> dict[str, Any]:
    return {
        "total": len(results) if total is None else total,
        "offset": offset,
        "limit": 50,
        "results": [*results],
    }


ANSWERS: dict[tuple[str, str], Any] = {
    ("GET", "/authorize"): AUTHORIZED,
    ("POST", "/token"): TOKENS,
    ("POST", "/request-otp"): {
        "verification_methods": {"email_sent": True, "phone_sent": False},
        "expires_in": 300,
        "otp": "246810",
    },
    ("POST", "/payments/create"): {
        "payment_id": PAYMENT_ID,
        "status": "pending",
        "amount": "15,000.00",
        "currency": "UGX",
    },
    ("GET", "/payments/*"): PAYMENT,
    ("GET", "/merchant-payments"): page(ITEM),
    ("POST", "/escrows/"): ESCROW,
    ("GET", "/escrows/*"): ESCROW,
    ("GET", "/escrows/*/status"): STATE,
    ("POST", "/escrows/*/release"): {**ACTED, "status": "released", "force": False},
    ("POST", "/escrows/*/reverse"): {**ACTED, "status": "reversed"},
    ("POST", "/escrows/*/terms/*/fulfill"): {"status": "success", "message": "noted"},
    ("POST", "/escrows/*/disputes"): {"message": "opened", "dispute_id": "d-1", "initiator_role": "sender"},
    ("POST", "/disbursements"): BATCH,
    ("POST", "/disbursements/quote"): QUOTE,
    ("GET", "/disbursements"): page(BATCH),
    ("GET", "/disbursements/*"): DETAIL,
    ("POST", "/disbursements/*/cancel"): {**BATCH, "status": "cancelled"},
    ("POST", "/escrow-disbursements"): ESCROW_BATCH,
    ("GET", "/escrow-disbursements"): page(
        {**BATCH, "description": None, "created_at": "2026-05-02T08:30:00Z"}
    ),
    ("GET", "/escrow-disbursements/*"): ESCROW_BATCH,
    ("POST", "/escrow-disbursements/*/release"): RELEASED_BATCH,
    ("POST", "/escrow-disbursements/*/cancel"): {
        **BATCH,
        "status": "cancelled",
        "cancelled_at": "2026-05-02T09:00:00Z",
        "cancellation_reason": None,
    },
    ("POST", "/platforms/shopify/connect"): {
        "install_url": "https://shop.example/install",
        "shop_domain": "shop.example",
        "payment_mode": "direct",
    },
    ("DELETE", "/platforms/shopify/connect/*"): {"shop_domain": "shop.example", "status": "disabled"},
    ("GET", "/platforms/shopify/sessions/*"): SESSION,
}
PREFIX = "/piaxis/api"
Step = Action | Callable[[Recorded], Action]


def usual(request: Recorded) -> Action:
    """What an API without troubles answers."""
    parts = request.path.removeprefix(PREFIX).split("/")
    for (verb, pattern), answer in ANSWERS.items():
        wanted = pattern.split("/")
        fits = len(wanted) == len(parts) and all(map(_fits, wanted, parts))
        if verb == request.method and fits:
            return reply(answer)
    return reply({"detail": "Not Found"}, 404)


def _fits(wanted: str, part: str) -> bool:
    return wanted in ("*", part)


class Api:
    """Answers calls with `steps`, the last one again and again; without steps as the API does."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.server = Server(self._answer)

    @property
    def url(self) -> str:
        return self.server.url + PREFIX

    @property
    def calls(self) -> list[Recorded]:
        return self.server.requests

    @property
    def last(self) -> Recorded:
        return self.calls[-1]

    def _answer(self, request: Recorded) -> Action:
        if not self.steps:
            return usual(request)
        step = self.steps[min(len(self.calls), len(self.steps)) - 1]
        return step(request) if callable(step) else step

    def close(self) -> None:
        self.server.close()


class Blocking:
    """A client of either colour, or a group of it, whose calls block."""

    def __init__(self, client: Any, runner: asyncio.Runner) -> None:
        self.client = client
        self.runner = runner

    def close(self) -> None:
        if isinstance(self.client, PiaxisClient):
            self.client.close()
        elif isinstance(self.client, AsyncPiaxisClient):
            self.runner.run(self.client.aclose())

    def items(self, listing: Any) -> list[Any]:
        """All items of a listing of either colour."""

        async def gather() -> list[Any]:
            return [item async for item in listing]

        return self.runner.run(gather()) if hasattr(listing, "__aiter__") else list(listing)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not callable(found):
            return Blocking(found, self.runner)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = found(*args, **kwargs)
            return self.runner.run(_awaited(result)) if hasattr(result, "__await__") else result

        return call


async def _awaited(result: Any) -> Any:
    return await result


def sent(request: Recorded) -> Any:
    """The body with its numbers as they were written."""
    return json.loads(request.body, parse_float=Decimal)
