"""The four flows that the vendor's README documents, with the vendor's client; prints every answer as JSON.

Run by the vendor environment's interpreter: nothing of Bursar can be imported here. The sandbox comes from the
environment, as the README has it.
"""

import json
import os
import secrets
import sys
from urllib.parse import parse_qs, urlsplit

from piaxis_sdk import (  # pyright: ignore[reportMissingImports] - installed in .venv-vendor only
    PiaxisApiError,
    PiaxisClient,
    generate_pkce_pair,
)

BUYER = {"email": "buyer@example.com", "phone_number": "+256700000000"}
RECIPIENT = "recipient-001"
base_url = os.environ["PIAXIS_API_BASE_URL"]
redirect_uri = os.environ["PIAXIS_REDIRECT_URI"]
app = {
    "client_id": os.environ["PIAXIS_OAUTH_CLIENT_ID"],
    "client_secret": os.environ["PIAXIS_OAUTH_CLIENT_SECRET"],
}


def direct_payment() -> dict:
    with PiaxisClient.from_env() as client:
        otp = client.request_otp(BUYER)
        payment = client.create_payment(
            {
                "amount": "15000",
                "currency": "UGX",
                "payment_method": "mtn",
                "user_info": {**BUYER, "otp": otp["otp"]},
                "customer_pays_fees": True,
                "products": [{"id": "product-789", "name": "Demo Product", "price": "15000"}],
            }
        )
        return {
            "otp_request": otp,
            "payment_create": payment,
            "payment_details": client.get_payment(payment["payment_id"]),
            "payment_list": client.list_merchant_payments({"limit": 20}),
        }


def oauth() -> dict:
    pkce, state = generate_pkce_pair(), secrets.token_urlsafe(24)
    asked = {
        "merchant_id": os.environ["PIAXIS_MERCHANT_ID"],
        "external_user_id": "customer-123",
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": pkce["code_challenge"],
        "code_challenge_method": pkce["code_challenge_method"],
    }
    auth_client = PiaxisClient(base_url=base_url)
    url = auth_client.build_authorize_url(**asked)
    with PiaxisClient.from_env() as owner:
        authorized = owner.authorize_test(**asked)
    returned = parse_qs(urlsplit(authorized["redirect_url"]).query)
    assert returned == {"code": [authorized["code"]], "state": [state]}, returned
    tokens = auth_client.exchange_token(
        code=authorized["code"], redirect_uri=redirect_uri, code_verifier=pkce["code_verifier"], **app
    )
    payer = PiaxisClient(access_token=tokens["access_token"], base_url=base_url)
    payment = payer.create_payment(
        {
            "amount": "15000",
            "currency": "UGX",
            "payment_method": "piaxis_external",
            "recipient_id": os.environ["PIAXIS_MERCHANT_ID"],
            "customer_pays_fees": True,
        }
    )
    refreshed = auth_client.refresh_token(refresh_token=tokens["refresh_token"], **app)
    return {
        "authorize_url": url,
        "authorize_test": authorized,
        "token": tokens,
        "payment_external": payment,
        "token_refreshed": refreshed,
    }


def escrow() -> dict:
    with PiaxisClient.from_env() as client:
        otp = client.request_otp(BUYER)
        created = client.create_escrow(
            {
                "receiver_id": os.environ["PIAXIS_MERCHANT_ID"],
                "amount": "50000",
                "currency_code": "UGX",
                "payment_method": "mtn",
                "external_order_id": "order-789",
                "metadata": {"channel": "marketplace"},
                "allocations": [
                    {
                        "allocation_key": "seller-alpha",
                        "amount": "20000",
                        "seller_reference": "seller-001",
                        "description": "Alpha seller settlement",
                        "metadata": {"sku": "SKU-ALPHA"},
                    },
                    {
                        "allocation_key": "seller-beta",
                        "amount": "30000",
                        "seller_reference": "seller-002",
                        "description": "Beta seller settlement",
                    },
                ],
                "user_info": {**BUYER, "otp": otp["otp"]},
                "terms": [{"type": "manual_release", "data": {}}],
            }
        )
        status = client.get_escrow_status(created["id"])
        released = client.release_escrow(
            created["id"],
            payload={
                "allocation_keys": ["seller-alpha"],
                "amount": "20000",
                "force": True,
                "reason": "Sandbox partial release for seller alpha",
            },
        )
        reversed_ = client.reverse_escrow(
            created["id"],
            payload={
                "allocation_keys": ["seller-beta"],
                "amount": "30000",
                "reason": "Buyer cancelled order",
            },
        )
        return {
            "escrow_create": created,
            "escrow_status": status,
            "escrow_release": released,
            "escrow_reverse": reversed_,
            "escrow_final": client.get_escrow(created["id"]),
            **meeting(client),
        }


