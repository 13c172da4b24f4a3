"""Whatever a sender makes up, a receiver has one answer."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.piaxis.security import verify_webhook_signature
from bursar.webhooks import Receiver, Signer, WebhookVerificationError
from tests.webhooks.test_receiver import NOW, SCHEMES

TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["", " ", "v1,", "v1a,AAAA", "v1,=", "v1 v1", "0" * 64, str(NOW), "1e5", "²", "\udc80", "\0"]
    ),
)
ANYTHING = st.one_of(
    TEXTS, st.binary(max_size=80), st.none(), st.integers(), st.lists(st.integers(), max_size=2)
)
PARTS = ("id", "timestamp", "signature")
NAMES = st.sampled_from(
    [
        *("X-piaxis-Signature", "X-piaxis-Signature-V2", "X-piaxis-Signature-Timestamp"),
        *(
            f"{prefix}-{rest}"
            for prefix in ("webhook", "formance-webhook")
            for rest in ("id", "timestamp", "signature")
        ),
    ]
)
HEADERS: Any = st.one_of(
    st.dictionaries(st.one_of(NAMES, ANYTHING.filter(lambda value: not isinstance(value, list))), ANYTHING),
    st.lists(st.tuples(NAMES, ANYTHING), max_size=8),
    st.dictionaries(NAMES, TEXTS),
    st.none(),
    st.just(7),
    st.just(["ab", "c"]),
)
BODIES: Any = st.one_of(ANYTHING, st.sampled_from([b"{}", b'{"event": 1}', b"[" * 100]))


@pytest.mark.parametrize("name", list(SCHEMES))
@given(BODIES, HEADERS)
@settings(max_examples=150)
def test_garbage_is_one_kind_of_error(name: str, body: Any, headers: Any) -> None:
    scheme, _, secret, _ = SCHEMES[name]
    receiver = Receiver(scheme, secret, clock=lambda: NOW)
    with pytest.raises(WebhookVerificationError):
        receiver.verify_and_parse(body, headers)


@pytest.mark.parametrize("name", list(SCHEMES))
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
    )
)
@settings(max_examples=100)
def test_what_a_good_sender_signs_is_read_or_refused(name: str, body: bytes) -> None:
    scheme, signing, secret, _ = SCHEMES[name]
    receiver = Receiver(scheme, secret, clock=lambda: NOW)
    headers = Signer(scheme, signing).sign(body, timestamp=NOW)
    assert receiver.verify(body, headers).timestamp == NOW
    with contextlib.suppress(WebhookVerificationError):
        receiver.verify_and_parse(body, headers)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
KNOWN = st.dictionaries(
    st.sampled_from(["id", "event", "type", "timestamp", "date", "data", "payload", "app"]), JSON
)


@pytest.mark.parametrize("name", list(SCHEMES))
@given(KNOWN)
@settings(max_examples=100)
def test_every_object_is_an_event(name: str, members: dict[str, Any]) -> None:
    scheme, _, secret, _ = SCHEMES[name]
    event = Receiver(scheme, secret).parse(json.dumps(members))
    assert event.body == members


@given(BODIES, ANYTHING, ANYTHING, ANYTHING, st.one_of(ANYTHING, st.lists(TEXTS, max_size=2)), ANYTHING)
@settings(max_examples=300)
def test_pc83_the_vendors_function_says_false(
    body: Any, signature: Any, newer: Any, timestamp: Any, secret: Any, tolerance: Any
) -> None:
    """PX-6: the vendor's own raises TypeError for a signature that is not ASCII."""
    assert not verify_webhook_signature(
        body,
        secret=secret,
        signature=signature,
        signature_v2=newer,
        timestamp=timestamp,
        tolerance_seconds=tolerance,
    )
