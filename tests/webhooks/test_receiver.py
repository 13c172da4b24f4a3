"""Deliveries of every scheme: what is accepted, what is refused, and how."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bursar.webhooks import (
    Formance,
    MemoryReplayGuard,
    Piaxis,
    PiaxisEventType,
    Reason,
    Receiver,
    Scheme,
    Signer,
    StandardWebhooks,
    WebhookVerificationError,
)

NOW = 1_700_000_000
BODY = json.dumps(
    {
        "event": "payment.succeeded",
        "webhook_id": "wh-1",
        "merchant_id": "m-1",
        "data": {"status": "succeeded", "payment_id": "p-1"},
        "timestamp": "2023-11-14T22:13:20+00:00",
    }
).encode()
SHARED = "whsec_" + base64.b64encode(bytes(range(32))).decode()
# RFC 8032 section 7.1, test 1: a private key and the public one that belongs to it.
PRIVATE = (
    "whsk_"
    + base64.b64encode(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    ).decode()
)
PUBLIC = (
    "whpk_"
    + base64.b64encode(
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    ).decode()
)
SCHEMES: dict[str, tuple[Scheme[Any], str, str, str]] = {
    "piaxis": (Piaxis(), "secret-1", "secret-1", "secret-2"),
    "formance": (Formance(), "V0bivxRWveaoz08afqjU6Ko/jwO0Cb+3", "V0bivxRWveaoz08afqjU6Ko/jwO0Cb+3", "other"),
    "v1": (StandardWebhooks(), SHARED, SHARED, "whsec_" + base64.b64encode(b"x" * 24).decode()),
    "v1a": (StandardWebhooks(), PRIVATE, PUBLIC, "whsk_" + base64.b64encode(b"y" * 32).decode()),
}


@pytest.fixture(params=list(SCHEMES))
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(*SCHEMES[request.param])


class Scene:
    """A sender, a receiver that trusts it, and an impostor."""

    def __init__(self, scheme: Scheme[Any], signing: str, verifying: str, foreign: str) -> None:
        self.scheme, self.secret, self.foreign = scheme, verifying, foreign
        self.now = float(NOW)
        self.signer = Signer(scheme, signing, clock=lambda: NOW)
        self.impostor = Signer(scheme, foreign, clock=lambda: NOW)

    def receiver(self, **settings: Any) -> Receiver[Any]:
        return Receiver(self.scheme, settings.pop("secrets", self.secret), clock=lambda: self.now, **settings)


def refused(act: Callable[[], object]) -> Reason:
    with pytest.raises(WebhookVerificationError) as caught:
        act()
    return caught.value.reason


def test_what_was_signed_is_accepted(scene: Scene) -> None:
    """PC82: bytes and text of the same body alike."""
    headers = scene.signer.sign(BODY, id="msg-1")
    assert scene.receiver().verify(BODY, headers).timestamp == NOW
    assert scene.receiver().verify(BODY.decode(), headers).timestamp == NOW
    assert scene.receiver().verify(bytearray(BODY), headers).timestamp == NOW
    assert scene.receiver().verify_and_parse(BODY, headers).body["merchant_id"] == "m-1"


def test_names_of_fields_have_no_case_and_pairs_of_bytes_do(scene: Scene) -> None:
    headers = scene.signer.sign(BODY)
    upper = {name.upper(): value for name, value in headers.items()}
    asgi = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    assert scene.receiver().verify(BODY, upper)
    assert scene.receiver().verify(BODY, asgi)


def test_a_changed_body_is_refused(scene: Scene) -> None:
    headers = scene.signer.sign(BODY)
    assert refused(lambda: scene.receiver().verify(BODY + b" ", headers)) is Reason.BAD_SIGNATURE


def test_an_impostor_is_refused(scene: Scene) -> None:
    assert refused(lambda: scene.receiver().verify(BODY, scene.impostor.sign(BODY))) is Reason.BAD_SIGNATURE


def test_a_changed_time_is_refused(scene: Scene) -> None:
    headers = {
        name: str(NOW + 1) if value == str(NOW) else value
        for name, value in scene.signer.sign(BODY, id="msg-1").items()
    }
    assert refused(lambda: scene.receiver().verify(BODY, headers)) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("late", "reason"), [(300, None), (300.5, Reason.TOO_OLD), (-300, None), (-300.5, Reason.TOO_NEW)]
)
def test_the_time_may_be_off_either_way(scene: Scene, late: float, reason: Reason | None) -> None:
    """PC79."""
    headers = scene.signer.sign(BODY)
    scene.now = NOW + late
    if reason is None:
        assert scene.receiver().verify(BODY, headers)
    else:
        assert refused(lambda: scene.receiver().verify(BODY, headers)) is reason
    assert scene.receiver(tolerance=None).verify(BODY, headers)


def test_each_field_is_needed_and_once(scene: Scene) -> None:
    headers = scene.signer.sign(BODY)
    headers.pop("X-piaxis-Signature", None)
    for name in headers:
        rest = {other: value for other, value in headers.items() if other != name}
        assert refused(lambda rest=rest: scene.receiver().verify(BODY, rest)) is Reason.MISSING
        twice = [*headers.items(), (name.lower(), headers[name])]
        assert refused(lambda twice=twice: scene.receiver().verify(BODY, twice)) is Reason.MALFORMED


def test_several_secrets_while_they_are_rotated(scene: Scene) -> None:
    """PC84."""
    both = scene.receiver(secrets=[scene.foreign, scene.secret])
    assert both.verify(BODY, scene.signer.sign(BODY))
    assert both.verify(BODY, scene.impostor.sign(BODY))


def test_the_same_delivery_twice(scene: Scene) -> None:
    receiver = scene.receiver(replays=MemoryReplayGuard())
    headers = scene.signer.sign(BODY, id="msg-1")
    assert receiver.verify(BODY, headers)
    assert refused(lambda: receiver.verify(BODY, headers)) is Reason.REPLAYED
    # The sender's own retry is signed for another time.
    assert receiver.verify(BODY, scene.signer.sign(BODY, id="msg-1", timestamp=NOW + 5))


def test_a_refused_delivery_is_not_remembered(scene: Scene) -> None:
    receiver = scene.receiver(replays=MemoryReplayGuard())
    headers = scene.signer.sign(BODY, id="msg-1")
    assert refused(lambda: receiver.verify(BODY + b"!", headers)) is Reason.BAD_SIGNATURE
    assert receiver.verify(BODY, headers)


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b'{"a": NaN}', b'{"a":1,"a":2}', b"\xff"])
def test_a_body_that_is_no_object_is_refused_though_signed(scene: Scene, body: bytes) -> None:
    headers = scene.signer.sign(body)
    assert refused(lambda: scene.receiver().verify_and_parse(body, headers)) is Reason.MALFORMED


def test_a_body_can_be_too_long(scene: Scene) -> None:
    headers = scene.signer.sign(BODY)
    assert refused(lambda: scene.receiver(max_body=10).verify(BODY, headers)) is Reason.TOO_LARGE


@pytest.mark.parametrize("secrets", ["", "  ", [], [""]])
def test_a_secret_is_needed(scene: Scene, secrets: Any) -> None:
    with pytest.raises(ValueError, match="secret"):
        scene.receiver(secrets=secrets)


def test_secrets_do_not_show(scene: Scene) -> None:
    receiver, signer = scene.receiver(), scene.signer
    assert scene.secret not in repr(receiver) + repr(vars(receiver)) + repr(vars(signer))


# Piaxis


def hexed(*parts: bytes, secret: str = "secret-1") -> str:
    return hmac.new(secret.encode(), b"".join(parts), hashlib.sha256).hexdigest()


def piaxis(**settings: Any) -> Receiver[Any]:
    return Receiver(Piaxis(**settings), "secret-1", clock=lambda: NOW)


def test_piaxis_fields_are_the_documented_ones() -> None:
    """B10: lower-case hex, no prefix, a time in Unix seconds."""
    assert Signer(Piaxis(), "secret-1").sign(BODY, timestamp=NOW) == {
        "X-piaxis-Signature": hexed(BODY),
        "X-piaxis-Signature-V2": hexed(f"{NOW}.".encode(), BODY),
        "X-piaxis-Signature-Timestamp": str(NOW),
    }


def test_px_6_the_timestamped_signature_cannot_be_left_out() -> None:
    """PX-6, PC87: the vendor's check falls back to a signature that never ends."""
    headers = {"X-piaxis-Signature": hexed(BODY)}
    assert refused(lambda: piaxis().verify(BODY, headers)) is Reason.MISSING
    assert piaxis(legacy=True).verify(BODY, headers).timestamp is None


