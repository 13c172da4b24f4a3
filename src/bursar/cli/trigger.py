"""`bursar trigger`: makes an event of a running sandbox happen for real, by the calls that a program would make."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from bursar.cli.output import console, print_json, refuse, table
from bursar.cli.sandbox import Sandbox
from bursar.contract import ApiError
from bursar.piaxis import PiaxisClient

_OTP: Final = "123456"
_PAUSE_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 20.0
_OK, _DECLINED, _NO_RECIPIENT = "0001", "9902", "9904"
"""The last digits of a phone number tell the simulated providers what to do."""


class Stage:
    """What the recipes act with. Each returns what it made, for people to read."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client: PiaxisClient = sandbox.piaxis

    def buyer(self, digits: str = _OK) -> dict[str, str]:
        """Somebody new with a phone, and the code that was sent to it."""
        phone = f"+25670{secrets.randbelow(1000):03}{digits}"
        self.client.request_otp({"phone_number": phone})
        return {"phone_number": phone, "otp": _OTP}

    def pay(self, digits: str = _OK) -> str:
        """A payment of 5000 UGX by mobile money; its id."""
        payload: dict[str, Any] = {"amount": "5000", "currency": "UGX", "payment_method": "mtn"}
        return self.client.create_payment({**payload, "user_info": self.buyer(digits)}).payment_id

    def escrow(self, *terms: Mapping[str, Any]) -> str:
        """An escrow of 50000 UGX; its id."""
        wanted = list(terms) or [{"type": "manual_release", "data": {}}]
        payload: dict[str, Any] = {"amount": "50000", "currency_code": "UGX", "payment_method": "mtn"}
        return self.client.create_escrow({**payload, "terms": wanted, "user_info": self.buyer()}).id

    def disburse(self, *digits: str) -> str:
        """A batch of 1000 UGX to each of these phones; its id."""
        recipients = [
            {"phone_number": f"+25670{secrets.randbelow(1000):03}{each}", "amount": "1000"} for each in digits
        ]
        made = self.client.disburse(recipients=recipients, currency="UGX", payment_method="mtn")
        return made.disbursement_id

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait for the sandbox to do its part; a frozen clock is moved to what is due next."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not reached():
            if time.monotonic() > deadline:
                refuse("it did not happen: see what the sandbox's clock and its provider rules say")
            if self.sandbox.clock()["frozen"]:
                self.sandbox.run_to_next()
            else:
                time.sleep(_PAUSE_SECONDS)


def _payment(status: str, digits: str) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        made = stage.pay(digits)
        stage.until(lambda: status == "pending" or stage.client.get_payment(made).status == status)
        return f"payment {made} is {status}"

    return act


def _disbursement(status: str, *digits: str) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        made = stage.disburse(*digits)
        stage.until(lambda: status == "processing" or stage.client.get_disbursement(made).status == status)
        return f"disbursement {made} is {status}"

    return act


def _escrow(
    did: str, action: Callable[[Stage, str], object] = lambda stage, escrow: None
) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        made = stage.escrow()
        action(stage, made)
        return f"escrow {made} was {did}"

    return act


def _fulfill(stage: Stage, escrow: str) -> None:
    term = stage.client.get_escrow(escrow).terms[0]
    evidence = {"term_type": term.type, "data": {"approved": True}}
    stage.client.fulfill_escrow_term(escrow, term.term_id, evidence)


def _release(stage: Stage, escrow: str) -> None:
    stage.client.release_escrow(escrow, payload={"force": True, "reason": "bursar trigger"})


def _reverse(stage: Stage, escrow: str) -> None:
    stage.client.reverse_escrow(escrow, {"reason": "bursar trigger"})


def _dispute(stage: Stage, escrow: str) -> None:
    stage.client.dispute_escrow(escrow, {"reason": "bursar trigger"})


RECIPES: Final[Mapping[str, Callable[[Stage], str]]] = {
    "payment.pending": _payment("pending", _OK),
    "payment.succeeded": _payment("succeeded", _OK),
    "payment.failed": _payment("failed", _DECLINED),
    "escrow.created": _escrow("created"),
    "escrow.funded": _escrow("funded"),
    "escrow.term_fulfilled": _escrow("brought to a fulfilled term", _fulfill),
    "escrow.released": _escrow("released", _release),
    "escrow.reversed": _escrow("reversed", _reverse),
    "escrow.disputed": _escrow("disputed", _dispute),
    "disbursement.processing": _disbursement("processing", _OK),
    "disbursement.completed": _disbursement("completed", _OK),
    "disbursement.partially_completed": _disbursement("partially_completed", _OK, _NO_RECIPIENT),
    "disbursement.failed": _disbursement("failed", _NO_RECIPIENT),
}


def run(event: str, url: str, api_key: str, *, as_json: bool) -> None:
    """Make an event happen, or list what can be made when none is named."""
    if not event:
        return _list(as_json=as_json)
    if event not in RECIPES:
        refuse(f"there is no recipe for {event!r}; known are {', '.join(RECIPES)}", status=2)
    with Sandbox(url, api_key) as sandbox:
        try:
            told = RECIPES[event](Stage(sandbox))
        except ApiError as error:
            refuse(f"the sandbox refused: {error}")
    if as_json:
        print_json({"event": event, "made": told})
    else:
        console().print(f"[green]{event}[/]  {told}", soft_wrap=True)
    return None


def _list(*, as_json: bool) -> None:
    if as_json:
        print_json({"events": list(RECIPES)})
    else:
        table("Events that `bursar trigger` makes happen", ["Event"], [[name] for name in RECIPES])
