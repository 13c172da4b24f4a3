"""Managing endpoints: what is refused, rotation (PS108), deletion, replay, trials."""

import hashlib
import hmac
from typing import Any

import pytest

from bursar.engine.errors import Conflict, NotFound
from bursar.engine.webhooks import emit
from bursar.engine.webhooks.errors import BadEndpoint
from bursar.engine.webhooks.sending import Answer
from bursar.engine.webhooks.tables import EVENTS, INBOX, LANES
from tests.engine.webhooks.hooks import DAY, OWNER, SECOND, Hooks, Received

OLD, NEW = "whsec_the/former/secret/AAAAAA", "whsec_the/newest/secret/AAAAAA"


def signer(got: Received) -> str:
    """Which secret the Piaxis headers of a request were made with."""
    moment = got.headers["x-piaxis-signature-timestamp"].encode()
    for secret in (OLD, NEW):
        digest = hmac.new(secret.encode(), moment + b"." + got.body, hashlib.sha256).hexdigest()
        if digest == got.headers["x-piaxis-signature-v2"]:
            return secret
    raise AssertionError("signed with neither")


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        ({"url": "http://shop.example.com"}, ["INVALID_URL"]),
        ({"url": "https://" + "a" * 2000}, ["INVALID_URL"]),
        ({"events": []}, ["INVALID_EVENTS"]),
        ({"events": ["payment.suceeded"]}, ["INVALID_EVENTS"]),
        ({"secret": "short"}, ["INVALID_SECRET"]),
        ({"secret": "whsec_not base64 at all"}, ["INVALID_SECRET"]),
        ({"secret": "whsec_===============!!"}, ["INVALID_SECRET"]),
        ({"description": "x" * 501}, ["INVALID_DESCRIPTION"]),
        ({"url": "ftp://x", "events": ["nothing"]}, ["INVALID_URL", "INVALID_EVENTS"]),
    ],
)
def test_what_an_endpoint_cannot_be(wrong: dict, codes: list[str]):
    with Hooks() as hooks:
        given: dict[str, Any] = {"url": "https://shop.example.com", "events": ["*"], **wrong}
        with pytest.raises(BadEndpoint) as refused:
            hooks.do(hooks.service.create(OWNER, **given))
        assert [problem.code for problem in refused.value.problems] == codes
        assert hooks.do(hooks.service.list(OWNER)) == []


def test_an_owner_has_a_bounded_number_of_endpoints():
    with Hooks() as hooks:
        for _ in range(50):
            hooks.add()
        with pytest.raises(BadEndpoint, match="delete one first"):
            hooks.add()
        assert len(hooks.do(hooks.service.list(OWNER))) == 50


def test_somebody_elses_endpoint_is_not_there():
    with Hooks() as hooks:
        made = hooks.add()
        for call in (
            hooks.service.get("merchant-2", made.id),
            hooks.service.update("merchant-2", made.id, active=False),
            hooks.service.delete("merchant-2", made.id),
            hooks.service.rotate("merchant-2", made.id),
            hooks.service.test("merchant-2", made.id),
            hooks.service.deliveries("merchant-2", made.id),
            hooks.service.replay_all("merchant-2", made.id, statuses=["failed"]),
        ):
            with pytest.raises(NotFound):
                hooks.do(call)


def test_secrets_are_never_printed():
    with Hooks() as hooks:
        made = hooks.add(secret=OLD)
        assert OLD not in repr(made)


def test_ps108_the_former_secret_is_good_for_24_hours():
    """A receiver that knows only the former secret loses nothing for 24 hours, and gets the new one's after that."""
    with Hooks() as hooks:
        made = hooks.add(secret=OLD)
        hooks.endpoints.reply = lambda got: Answer(200 if signer(got) == OLD else 401)
        hooks.do(hooks.service.rotate(OWNER, made.id, secret=NEW))
        hooks.emit(object_="escrow:1")
        hooks.run()
        assert [signer(got) for got in hooks.received] == [OLD]
        assert len(hooks.received[0].headers["webhook-signature"].split()) == 2, "both, where there is room"
        hooks.clock.advance(DAY)
        hooks.emit(object_="escrow:2")
        hooks.run()
        assert signer(hooks.received[-1]) == NEW
        assert len(hooks.received[-1].headers["webhook-signature"].split()) == 1


def test_ps108_a_receiver_that_knows_the_new_secret_gets_everything_by_the_second_try():
    with Hooks() as hooks:
        made = hooks.add(secret=OLD)
        hooks.endpoints.reply = lambda got: Answer(200 if signer(got) == NEW else 401)
        hooks.do(hooks.service.rotate(OWNER, made.id, secret=NEW))
        hooks.emit(object_="escrow:1")
        hooks.run()
        hooks.next()
        hooks.emit(object_="escrow:2")
        hooks.run()
        assert [signer(got) for got in hooks.received] == [OLD, NEW, NEW], "once seen to work it stays"
        assert {row.status for row in hooks.deliveries(made)} == {"succeeded"}