@pytest.mark.parametrize(
    "newer",
    [
        {"X-piaxis-Signature-V2": "0" * 64, "X-piaxis-Signature-Timestamp": str(NOW)},
        {"X-piaxis-Signature-V2": hexed(f"{NOW}.".encode(), BODY)},
        {"X-piaxis-Signature-Timestamp": str(NOW)},
        {
            "X-piaxis-Signature-V2": hexed(f"{NOW - 999}.".encode(), BODY),
            "X-piaxis-Signature-Timestamp": str(NOW - 999),
        },
    ],
)
def test_a_bad_newer_signature_is_not_saved_by_a_good_legacy_one(newer: dict[str, str]) -> None:
    """PC80, PC81."""
    refused(lambda: piaxis(legacy=True).verify(BODY, {"X-piaxis-Signature": hexed(BODY), **newer}))


@pytest.mark.parametrize("moment", ["05", "-1", "1e9", "", "\uff11\uff17", "9" * 30, f"{NOW}.0"])
def test_times_are_plain_digits(moment: str) -> None:
    headers = {"X-piaxis-Signature-V2": "0" * 64, "X-piaxis-Signature-Timestamp": moment}
    assert refused(lambda: piaxis().verify(BODY, headers)) in (Reason.MALFORMED, Reason.MISSING)


