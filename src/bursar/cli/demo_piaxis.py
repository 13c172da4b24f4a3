"""The demo's second part: a merchant takes money, holds it, pays it out, and is told of everything by webhooks."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from bursar.cli.story import DemoFailed, Story
from bursar.piaxis import (
    PiaxisApiError,
    PiaxisClient,
    PollOptions,
    generate_pkce_pair,
    parse_authorization_callback,
)
from bursar.piaxis.back_office import OperatorOptions, PiaxisOperatorClient
from bursar.piaxis.models.webhook_endpoints import NewWebhookEndpoint
from bursar.piaxis.operator import TrialBalance
from bursar.webhooks import Piaxis, Receiver, WebhookVerificationError

_BUYER: Final = {"email": "buyer@example.com", "phone_number": "+256700000000"}
_CALLBACK: Final = "https://merchant.example.com/oauth/callback"
_FAST: Final = PollOptions(initial_delay=0.05, max_delay=0.2)
_PATIENCE: Final = 30.0
"""Seconds within which anything must have happened."""


class Inbox:
    """The merchant's webhook endpoint: an HTTP server on this machine that believes nothing without a signature."""

    def __init__(self) -> None:
        self.secret = ""
        self.refused = 0
        self._events: list[str] = []
        self._changed = threading.Condition()
        inbox = self

        class Deliveries(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200 if inbox.take(body, dict(self.headers)) else 400)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass  # the story tells what came

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Deliveries)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where deliveries go."""
        return f"http://127.0.0.1:{self._server.server_port}/webhooks"

    def take(self, body: bytes, fields: Mapping[str, str]) -> bool:
        """Take a delivery, if its signature is good."""
        try:
            event = Receiver(Piaxis(), self.secret).verify_and_parse(body, fields)
        except WebhookVerificationError:
            self.refused += 1
            return False
        with self._changed:
            self._events.append(str(event.type))
            self._changed.notify_all()
        return True

    def wait(self, *types: str) -> None:
        """Wait until events of these types arrived since the beginning. Raises `DemoFailed`."""
        wanted = Counter(types)
        with self._changed:
            if not self._changed.wait_for(lambda: wanted <= Counter(self._events), _PATIENCE):
                raise DemoFailed(f"webhooks {', '.join(types)}: only {self._events} came")

    @property
    def count(self) -> int:
        """How many were taken."""
        return len(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def tell(ready: Mapping[str, Any], story: Story) -> TrialBalance:
    """Run this part against a sandbox that said `ready`, and return what the rail's book holds then."""
    merchant, app = (_known(ready, api) for api in ("Piaxis api-key", "Piaxis OAuth"))
    base_url = f"{ready['url']}/piaxis/api"
    with Inbox() as inbox, PiaxisClient(api_key=merchant["client_secret"], base_url=base_url) as client:
        endpoint = client.webhooks.create_webhook_endpoint(NewWebhookEndpoint(url=inbox.url, events=["*"]))
        inbox.secret = str(endpoint.secret)
        _checkout(client, story)
        inbox.wait("payment.pending", "payment.succeeded")
        _escrow(client, story)
        inbox.wait("escrow.created", "escrow.funded", "escrow.released", "escrow.reversed")
        _disburse(client, story)
        inbox.wait("disbursement.processing", "disbursement.completed")
        _use_wallet(client, merchant["client_id"], app, story)
        inbox.wait("payment.pending", "payment.succeeded", "payment.succeeded")
        story.expect("webhooks with a bad signature", inbox.refused, 0)
        story.tell("webhooks received, each signature verified", str(inbox.count))
    return _book(ready)


def _checkout(client: PiaxisClient, story: Story) -> None:
    otp = client.request_otp(_BUYER)
    story.tell("one-time password for the buyer", str(otp.otp))
    asked = {
        "amount": "15000",
        "currency": "UGX",
        "payment_method": "mtn",
        "user_info": {**_BUYER, "otp": otp.otp},
    }
    payment = client.create_payment(asked, idempotency_key="demo-checkout")
    story.expect("checkout of 15,000.00 UGX by mobile money", payment.status.value, "pending")
    again = client.create_payment(asked, idempotency_key="demo-checkout")
    story.expect("asked twice with one key: one payment", again.payment_id, payment.payment_id)
    paid = client.wait_for_payment(payment.payment_id, timeout=_PATIENCE, poll=_FAST)
    story.expect("the provider collects it", paid.status.value, "succeeded")


