"""The vendor's unmodified piaxis-sdk runs its documented flows against `bursar serve --sandbox` (PS116).

What the sandbox answers has the shapes of the vendor's own examples: each member is there, and of their type; members
that the examples do not have are Bursar's or newer ones, and named here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.vendor
FLOWS = Path(__file__).with_name("piaxis_flows.py")

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PLAIN = re.compile(r"\d+\.\d\d")
GROUPED = re.compile(r"\d{1,3}(,\d{3})*\.\d\d")


class Maybe:
    """A member that may be null, or not there at all where the examples differ."""

    def __init__(self, shape: Any, *, absent: bool = False) -> None:
        self.shape = shape
        self.absent = absent


SUMMARY = {
    "disbursement_id": UUID,
    "status": str,
    "total_amount": PLAIN,
    "currency": "UGX",
    "recipient_count": int,
    "successful_count": int,
    "failed_count": int,
    "pending_count": int,
}
SLICES = {
    "total_count": 2,
    "pending_count": int,
    "released_count": int,
    "reversed_count": int,
    "pending_amount": PLAIN,
    "released_amount": PLAIN,
    "reversed_amount": PLAIN,
}
ALLOCATION = {
    "allocation_key": str,
    "amount": PLAIN,
    "seller_reference": str,
    "description": str,
    "status": str,
    "status_reason": Maybe(str, absent=True),
    "status_updated_at": Maybe(TIME, absent=True),
    "metadata": Maybe(dict, absent=True),
}
ESCROW = {
    "id": UUID,
    "amount": "50000.00",
    "currency_code": "UGX",
    "status": str,
    "payment_method": "mtn",
    "sender_id": None,
    "receiver_id": UUID,
    "created_at": TIME,
    "updated_at": TIME,
    "terms": [{"term_id": UUID, "type": "manual_release", "data": {}}],
    "products": [],
    "location": None,
    "required_actions": Maybe([{"action_type": str, "description": str}]),
    "external_user_id": None,
    "balance_escrow_in": "50000.00",
    "balance_escrow_out": PLAIN,
    "metadata": {"channel": "marketplace", "external_order_id": "order-789", "allocations": [ALLOCATION]},
    "allocations": [ALLOCATION],
    "allocation_summary": SLICES,
}
BATCH = {
    **SUMMARY,
    "escrow_items": [
        {
            "recipient_id": Maybe(str),
            "email": None,
            "phone_number": Maybe(str),
            "amount": PLAIN,
            "escrow_id": UUID,
            "status": str,
            "terms_count": 1,
            "reference": str,
        }
    ],
    "description": "Courier escrow batch",
    "created_at": TIME,
}
TOKENS = {
    "access_token": str,
    "token_type": "bearer",
    "expires_in": 3600,
    "refresh_token": str,
    "user_id": UUID,
    "scope": str,
}
PAYMENT = {"payment_id": UUID, "status": str, "amount": "15,000.00", "currency": "UGX"}
SHAPES: dict[str, Any] = {
    "otp_request": {
        "verification_methods": {"email_sent": True, "phone_sent": True},
        "expires_in": 300,
        "otp": "123456",
    },
    "payment_create": PAYMENT | {"status": "pending"},
    "payment_details": {
        "id": UUID,
        "status": str,
        "amount": "15,000.00",
        "currency": "UGX",
        "payment_method": "mtn",
        "created_at": TIME,
        "reference": str,
        "receipt": Maybe(str),
        "merchant_details": {"id": UUID, "business_name": "Piaxis Demo Merchant"},
        "recipient_details": {"id": UUID, "name": str},
        "product_details": {"id": "product-789", "name": "Demo Product", "price": GROUPED},
        "chain_payment_details": None,
        "transaction_details": {"id": UUID, "status": str, "provider_reference": str},
    },
    "payment_list": {
        "total": 1,
        "offset": 0,
        "limit": 20,
        "results": [
            {
                "payment_id": UUID,
                "status": str,
                "amount": "15,000.00",
                "currency": "UGX",
                "payment_method": "mtn",
                "date": TIME,
                "payer": {
                    "id": Maybe(str),
                    "email": "buyer@example.com",
                    "phone": "+256700000000",
                    "type": "unregistered",
                },
                "recipient": {"id": UUID, "email": "seller@example.com"},
            }
        ],
    },
    "authorize_test": {
        "redirect_url": str,
        "code": str,
        "next_step": "POST /api/token with the following parameters:",
        "token_parameters": {
            "grant_type": "authorization_code",
            "code": str,
            "redirect_uri": "https://merchant.example.com/oauth/callback",
            "client_id": "piaxis-sandbox-client",
            "client_secret": "piaxis-sandbox-secret",
        },
    },
    "token": TOKENS,
    "token_refreshed": TOKENS,
    "payment_external": PAYMENT | {"status": "succeeded"},
    "escrow_create": ESCROW | {"status": "pending", "balance_escrow_out": "0.00"},
    "escrow_status": {
        "escrow_id": UUID,
        "status": "pending",
        "amount": "50000.00",
        "currency": "UGX",
        "payment_method": "mtn",
        "created_at": TIME,
        "buyer_info": {
            "type": "unregistered",
            "email": "buyer@example.com",
            "phone_number": "+256700000000",
            "verified": True,
        },
        "terms": [{"term_id": UUID, "term_type": "manual_release", "is_met": False, "met_at": None}],
        "all_terms_met": False,
    },
    "escrow_release": {
        "status": "released",
        "escrow_id": UUID,
        "amount": "20000.00",
        "force": True,
        "reason": "Sandbox partial release for seller alpha",
        "allocation_keys": ["seller-alpha"],
        "allocation_summary": SLICES | {"pending_amount": "30000.00", "released_count": 1},
    },
    "escrow_reverse": {
        "status": "reversed",
        "escrow_id": UUID,
        "amount": "30000.00",
        "reason": "Buyer cancelled order",
        "allocation_keys": ["seller-beta"],
        "allocation_summary": SLICES | {"pending_count": 0, "released_count": 1, "reversed_count": 1},
    },
    "escrow_final": ESCROW | {"status": "released", "balance_escrow_out": "50000.00"},
    "escrow_fulfill_term": {
        "status": "success",
        "message": str,
        "requires_other_party": True,
        "escrow_id": Maybe(UUID, absent=True),
        "term_id": Maybe(UUID, absent=True),
        "term_type": Maybe("meeting_delivery", absent=True),
    },
    "escrow_dispute": {
        "message": "Dispute initiated successfully",
        "dispute_id": UUID,
        "initiator_role": "sender",
    },
    "disbursement_create": SUMMARY
    | {"status": "pending", "total_amount": "150000.00", "recipient_count": 2, "pending_count": 2},
    "disbursement_detail": SUMMARY
    | {
        "payment_method": "airtel",
        "description": "Weekly supplier payout",
        "created_at": TIME,
        "completed_at": None,
        "cancelled_at": None,
        "cancellation_reason": None,
        "items": [
            {
                "recipient_id": Maybe(str, absent=True),
                "phone_number": Maybe(str, absent=True),
                "amount": PLAIN,
                "status": "pending",
                "reference": Maybe(str, absent=True),
            }
        ],
    },
    "disbursement_list": {"total": 1, "offset": 0, "limit": 20, "results": [SUMMARY]},
    "disbursement_cancel": SUMMARY
    | {"status": "cancelled", "successful_count": 0, "failed_count": 0, "pending_count": 0},
    "escrow_disbursement_create": BATCH | {"status": "pending", "total_amount": "150000.00"},
    "escrow_disbursement_get": BATCH,
    "escrow_disbursement_list": {
        "total": 1,
        "offset": 0,
        "limit": 20,
        "results": [SUMMARY | {"description": "Courier escrow batch", "created_at": TIME}],
    },
    "escrow_disbursement_release": {
        "disbursement_id": UUID,
        "force": True,
        "reason": "Bulk release approved",
        "released_count": 1,
        "skipped_count": 0,
        "failed_count": 0,
        "released": [{"item_id": str, "escrow_id": UUID, "status": "released"}],
        "skipped": [],
        "failed": [],
    },
    "escrow_disbursement_cancel": SUMMARY
    | {
        "pending_count": 0,
        "cancelled_at": TIME,
        "cancellation_reason": "Merchant cancelled batch",
    },
    "authorize_url": str,
    "invalid_key": {"status": 401, "code": "INVALID_API_KEY", "request_id": str},
}


def differences(shape: Any, value: Any, place: str) -> Iterator[str]:
    """Where a value does not have its shape."""
    if isinstance(shape, Maybe):
        if value is not None:
            yield from differences(shape.shape, value, place)
    elif isinstance(shape, dict) and isinstance(value, dict):
        yield from in_members(shape, value, place)
    elif isinstance(shape, list) and isinstance(value, list) and shape and isinstance(shape[0], dict):
        if not value:
            yield f"{place} is empty"
        for index, item in enumerate(value):
            yield from differences(shape[0], item, f"{place}[{index}]")
    elif not fits(shape, value):
        yield f"{place}: {value!r} is not {getattr(shape, 'pattern', shape)!r}"


def in_members(shape: dict[str, Any], value: dict[str, Any], place: str) -> Iterator[str]:
    must = {name for name, member in shape.items() if not (isinstance(member, Maybe) and member.absent)}
    for name in sorted(must - value.keys()):
        yield f"{place}.{name} is missing"
    for name in sorted(value.keys() - shape.keys()):
        yield f"{place}.{name} is not expected: {value[name]!r}"
    for name in shape.keys() & value.keys():
        yield from differences(shape[name], value[name], f"{place}.{name}")


def fits(shape: Any, value: Any) -> bool:
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    return type(value) is shape if isinstance(shape, type) else value == shape


@pytest.fixture(scope="module")
def answers(vendor_python, tmp_path_factory) -> Iterator[dict[str, Any]]:
    """All answers of one run of the flows against a server process of its own."""
    database = tmp_path_factory.mktemp("flows") / "sandbox.db"
    command = [sys.executable, "-m", "bursar.cli", "serve", "--sandbox", "--json", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--database", f"sqlite:///{database}"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        known = {one["api"]: one for one in ready["credentials"]}
        merchant, client = known["Piaxis api-key"], known["Piaxis OAuth"]
        environment = {
            "PIAXIS_API_BASE_URL": f"{ready['url']}/piaxis/api",
            "PIAXIS_API_KEY": merchant["client_secret"],
            "PIAXIS_MERCHANT_ID": merchant["client_id"],
            "PIAXIS_OAUTH_CLIENT_ID": client["client_id"],
            "PIAXIS_OAUTH_CLIENT_SECRET": client["client_secret"],
            "PIAXIS_REDIRECT_URI": "https://merchant.example.com/oauth/callback",
        }
        run = subprocess.run(
            [vendor_python, str(FLOWS)], env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        yield json.loads(run.stdout)
    finally:
        server.terminate()
        server.communicate()
    assert server.returncode == 0


def test_the_flows_gave_all_answers(answers):
    assert answers.keys() == SHAPES.keys()


@pytest.mark.parametrize("name", SHAPES)
def test_an_answer_has_the_shape_of_the_vendors_example(answers, name):
    assert list(differences(SHAPES[name], answers[name], name)) == []


def test_the_comparison_can_fail():
    assert list(differences({"a": int, "b": PLAIN}, {"a": "1", "c": 1}, "x")) == [
        "x.b is missing",
        "x.c is not expected: 1",
        "x.a: '1' is not <class 'int'>",
    ]
