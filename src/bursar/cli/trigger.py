"""`bursar trigger`: makes an event of a running sandbox happen for real, by the calls that a program would make."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bursar.cli.output import console, print_json, refuse, table
from bursar.cli.sandbox import Sandbox
from bursar.contract import ApiError
from bursar.piaxis import PiaxisClient

Term = Mapping[str, Any]
_REASON: Final = "bursar trigger"
_SECRET: Final = "open sesame"  # noqa: S105 - of a sandbox's escrow, for as long as the command runs
_MANUAL: Final[Term] = {"type": "manual_release", "data": {}}
_PASSWORD: Final[Term] = {"type": "password_confirmation", "data": {"secret": _SECRET}}
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

    def phone(self, digits: str = _OK) -> str:
        """Somebody's number."""
        return f"+25670{secrets.randbelow(1000):03}{digits}"

    def buyer(self, digits: str = _OK) -> dict[str, str]:
        """Somebody new with a phone, and the code that was sent to it."""
        phone = self.phone(digits)
        self.client.request_otp({"phone_number": phone})
        return {"phone_number": phone, "otp": _OTP}

    def pay(self, digits: str = _OK) -> str:
        """A payment of 5000 UGX by mobile money; its id."""
        payload: dict[str, Any] = {"amount": "5000", "currency": "UGX", "payment_method": "mtn"}
        return self.client.create_payment({**payload, "user_info": self.buyer(digits)}).payment_id

    def escrow(self, term: Term) -> str:
        """An escrow of 50000 UGX; its id."""
        payload: dict[str, Any] = {"amount": "50000", "currency_code": "UGX", "payment_method": "mtn"}
        return self.client.create_escrow({**payload, "terms": [term], "user_info": self.buyer()}).id

    def disburse(self, *digits: str) -> str:
        """A batch of 1000 UGX to each of these phones; its id."""
        recipients = [{"phone_number": self.phone(each), "amount": "1000"} for each in digits]
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


def _cancelled(stage: Stage) -> str:
    made = stage.disburse(_OK)
    stage.client.cancel_disbursement(made, reason=_REASON)
    return f"disbursement {made} is cancelled"


def _escrow(
    did: str, action: Callable[[Stage, str], object] = lambda stage, escrow: None, term: Term = _MANUAL
) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        made = stage.escrow(term)
        action(stage, made)
        return f"escrow {made} {did}"

    return act


def _expired(stage: Stage) -> str:
    ends = stage.sandbox.clock()["now_us"] + 1_000_000
    deadline = datetime.fromtimestamp(ends / 1e6, UTC).isoformat()
    agreed = {"confirmation_method": "photo", "deadline": deadline}
    made = stage.escrow({"type": "delivery_confirmation", "data": agreed})
    stage.until(lambda: stage.sandbox.clock()["now_us"] >= ends)
    return f"escrow {made} has a term that expired"


def _batch(did: str) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        recipient = {"phone_number": stage.phone(), "amount": "1000", "terms": [_MANUAL]}
        batch = stage.client.escrow_disburse(
            recipients=[recipient], currency="UGX", payment_method="mtn"
        ).disbursement_id
        if did == "released":
            stage.client.release_escrow_disbursement(batch, force=True, reason=_REASON)
        else:
            stage.client.cancel_escrow_disbursement(batch, reason=_REASON)
        return f"escrow disbursement {batch} was {did}"

    return act


def _fulfill(stage: Stage, escrow: str) -> None:
    term = stage.client.get_escrow(escrow).terms[0]
    evidence = {"term_type": "password_confirmation", "data": {"secret": _SECRET}}
    stage.client.fulfill_escrow_term(escrow, term.term_id, evidence)


def _release(stage: Stage, escrow: str) -> None:
    stage.client.release_escrow(escrow, payload={"force": True, "reason": _REASON})


def _reverse(stage: Stage, escrow: str) -> None:
    stage.client.reverse_escrow(escrow, {"reason": _REASON})


def _dispute(stage: Stage, escrow: str) -> None:
    stage.client.dispute_escrow(escrow, {"reason": _REASON})


RECIPES: Final[Mapping[str, Callable[[Stage], str]]] = {
    "payment.pending": _payment("pending", _OK),
    "payment.succeeded": _payment("succeeded", _OK),
    "payment.failed": _payment("failed", _DECLINED),
    "escrow.created": _escrow("was created"),
    "escrow.funded": _escrow("was funded"),
    "escrow.term_fulfilled": _escrow("has its term fulfilled", _fulfill, _PASSWORD),
    "escrow.term_expired": _expired,
    "escrow.released": _escrow("was released", _release),
    "escrow.reversed": _escrow("was reversed", _reverse),
    "escrow.disputed": _escrow("is disputed", _dispute),
    "disbursement.processing": _disbursement("processing", _OK),
    "disbursement.completed": _disbursement("completed", _OK),
    "disbursement.partially_completed": _disbursement("partially_completed", _OK, _NO_RECIPIENT),
    "disbursement.failed": _disbursement("failed", _NO_RECIPIENT),
    "disbursement.cancelled": _cancelled,
    "escrow_disbursement.released": _batch("released"),
    "escrow_disbursement.cancelled": _batch("cancelled"),
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