def test_ps108_without_overlap_the_former_secret_ends_at_once():
    with Hooks() as hooks:
        made = hooks.add(secret=OLD)
        hooks.do(hooks.service.rotate(OWNER, made.id, secret=NEW, overlap=0))
        hooks.emit()
        hooks.run()
        assert signer(hooks.received[0]) == NEW


def test_a_changed_url_and_secret_count_for_the_next_try():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500 if got.url == made.url else 200)
        hooks.emit()
        hooks.run()
        hooks.do(hooks.service.update(OWNER, made.id, url="https://new.example.com/"))
        hooks.run_all()
        assert [got.url for got in hooks.received] == [made.url, "https://new.example.com/"]


def test_deleting_cancels_what_was_on_its_way():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        for number in range(3):
            hooks.emit(object_="escrow:1", n=number)
        hooks.run()
        hooks.emit(object_="escrow:2")
        hooks.do(hooks.service.delete(OWNER, made.id))
        hooks.run_all()
        assert len(hooks.received) == 1
        left = hooks.do(hooks.core.read(lambda view: (view.count(LANES), view.count(INBOX))))
        assert left == (0, 0)
        with pytest.raises(NotFound):
            hooks.endpoint(made)


def test_a_dead_letter_is_replayed_as_a_new_cycle_of_the_same_event():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        hooks.emit()
        hooks.run_all()
        [dead] = hooks.deliveries(made)
        hooks.endpoints.reply = lambda got: Answer(200)
        again = hooks.do(hooks.service.replay(OWNER, made.id, dead.id))
        assert (again.status, again.generation, again.attempts) == ("pending", 1, 0)
        hooks.run()
        [done] = hooks.deliveries(made)
        assert (done.status, done.attempts) == ("succeeded", 1)
        assert [(row.generation, row.number) for row in hooks.attempts(done)][-2:] == [(0, 8), (1, 1)]
        assert hooks.received[0].body == hooks.received[-1].body


def test_what_waits_for_its_next_try_can_be_tried_now():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500 if len(hooks.received) == 1 else 200)
        hooks.emit()
        hooks.run()
        [waiting] = hooks.deliveries(made)
        hooks.do(hooks.service.replay(OWNER, made.id, waiting.id))
        hooks.run()
        assert [got.at for got in hooks.received] == [hooks.clock.now()] * 2
        assert hooks.deliveries(made)[0].generation == 0


def test_bulk_replay_by_status_and_time():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        hooks.emit(object_="early", n=1)
        hooks.clock.advance(60 * SECOND)
        since = hooks.clock.now()
        for number in (2, 3):
            hooks.emit(object_=f"late-{number}", n=number)
        hooks.run_all()
        hooks.received.clear()
        hooks.endpoints.reply = lambda got: Answer(200)
        replay = hooks.service.replay_all(OWNER, made.id, statuses=["failed"], since=since)
        assert hooks.do(replay) == 2
        hooks.run()
        assert [got.message["data"]["n"] for got in hooks.received] == [2, 3]
        assert hooks.do(hooks.service.replay_all(OWNER, made.id, statuses=["failed"], until=since)) == 1
        assert hooks.do(hooks.service.replay_all(OWNER, made.id, statuses=["failed"])) == 0


def test_nothing_is_replayed_to_an_endpoint_that_is_off():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.emit()
        hooks.run()
        [done] = hooks.deliveries(made)
        hooks.do(hooks.service.update(OWNER, made.id, active=False))
        with pytest.raises(Conflict, match="activate"):
            hooks.do(hooks.service.replay(OWNER, made.id, done.id))
        with pytest.raises(Conflict, match="activate"):
            hooks.do(hooks.service.replay_all(OWNER, made.id, statuses=["succeeded"]))


def test_a_trial_is_sent_once_also_to_an_endpoint_that_is_off_and_leaves_nothing():
    with Hooks() as hooks:
        made = hooks.add(secret=OLD, active=False)
        hooks.do(hooks.service.rotate(OWNER, made.id, secret=NEW))
        hooks.endpoints.reply = lambda got: Answer(500)
        tried = hooks.do(hooks.service.test(OWNER, made.id))
        assert tried.answer.status_code == 500
        [got] = hooks.received
        assert got.message["event"] == "payment.succeeded"
        assert got.message["data"]["status"] == "succeeded"
        assert signer(got) == NEW
        hooks.run_all()
        assert len(hooks.received) == 1
        assert hooks.do(hooks.core.read(lambda view: view.count(EVENTS))) == 0


def test_many_deliveries_are_cancelled_and_replayed():
    """More than a command may ask for one by one."""

    def many(view):
        for number in range(600):
            emit(
                view, source="piaxis", owner=OWNER, type="escrow.released", object=f"escrow:{number}", data={}
            )

    with Hooks() as hooks:
        made = hooks.add()
        hooks.do(hooks.core.submit(many))
        hooks.run()
        assert hooks.do(hooks.service.replay_all(OWNER, made.id, statuses=["succeeded"])) == 600
        assert hooks.failures() == []
        hooks.do(hooks.service.delete(OWNER, made.id))
        hooks.run_all()
        assert hooks.failures() == []
        assert len(hooks.received) == 600
