"""Endpoints managed over HTTP (B10), and deliveries received inside the process."""

import json
from datetime import timedelta

import pytest

from bursar.contract.http import Request
from bursar.piaxis import PiaxisClient
from bursar.testing import WebhookReceiver
from bursar.webhooks import Piaxis, Receiver, WebhookVerificationError

KEY = "piaxis-sandbox-key"


@pytest.fixture
def merchant(bursar_sandbox):
    with PiaxisClient(
        api_key=KEY, base_url=f"{bursar_sandbox.url}/piaxis/api", session=bursar_sandbox.transport()
    ) as client:
        yield client


def ask(engine, method: str, path: str, body: object = None, **headers: str):
    raw = None if body is None else json.dumps(body).encode()
    fields = {"content-type": "application/json", "api-key": KEY, **headers}
    request = Request(method, f"{engine.url}/piaxis{path}", tuple(fields.items()), raw)
    answer = engine.transport().send(request, 10)
    return answer.status, json.loads(answer.body or b"null")


def pay(merchant: PiaxisClient, phone: str = "+256700000000", amount: str = "5000"):
    merchant.request_otp({"phone_number": phone})
    return merchant.create_payment(
        {
            "amount": amount,
            "currency": "UGX",
            "payment_method": "mtn",
            "user_info": {"phone_number": phone, "otp": "123456"},
        }
    )


def test_a_payment_arrives_signed(bursar_sandbox, merchant, webhook_receiver):
    payment = pay(merchant)
    paid = webhook_receiver.wait("payment.succeeded")
    event = webhook_receiver.verify(paid)
    assert event.data["payment_id"] == payment.payment_id
    assert event.webhook_id == webhook_receiver.id
    assert webhook_receiver.secret == "piaxis-sandbox-webhook-secret"
    with pytest.raises(WebhookVerificationError):
        Receiver(Piaxis(), "another-secret").verify(paid.body, paid.headers)
    assert [got.type for got in webhook_receiver.of_type()][-1] == "payment.succeeded"


def test_refused_deliveries_come_again_and_count_once(bursar_sandbox, merchant, webhook_receiver):
    webhook_receiver.answer(500, times=3)
    pay(merchant)
    webhook_receiver.wait("payment.succeeded")
    assert [got.answered for got in webhook_receiver.received][:3] == [500] * 3
    assert len(webhook_receiver.of_type("payment.succeeded")) == 1


def test_waiting_for_what_does_not_come_says_what_came(bursar_sandbox, merchant, webhook_receiver):
    pay(merchant)
    with pytest.raises(AssertionError, match=r"1 of escrow.created did not come; received: .*payment"):
        webhook_receiver.wait("escrow.created", within=timedelta(hours=1))


def test_a_receiver_takes_the_events_it_asked_for(bursar_sandbox, merchant):
    with WebhookReceiver(bursar_sandbox, "payment.completed", secret="a-secret-of-my-own") as old:
        pay(merchant)
        assert old.wait().type == "payment.completed"
        body = b'{"event": "payment.completed", "data": {}}'
        Receiver(Piaxis(), "a-secret-of-my-own", tolerance=None).verify(body, old.signer().sign(body))
    assert merchant.webhooks.list_webhook_endpoints().webhooks == []


def test_the_life_of_an_endpoint(bursar_sandbox, merchant):
    hooks = merchant.webhooks
    made = hooks.create_webhook_endpoint(
        {"url": "https://shop.example.com/hooks", "events": ["payment.succeeded"], "description": "shop"}
    )
    assert made.secret == "piaxis-sandbox-webhook-secret"
    assert (made.url, made.events, made.is_active, made.failure_count) == (
        "https://shop.example.com/hooks",
        ["payment.succeeded"],
        True,
        0,
    )
    [listed] = hooks.list_webhook_endpoints().webhooks
    assert listed.secret is None, "PS108: shown once"
    changed = hooks.update_webhook_endpoint(made.id, {"events": ["*"], "is_active": False})
    assert (changed.events, changed.is_active, changed.description) == (["*"], False, "shop")
    assert changed.secret is None
    rotated = hooks.rotate_webhook_secret(made.id)
    assert rotated.secret
    assert rotated.secret != made.secret
    hooks.delete_webhook_endpoint(made.id)
    assert hooks.list_webhook_endpoints().webhooks == []


def test_deliveries_are_listed_shown_and_replayed(bursar_sandbox, merchant, webhook_receiver):
    hooks = merchant.webhooks
    webhook_receiver.answer(503)
    pay(merchant)
    webhook_receiver.wait("payment.succeeded")
    page = hooks.list_webhook_deliveries(webhook_receiver.id, status="delivered", limit=1)
    assert page.total >= 1
    [shown] = page.results
    found = hooks.get_webhook_delivery(webhook_receiver.id, shown.id)
    assert found.delivered_at is not None
    assert found.attempts
    assert found.attempts[-1].status_code == 200
    before = len(webhook_receiver.received)
    replayed = hooks.replay_webhook_delivery(webhook_receiver.id, shown.id)
    assert replayed.status == "pending"
    bursar_sandbox.clock.advance(0)
    assert len(webhook_receiver.received) == before + 1
    again = hooks.replay_webhook_deliveries(webhook_receiver.id, {"status": "delivered"})
    assert again.count == page.total
    assert hooks.list_webhook_deliveries(webhook_receiver.id, offset=2**60).results == []


def test_a_test_delivery(bursar_sandbox, merchant, webhook_receiver):
    tried = merchant.webhooks.test_webhook_endpoint(webhook_receiver.id)
    assert (tried.success, tried.status_code) == (True, 200)
    [got] = webhook_receiver.received
    assert (got.type, got.data["status"]) == ("payment.succeeded", "succeeded")
    webhook_receiver.answer(500)
    assert merchant.webhooks.test_webhook_endpoint(webhook_receiver.id).success is False


def test_the_shape_of_refusals(bursar_sandbox):
    status, body = ask(
        bursar_sandbox, "POST", "/users/webhooks", {"url": "http://169.254.169.254/", "events": ["*"]}
    )
    assert status == 400
    assert body["error_code"] == "WEBHOOK_ERROR"
    assert isinstance(body["detail"], str)
    [problem] = body["errors"]
    assert (problem["code"], problem["field"]) == ("INVALID_URL", "url")
    assert ask(bursar_sandbox, "DELETE", "/users/merchant/webhooks/nothing")[0] == 404
    assert ask(bursar_sandbox, "POST", "/users/webhooks", {"url": 3})[0] == 422
    assert ask(bursar_sandbox, "GET", "/users/merchant/webhooks", **{"api-key": "wrong"})[0] == 401
    assert ask(bursar_sandbox, "GET", "/users/merchant/webhooks", **{"api-key": ""})[0] == 401
    bearer = {"api-key": "", "authorization": f"Bearer {KEY}"}
    assert ask(bursar_sandbox, "GET", "/users/merchant/webhooks", **bearer)[0] == 200


@pytest.mark.parametrize(
    "body", [{}, [], {"url": "https://x.example.com"}, {"url": "x", "events": "*"}, "text"]
)
def test_bad_bodies_are_422_and_change_nothing(bursar_sandbox, body):
    assert ask(bursar_sandbox, "POST", "/users/webhooks", body)[0] == 422
    assert ask(bursar_sandbox, "GET", "/users/merchant/webhooks") == (200, {"webhooks": []})
