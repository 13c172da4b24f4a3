"""Every class of damage to deliveries is found by `verify`."""

import pytest
from msgspec.structs import replace

from bursar.engine.checks import all_checks
from bursar.engine.webhooks.invariants import check
from bursar.engine.webhooks.lanes import KIND
from bursar.engine.webhooks.sending import Answer
from bursar.engine.webhooks.tables import DELIVERIES, EVENTS, INBOX, LANES, Delivery
from bursar.engine.work import WORK
from tests.engine.webhooks.hooks import Hooks


def lose_work(view, delivery: Delivery) -> None:
    view.delete(WORK, KIND, delivery.endpoint)


def give_up_work(view, delivery: Delivery) -> None:
    row = view.get(WORK, KIND, delivery.endpoint)
    view.put(WORK, replace(row, dead=True))


def lose_lane(view, delivery: Delivery) -> None:
    view.delete(LANES, delivery.endpoint, delivery.object)


def break_lane(view, delivery: Delivery) -> None:
    view.put(DELIVERIES, replace(delivery, follower=None))


def bend_lane(view, delivery: Delivery) -> None:
    view.put(DELIVERIES, replace(delivery, follower=delivery.id))


def finish_without_leaving(view, delivery: Delivery) -> None:
    view.put(DELIVERIES, replace(delivery, status="succeeded"))


def lose_event(view, delivery: Delivery) -> None:
    view.delete(EVENTS, delivery.event)


DAMAGES = [
    (lose_work, {"webhook_work"}),
    (give_up_work, {"webhook_work"}),
    (lose_lane, {"webhook_delivery"}),
    (break_lane, {"webhook_lane", "webhook_delivery"}),
    (bend_lane, {"webhook_lane", "webhook_delivery"}),
    (finish_without_leaving, {"webhook_delivery"}),
    (lose_event, {"webhook_event"}),
]


@pytest.mark.parametrize(("harm", "found"), DAMAGES)
def test_damage_is_found(harm, found: set[str]):
    assert check in all_checks()
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500)
        for number in range(3):
            hooks.emit(n=number)
        hooks.run()
        assert hooks.damages() == []
        head = hooks.deliveries(made)[0]
        hooks.tampered = True
        hooks.do(hooks.core.submit(lambda view: harm(view, head)))
        assert set(hooks.damages()) == found


def test_a_lost_inbox_is_found():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.emit()
        [delivery] = hooks.deliveries(made)
        hooks.tampered = True
        hooks.do(hooks.core.submit(lambda view: view.delete(INBOX, made.id, delivery.id)))
        assert hooks.damages() == ["webhook_delivery"]
