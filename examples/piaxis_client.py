"""Take a mobile-money payment, then pay two suppliers: code, payment, wait, quote, batch, wait."""

import os
from decimal import Decimal
from typing import Any
from uuid import uuid4

from bursar.piaxis import PiaxisApiError, PiaxisClient
from bursar.piaxis.models import NewPayment, PaymentMethod, Recipient

api = os.environ.get("BURSAR_URL", "http://127.0.0.1:8787") + "/piaxis/api"

with PiaxisClient(api_key="piaxis-sandbox-key", base_url=api) as client:
    customer = {"email": "buyer@example.com", "phone_number": "+256700000000"}
    otp = client.request_otp(customer)
    checkout = NewPayment(
        amount=Decimal(15000),
        currency="UGX",
        payment_method=PaymentMethod.MTN,
        user_info={
            **customer,
            "otp": otp.otp,
        },  # the sandbox tells the code; a customer reads it from a phone
    )
    try:
        payment = client.create_payment(checkout, idempotency_key=str(uuid4()))
    except PiaxisApiError as error:
        raise SystemExit(f"not charged ({error.outcome}): {error}") from error
    paid = client.wait_for_payment(payment.payment_id, timeout=30)
    print(f"payment of {paid.amount} {paid.currency} {paid.status}")

    batch: dict[str, Any] = {
        "recipients": [
            Recipient(phone_number="+256711111111", amount=Decimal(5000), reference="supplier-001"),
            Recipient(phone_number="+256722222222", amount=Decimal(2500), reference="supplier-002"),
        ],
        "currency": "UGX",
        "payment_method": "airtel",
    }
    quote = client.quote_disbursement(batch)
    print(f"paying out costs {quote.total_debit} {quote.currency}, fees {quote.total_fees}")
    done = client.wait_for_disbursement(client.disburse(**batch).disbursement_id, timeout=30)
    print(f"batch {done.status}: {done.successful_count} of {done.recipient_count} paid")