def test_hex_in_capitals_is_refused() -> None:
    headers = {
        "X-piaxis-Signature-V2": hexed(f"{NOW}.".encode(), BODY).upper(),
        "X-piaxis-Signature-Timestamp": str(NOW),
    }
    assert refused(lambda: piaxis().verify(BODY, headers)) is Reason.BAD_SIGNATURE


def test_pc86_events_of_both_envelopes() -> None:
    event = piaxis().parse(BODY)
    assert (event.type, event.webhook_id, event.merchant_id) == ("payment.succeeded", "wh-1", "m-1")
    assert (event.type, event.subject) == (PiaxisEventType.PAYMENT_SUCCEEDED, "payment")
    assert (event.status, event.data["payment_id"]) == ("succeeded", "p-1")
    assert event.timestamp is not None
    assert event.timestamp.timestamp() == NOW
    older = piaxis().parse(b'{"data": {"id": "p-1"}, "timestamp": "2023-11-14T22:13:20Z"}')
    assert (older.type, older.type.is_known, older.data) == ("", False, {"id": "p-1"})


def test_an_event_that_nobody_knows_is_an_event() -> None:
    event = piaxis().parse(b'{"event": "escrow.teleported", "data": [1], "timestamp": "soon", "new": 1}')
    assert (event.type, event.type.is_known, event.subject) == ("escrow.teleported", False, "escrow")
    assert (event.timestamp, event.data, event.body["new"]) == (None, {}, 1)


def test_pc88_what_to_remember_of_an_event() -> None:
    """Its id where it has one (Bursar's engine sends one), else a hash of the body."""
    assert piaxis().parse(b'{"id": "evt-1", "event": "x", "data": {}}').key == "evt-1"
    plain = piaxis().parse(BODY).key
    assert plain == piaxis().parse(BODY).key != piaxis().parse(BODY + b" ").key


def test_events_do_not_show_what_is_in_them() -> None:
    assert "p-1" not in repr(piaxis().parse(BODY))


# Formance