def meeting(client: PiaxisClient) -> dict:
    """An escrow whose term two parties confirm; the buyer does, and disputes afterwards."""
    otp = client.request_otp(BUYER)
    escrow = client.create_escrow(
        {
            "amount": "1000",
            "currency_code": "UGX",
            "payment_method": "airtel",
            "user_info": {**BUYER, "otp": otp["otp"]},
            "terms": [{"type": "meeting_delivery", "data": {}}],
        }
    )
    fulfilled = client.fulfill_escrow_term(
        escrow["id"],
        escrow["terms"][0]["term_id"],
        payload={
            "term_type": "meeting_delivery",
            "data": {
                "buyer_latitude": 0.3136,
                "buyer_longitude": 32.5811,
                "device_info": {"platform": "android"},
            },
        },
    )
    disputed = client.dispute_escrow(
        escrow["id"], payload={"reason": "Goods damaged", "initiator_role": "sender"}
    )
    return {"escrow_fulfill_term": fulfilled, "escrow_dispute": disputed}


def disbursements() -> dict:
    with PiaxisClient.from_env() as client:
        recipients = [
            {"recipient_id": RECIPIENT, "amount": "100000", "reference": "supplier-001"},
            {"phone_number": "+256711111111", "amount": "50000", "reference": "supplier-002"},
        ]
        batch = {"currency": "UGX", "payment_method": "airtel", "description": "Weekly supplier payout"}
        direct = client.disburse(recipients=recipients, **batch)
        detail = client.get_disbursement(direct["disbursement_id"])
        cancelled = client.cancel_disbursement(direct["disbursement_id"], reason="Wrong week")
        terms = [{"type": "manual_release", "data": {}}]
        held = client.escrow_disburse(
            recipients=[{**one, "terms": terms} for one in recipients],
            currency="UGX",
            payment_method="mtn",
            description="Courier escrow batch",
            user_location={"latitude": 0.312, "longitude": 32.582},
        )
        first = held["escrow_items"][0]["escrow_id"]
        return {
            "disbursement_create": direct,
            "disbursement_detail": detail,
            "disbursement_list": client.list_disbursements(limit=20),
            "disbursement_cancel": cancelled,
            "escrow_disbursement_create": held,
            "escrow_disbursement_get": client.get_escrow_disbursement(held["disbursement_id"]),
            "escrow_disbursement_list": client.list_escrow_disbursements(limit=20),
            "escrow_disbursement_release": client.escrow_disbursements.release(
                held["disbursement_id"], force=True, reason="Bulk release approved", escrow_ids=[first]
            ),
            "escrow_disbursement_cancel": client.cancel_escrow_disbursement(
                held["disbursement_id"], reason="Merchant cancelled batch"
            ),
        }


def errors() -> dict:
    """The README's error handling."""
    unknown = {}
    try:
        PiaxisClient(api_key="invalid", base_url=base_url).list_merchant_payments()
    except PiaxisApiError as exc:
        unknown = {"status": exc.status_code, "code": exc.code, "request_id": exc.request_id}
    return {"invalid_key": unknown}


if __name__ == "__main__":
    told = {}
    for flow in (direct_payment, oauth, escrow, disbursements, errors):
        told.update(flow())
    json.dump(told, sys.stdout)
