"""Piaxis in this process: the same clients, no port."""

import asyncio

from bursar.testing import SandboxServer

OTP = {"phone_number": "+256700000000", "otp": "123456"}
PAYMENT = {"amount": "15000", "currency": "UGX", "payment_method": "mtn", "user_info": OTP}


def test_a_checkout(bursar_sandbox):
    client = bursar_sandbox.piaxis()
    client.request_otp({"phone_number": OTP["phone_number"]})
    payment = client.create_payment(PAYMENT)
    assert payment["amount"] == "15,000.00"
    assert client.wait_for_payment(payment.payment_id).status == "succeeded"
    assert bursar_sandbox.verify().ok


def test_the_asynchronous_twin(bursar_sandbox):
    async def checkout():
        async with bursar_sandbox.async_piaxis() as client:
            await client.request_otp({"phone_number": OTP["phone_number"]})
            payment = await client.create_payment(PAYMENT)
            return (await client.wait_for_payment(payment.payment_id)).status

    assert asyncio.run(checkout()) == "succeeded"


def test_a_customer_pays_from_his_wallet(bursar_sandbox):
    merchant = bursar_sandbox.piaxis()
    given = merchant.authorize_test(
        merchant_id="11111111-1111-4111-8111-111111111111",
        external_user_id="customer-1",
        redirect_uri="https://merchant.example.com/oauth/callback",
        request_options={"headers": {"api-key": "piaxis-sandbox-key"}},
    )
    tokens = merchant.exchange_token(
        code=given.code,
        redirect_uri=given.token_parameters.redirect_uri,
        client_id=given.token_parameters.client_id,
        client_secret=given.token_parameters.client_secret,
    )
    customer = bursar_sandbox.piaxis(access_token=tokens.access_token)
    payment = customer.create_payment({"amount": 100, "currency": "UGX", "payment_method": "piaxis_external"})
    assert payment.status == "succeeded"
    assert customer.get_payment(payment.payment_id).payment_method == "piaxis_external"


def test_the_back_office(bursar_sandbox):
    operator = bursar_sandbox.piaxis_operator()
    made = operator.create_account({"kind": "merchant", "name": "Second Merchant"})
    key = operator.create_key(made.id, {"label": "first"}).key
    assert list(bursar_sandbox.piaxis(key).list_merchant_payments()) == []
    assert operator.trial_balance().problems == []

    async def accounts():
        async with bursar_sandbox.async_piaxis_operator() as twin:
            return (await twin.get_account(made.id)).name

    assert asyncio.run(accounts()) == "Second Merchant"


def test_over_a_port():
    with SandboxServer(seed=0) as server, server.piaxis() as client, server.piaxis_operator() as operator:
        assert client.request_otp({"email": "buyer@example.com"}).otp == "123456"
        assert len(operator.list_accounts().accounts) == 3
