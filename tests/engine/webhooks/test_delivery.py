"""What is sent, when it is tried again, and when it is given up (PS104 to PS107, PS110)."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from bursar.engine.webhooks import emit
from bursar.engine.webhooks.sending import NO_ANSWER, Answer
from bursar.engine.webhooks.tables import DELIVERIES, EVENTS
from tests.engine.webhooks.hooks import DAY, MINUTE, OWNER, SCHEDULE, SECOND, T0, Hooks

SECRET = "a-secret-of-a-merchant"


def signature(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_ps104_all_signature_headers_are_over_the_bytes_sent():
    with Hooks() as hooks:
        hooks.add(secret=SECRET)
        hooks.emit(amount="5000.00", name="Śmigły")
        hooks.run()
        [got] = hooks.received
    moment = got.headers["x-piaxis-signature-timestamp"]
    assert moment == str(T0 // SECOND)
    assert got.headers["x-piaxis-signature"] == signature(SECRET, got.body)
    assert got.headers["x-piaxis-signature-v2"] == signature(SECRET, moment.encode() + b"." + got.body)
    assert got.headers["content-type"] == "application/json"
    assert got.message["data"] == {"amount": "5000.00", "name": "Śmigły"}


def test_ps104_standard_webhooks_headers_are_there_too():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.emit()
        hooks.run()
        [got] = hooks.received
    assert made.secret.startswith("whsec_")
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    digest = hmac.new(b64decode(made.secret[6:]), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == "v1," + b64encode(digest).decode()


def test_ps105_the_envelope_and_its_id_are_the_same_at_every_try():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500 if len(hooks.received) < 3 else 204)
        event = hooks.emit("payment.succeeded", "payment:1", payment_id="p-1")
        hooks.run_all()
    assert hooks.received[0].message == {
        "id": event,
        "event": "payment.succeeded",
        "webhook_id": made.id,
        "merchant_id": OWNER,
        "data": {"payment_id": "p-1"},
        "timestamp": "2023-11-14T22:13:20+00:00",
    }
    assert len(hooks.received) == 3
    assert len({got.body for got in hooks.received}) == 1
    assert {got.headers["webhook-id"] for got in hooks.received} == {event}


@pytest.mark.parametrize("failure", [Answer(500), Answer(302), Answer(400), Answer(NO_ANSWER, "no answer")])
def test_ps106_the_schedule_of_retries(failure: Answer):
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: failure
        hooks.emit()
        hooks.run_all()
        [delivery] = hooks.deliveries(made)
        attempts = hooks.attempts(delivery)
    times = [got.at for got in hooks.received]
    pauses = [after - before for before, after in pairwise(times)]
    assert len(pauses) == len(SCHEDULE)
    for pause, planned in zip(pauses, SCHEDULE, strict=True):
        assert planned <= pause <= planned * 1.1
    assert pauses != SCHEDULE, "there is jitter"
    stamps = [got.headers["x-piaxis-signature-timestamp"] for got in hooks.received]
    assert stamps == [str(at // SECOND) for at in times]
    assert len({got.headers["x-piaxis-signature-v2"] for got in hooks.received}) == 8
    assert (delivery.status, delivery.attempts) == ("failed", 8)
    assert [attempt.number for attempt in attempts] == list(range(1, 9))
    assert [attempt.at for attempt in attempts] == times
    assert attempts[0].outcome == "retryable_failure"
    assert attempts[-1].outcome == "permanent_failure"
    assert attempts[0].status_code == failure.status_code


@pytest.mark.parametrize(
    ("field", "pause"),
    [
        ("120", 120 * SECOND),
        ("1", 5 * SECOND),  # shorter than the schedule: the schedule counts
        ("999999999999999999999", DAY),  # not for ever
        (
            format_datetime(datetime.fromtimestamp(T0 // SECOND, UTC) + timedelta(minutes=3), usegmt=True),
            3 * MINUTE,
        ),
        ("Tue, 14 Nov 2000 22:13:20 GMT", 5 * SECOND),
        ("soon", 5 * SECOND),
        ("-5", 5 * SECOND),
    ],
)
def test_ps106_retry_after_is_honoured_within_bounds(field: str, pause: int):
    with Hooks() as hooks:
        hooks.add()
        hooks.endpoints.reply = lambda got: Answer(503, retry_after=field)
        hooks.emit()
        hooks.run()
        waited = hooks.next()
    assert waited is not None
    assert pause <= waited <= pause + SECOND


def test_an_attempt_log_says_what_was_answered():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(
            500, "answered 500", excerpt="out of order" * 100, duration_us=12
        )
        hooks.emit()
        hooks.run()
        [delivery] = hooks.deliveries(made)
        [attempt] = hooks.attempts(delivery)
    assert (attempt.status_code, attempt.error, attempt.duration_us) == (500, "answered 500", 12)
    assert attempt.excerpt.startswith("out of order")
    assert len(attempt.excerpt) == 500
    assert attempt.url == made.url
    assert (delivery.last_status_code, delivery.last_error) == (500, "answered 500")
    assert delivery.next_attempt_at is not None


def test_ps107_counts_failures_and_forgets_them_with_a_success():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        hooks.emit()
        hooks.run()
        hooks.next()
        failing = hooks.endpoint(made)
        assert (failing.failure_count, failing.last_triggered_at) == (2, hooks.clock.now())
        assert failing.failing_since == T0
        hooks.endpoints.reply = lambda got: Answer(200)
        hooks.next()
        well = hooks.endpoint(made)
    assert (well.failure_count, well.failing_since, well.active) == (0, None, True)


def test_ps107_switches_off_after_sustained_failure_and_goes_on_when_switched_on():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        for number in range(8):
            hooks.emit(object_=f"escrow:{number}")
        hooks.run_all()
        off = hooks.endpoint(made)
        tried = len(hooks.received)
        assert not off.active
        assert off.failure_count >= 50
        assert off.disabled_reason is not None
        assert "attempts in a row failed since 2023-11-14" in off.disabled_reason
        held = [row for row in hooks.deliveries(made) if row.status == "pending"]
        assert held, "what waits is kept"
        hooks.emit(object_="escrow:while-off")
        hooks.run_all()
        assert len(hooks.received) == tried, "nothing is sent to it"
        hooks.endpoints.reply = lambda got: Answer(200)
        hooks.do(hooks.service.update(OWNER, made.id, active=True))
        hooks.run_all()
        assert len(hooks.received) == tried + len(held)
        assert hooks.endpoint(made).failure_count == 0


def test_ps107_many_failures_in_a_short_time_switch_nothing_off():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        for number in range(60):
            hooks.emit(object_=f"escrow:{number}")
        hooks.run()
        assert hooks.endpoint(made).failure_count == 60
        assert hooks.endpoint(made).active


def test_ps107_gone_switches_off_at_once():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(410)
        hooks.emit()
        hooks.run_all()
        assert len(hooks.received) == 1
        assert hooks.endpoint(made).disabled_reason == "it answered 410"


def test_ps110_no_event_without_its_cause():
    """A command that fails leaves neither event nor delivery."""

    def command(view):
        emit(view, source="piaxis", owner=OWNER, type="escrow.created", object="escrow:1", data={})
        raise ValueError("the escrow was not made")

    with Hooks() as hooks:
        hooks.add()
        with pytest.raises(ValueError, match="not made"):
            hooks.do(hooks.core.submit(command))
        hooks.run_all()
        assert hooks.received == []
        assert hooks.do(hooks.core.read(lambda view: view.count(EVENTS) + view.count(DELIVERIES))) == 0


def test_one_command_tells_of_any_number_of_objects():
    def command(view):
        for number in range(700):
            emit(
                view,
                source="piaxis",
                owner=OWNER,
                type="escrow.released",
                object=f"escrow:{number}",
                data={"n": number},
            )

    with Hooks() as hooks:
        hooks.add()
        hooks.do(hooks.core.submit(command))
        hooks.run_all()
        assert sorted(got.message["data"]["n"] for got in hooks.received) == list(range(700))


def test_e22_only_what_was_subscribed_to_arrives_under_the_name_subscribed_to():
    with Hooks() as hooks:
        hooks.add("payment.completed", url="https://old.example.com/")
        hooks.add("payment.succeeded", "payment.completed", url="https://both.example.com/")
        hooks.add("escrow.created", url="https://other.example.com/")
        hooks.add("*", url="https://all.example.com/")
        hooks.add("*", url="https://off.example.com/", active=False)
        hooks.add("*", url="https://stranger.example.com/", owner="merchant-2")
        hooks.emit("payment.succeeded", "payment:1")
        hooks.run_all()
    assert sorted((got.url, got.message["event"]) for got in hooks.received) == [
        ("https://all.example.com/", "payment.succeeded"),
        ("https://both.example.com/", "payment.succeeded"),
        ("https://old.example.com/", "payment.completed"),
    ]


def test_what_cannot_be_made_does_not_hold_up_the_rest():
    """A fault in a sender is a failed attempt, not the end of the endpoint's work."""

    def reply(got):
        if got.message["data"]["n"] == 1:
            raise TypeError("a fault")
        return Answer(200)

    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = reply
        for number in range(3):
            hooks.emit(object_=f"escrow:{number}", n=number)
        hooks.run()
        assert [row.status for row in hooks.deliveries(made)] == ["succeeded", "pending", "succeeded"]


def test_the_same_seed_gives_the_same_deliveries():
    def history() -> list[tuple[int, bytes, str]]:
        with Hooks() as hooks:
            hooks.add()
            hooks.endpoints.reply = lambda got: Answer(500 if len(hooks.received) % 3 else 200)
            for number in range(6):
                hooks.emit(object_=f"escrow:{number % 3}", n=number)
            hooks.run_all()
            return [(got.at, got.body, got.headers["x-piaxis-signature-v2"]) for got in hooks.received]

    assert history() == history()