def _escrow(client: PiaxisClient, story: Story) -> None:
    otp = client.request_otp(_BUYER)
    shares = (("seller-alpha", "20000"), ("seller-beta", "30000"))
    escrow = client.create_escrow(
        {
            "amount": "50000",
            "currency_code": "UGX",
            "payment_method": "mtn",
            "user_info": {**_BUYER, "otp": otp.otp},
            "terms": [{"type": "manual_release", "data": {}}],
            "allocations": [{"allocation_key": key, "amount": amount} for key, amount in shares],
        }
    )
    held = f"{escrow.status.value}, {escrow['balance_escrow_in']} UGX held"
    story.expect("escrow for two sellers", held, "pending, 50000.00 UGX held")
    released = client.release_escrow(escrow.id, payload={"allocation_keys": ["seller-alpha"]})
    story.expect("release of alpha's share", released["amount"], "20000.00")
    reversed_ = client.reverse_escrow(
        escrow.id, {"allocation_keys": ["seller-beta"], "reason": "not in stock"}
    )
    story.expect("reversal of beta's share", reversed_["amount"], "30000.00")
    story.expect("the escrow in the end", client.get_escrow(escrow.id).status.value, "released")


def _disburse(client: PiaxisClient, story: Story) -> None:
    recipients: Sequence[Mapping[str, str]] = (
        {"phone_number": "+256711111111", "amount": "100000", "reference": "supplier-1"},
        {"recipient_id": "recipient-001", "amount": "50000", "reference": "supplier-2"},
    )
    batch = client.disburse(recipients=recipients, currency="UGX", payment_method="airtel")
    ended = client.wait_for_disbursement(batch.disbursement_id, timeout=_PATIENCE, poll=_FAST)
    outcome = f"{ended.status.value}, {ended.successful_count} of {ended.recipient_count} paid"
    story.expect("disbursement of 150000.00 UGX", outcome, "completed, 2 of 2 paid")


def _use_wallet(client: PiaxisClient, merchant: str, app: Mapping[str, str], story: Story) -> None:
    pkce, state = generate_pkce_pair(), secrets.token_urlsafe(24)
    answer = client.authorize_test(
        merchant_id=merchant,
        external_user_id="customer-123",
        redirect_uri=_CALLBACK,
        state=state,
        code_challenge=pkce["code_challenge"],
        code_challenge_method=pkce["code_challenge_method"],
        request_options={"headers": {"api-key": client.options.headers()["api-key"]}},
    )
    code = parse_authorization_callback(answer.redirect_url, expected_state=state).code
    client_id, secret = app["client_id"], app["client_secret"]
    tokens = client.exchange_token(
        code=code,
        redirect_uri=_CALLBACK,
        code_verifier=pkce["code_verifier"],
        client_id=client_id,
        client_secret=secret,
    )
    story.expect("a customer lets the merchant use a wallet", tokens.token_type, "bearer")
    base_url = client.options.base_url
    with PiaxisClient(access_token=tokens.access_token, base_url=base_url) as customer:
        asked = {"amount": "2500", "currency": "UGX", "payment_method": "piaxis_external"}
        story.expect("payment from the wallet", customer.create_payment(asked).status.value, "succeeded")
    refresh = str(tokens.refresh_token)
    client.refresh_token(refresh_token=refresh, client_id=client_id, client_secret=secret)
    try:
        client.refresh_token(refresh_token=refresh, client_id=client_id, client_secret=secret)
    except PiaxisApiError as error:
        story.expect("a refresh token used twice ends them all", error.code, "invalid_grant")
    else:
        raise DemoFailed("a refresh token was good twice")


def _book(ready: Mapping[str, Any]) -> TrialBalance:
    operator = _known(ready, "MilkyWay operator")
    options = OperatorOptions(
        base_url=f"{ready['url']}/piaxis",
        token_url=f"{ready['url']}/milkyway/realms/sandbox/protocol/openid-connect/token",
        client_id=operator["client_id"],
        client_secret=operator["client_secret"],
    )
    with PiaxisOperatorClient(options) as back_office:
        return back_office.trial_balance()


def _known(ready: Mapping[str, Any], api: str) -> Mapping[str, str]:
    found: Mapping[str, str] = next(one for one in ready["credentials"] if one["api"] == api)
    return found