def test_formance_signs_with_the_text_of_the_secret() -> None:
    """formance_services 8.2."""
    secret = "V0bivxRWveaoz08afqjU6Ko/jwO0Cb+3"
    body = b'{"app":"ledger","date":"2023-11-14T22:13:20.123456789Z","payload":{"ledger":"main"},"type":"ledger.x"}'
    mac = hmac.new(secret.encode(), b"d-1.%d." % NOW + body, hashlib.sha256).digest()
    headers = {
        "formance-webhook-id": "d-1",
        "formance-webhook-timestamp": str(NOW),
        "formance-webhook-signature": "v1," + base64.b64encode(mac).decode(),
        "formance-webhook-test": "false",
    }
    assert Signer(Formance(), secret).sign(body, id="d-1", timestamp=NOW) == {
        name: value for name, value in headers.items() if not name.endswith("test")
    }
    event = Receiver(Formance(), secret, clock=lambda: NOW).verify_and_parse(body, headers)
    assert (event.type, event.id, event.app, event.data) == ("ledger.x", "d-1", "ledger", {"ledger": "main"})
    assert event.timestamp is not None
    assert not event.is_test
    assert Receiver(Formance(), secret).parse(b'{"data":"test"}').is_test


# Standard Webhooks


def test_the_vector_of_the_specification() -> None:
    """From the reference libraries of Standard Webhooks."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    receiver = Receiver(
        StandardWebhooks(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", clock=lambda: 1614265330
    )
    event = receiver.verify_and_parse(b'{"test": 2432232314}', headers)
    assert event.key == event.id == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def standard(secrets: Any) -> Receiver[Any]:
    return Receiver(StandardWebhooks(), secrets, clock=lambda: NOW)


def test_a_list_of_signatures_needs_one_that_fits() -> None:
    headers = Signer(StandardWebhooks(), SHARED).sign(BODY, id="m", timestamp=NOW)
    good = headers["webhook-signature"]
    assert standard(SHARED).verify(BODY, {**headers, "webhook-signature": f"v1,AAAA v9,zz {good} junk"})
    many = " ".join(["v1,AAAA"] * 1000 + [good])
    assert refused(lambda: standard(SHARED).verify(BODY, {**headers, "webhook-signature": many}))


def test_the_public_key_is_no_shared_secret() -> None:
    """No downgrade: a v1 signature made with the bytes of the public key does not pass for v1a."""
    forged = Signer(StandardWebhooks(), PUBLIC.replace("whpk_", "whsec_")).sign(BODY, id="m", timestamp=NOW)
    assert refused(lambda: standard(PUBLIC).verify(BODY, forged)) is Reason.BAD_SIGNATURE


def test_from_a_shared_secret_to_a_key_pair() -> None:
    receiver = standard([SHARED, PUBLIC])
    for secret in (SHARED, PRIVATE):
        assert receiver.verify(BODY, Signer(StandardWebhooks(), secret).sign(BODY, timestamp=NOW))


def test_v1a_is_ed25519() -> None:
    """RFC 8032: the private key of its first test belongs to the public one."""
    headers = Signer(StandardWebhooks(), PRIVATE).sign(BODY, id="m", timestamp=NOW)
    assert headers["webhook-signature"].startswith("v1a,")
    assert standard(PUBLIC).verify(BODY, headers)
    with pytest.raises(ValueError, match="private"):
        Signer(StandardWebhooks(), PUBLIC).sign(BODY)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_?", "whpk_AAAA", "whsk_AAAA", "whpk_?", "not base64"])
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(ValueError, match=r"base64|bytes|32"):
        standard(secret)


def test_v1a_says_what_it_needs() -> None:
    """The only scheme with a dependency, and that is loaded late."""
    script = f"""
import sys
import bursar.webhooks as w
assert not any(name.startswith("cryptography") for name in sys.modules)
sys.modules["cryptography.hazmat.primitives.asymmetric"] = None
w.Receiver(w.StandardWebhooks(), {SHARED!r})
try:
    w.Receiver(w.StandardWebhooks(), {PUBLIC!r})
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'bursar[webhooks]'" in run.stdout


# The guard


def test_the_guard_forgets_what_cannot_come_again_and_the_oldest() -> None:
    guard = MemoryReplayGuard(capacity=2)
    assert guard.first("a", 0, 10)
    assert not guard.first("a", 10, 20)
    assert guard.first("a", 10.5, 20)
    assert guard.first("b", 11, 20)
    assert guard.first("c", 12, 20)
    assert guard.first("a", 13, 20)
    assert not guard.first("c", 14, 20)
    with pytest.raises(ValueError, match="capacity"):
        MemoryReplayGuard(0)
