"""The checks of A12 find what they are for: each is broken once, in the database itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from bursar.engine.books import REFERENCES, VOLUMES
from bursar.engine.kernel import NewTransaction, Posting
from bursar.engine.milkyway.invariants import check
from bursar.engine.milkyway.lifecycle import ALARM
from bursar.engine.milkyway.tables import KEYS, PAYMENTS, Payment
from bursar.engine.verify import verify_database
from bursar.engine.view import ReadView, View
from tests.engine.milkyway.rail import MINUTE, OPERATOR, SECOND, Rail


def history(rail: Rail) -> dict[str, Payment]:
    """A payment in each status, by name."""
    numbers = {
        "done": rail.pay("ok-1", key="k"),
        "failed": rail.pay("decline-1"),
        "stuck": rail.pay("silent-1"),
    }
    rail.advance(15 * MINUTE)
    numbers["pending"] = rail.pay("slow-1")
    return {name: rail.row(number) for name, number in numbers.items()}


def put(**changes: object) -> Callable[[View, Payment], None]:
    return lambda view, payment: view.put(PAYMENTS, replace(payment, **changes))


def post(source: str, destination: str, **metadata: str) -> Callable[[View, Payment], None]:
    def command(view: View, payment: Payment) -> None:
        told = {"payment": str(payment.id), **metadata} if metadata else {}
        entries = [Posting(source, destination, 5, "USD/2")]
        overdraft = dict.fromkeys((source,))
        view.post("milkyway", NewTransaction(entries, told, overdraft=overdraft))

    return command


def unbalance(view: View, payment: Payment) -> None:
    row = view.get(VOLUMES, "milkyway", "nostro:house:USD", "USD/2")
    assert row is not None
    view.put(VOLUMES, replace(row, input=row.input + 1))


def move_key(view: View, payment: Payment) -> None:
    row = view.get(KEYS, "bank-alpha", "k")
    assert row is not None
    view.put(KEYS, replace(row, institution="bank-beta"))


DAMAGES: list[tuple[str, Callable[[View, Payment], None], str]] = [
    ("pending", put(status=5), "balance: transit:USD"),
    ("pending", put(status=5), "balance: suspense:stuck:USD"),
    ("pending", put(status=3), "balance: receivable:bank-alpha:USD"),
    ("done", put(status=3), "payment postings"),
    ("done", put(status=0), "payment postings"),
    ("done", put(bank="bank-alpha"), "balance: payable:bank-beta:UZS"),
    ("done", put(returned_at=1), "payment postings"),
    ("stuck", put(status=1), "payment postings"),
    ("pending", post("transit:USD", "balance: income:commission:USD"), "balance: transit:USD"),
    ("done", post("income:commission:USD", "fx:position:USD"), "balance: income:commission:USD"),
    ("done", post("fx:position:USD", "nostro:house:USD", step="failed"), "endings"),
    ("pending", unbalance, "zero sum"),
    ("pending", lambda view, payment: view.unschedule(ALARM, str(payment.id)), "alarm"),
    ("pending", lambda view, payment: view.delete(PAYMENTS, payment.id), "balance: transit:USD"),
    ("done", move_key, "key"),
    (
        "done",
        lambda view, payment: view.delete(REFERENCES, "milkyway", f"payment:{payment.id}:final"),
        "payment postings",
    ),
]


@pytest.mark.parametrize(("name", "damage", "told"), DAMAGES)
def test_a12_damage_is_found(name: str, damage: Callable[[View, Payment], None], told: str) -> None:
    with Rail() as rail:
        payment = history(rail)[name]
        assert found(rail) == []
        rail.do(rail.core.submit(lambda view: damage(view, payment)))
        assert any(told in each for each in found(rail))


def found(rail: Rail) -> list[str]:
    def query(view: ReadView) -> list[str]:
        return [str(damage) for damage in check(view)]

    return rail.do(rail.core.read(query))


def test_the_trial_balance_tells_the_problems_too() -> None:
    with Rail() as rail:
        rail.pay()
        rail.do(rail.core.submit(_shift))
        book = rail.do(rail.operator.trial_balance(OPERATOR))
    assert book.problems
    assert any(book.sums.values())


def _shift(view: View) -> None:
    row = view.get(VOLUMES, "milkyway", "transit:USD", "USD/2")
    assert row is not None
    view.put(VOLUMES, replace(row, input=row.input + 1))


def test_verify_checks_the_rail_in_a_file(tmp_path: Path) -> None:
    with Rail(f"sqlite:///{tmp_path}/rail.db") as rail:
        payment = rail.pay()
        rail.advance(SECOND)
        row = rail.row(payment)
        rail.do(rail.core.submit(lambda view: view.put(PAYMENTS, replace(row, status=3))))
        report = rail.do(verify_database(f"sqlite:///{tmp_path}/rail.db"))
    assert {damage.kind for damage in report.damages} == {"balance", "payment postings"}
