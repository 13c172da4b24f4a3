"""What is particular to wallets, webhooks and reconciliation, as a caller sees it."""

from typing import Any
from uuid import UUID

import pytest

from bursar.contract import InvalidRequestError
from bursar.formance import (
    ErrorCode,
    Formance,
    FormanceConflictError,
    FormanceNotFoundError,
    FormanceOptions,
    FormanceUnreadableAnswerError,
)
from bursar.formance.reconciliation.models import Evaluation, EvaluationResult, Outcome, Rule
from bursar.formance.wallets.models import (
    AccountSubject,
    Amount,
    Debit,
    Hold,
    SubjectType,
    UnknownSubject,
    WalletSubject,
)
from bursar.formance.webhooks.models import ConfigOptions, NewSecret, WebhookConfig
from tests.client.server import Action, Recorded, Server, reply

WHEN = "2026-01-02T03:04:05.12Z"
SECRET = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
HOLD = {"id": "h", "walletID": "w", "asset": "USD/2", "metadata": {}, "description": ""}
CONFIG = {
    "id": "i", "endpoint": "https://a.example", "secret": SECRET, "eventTypes": ["x"], "active": True, "name": "",
    "createdAt": WHEN, "updatedAt": WHEN,
}  # fmt: skip


def client(url: str) -> Formance:
    return Formance(FormanceOptions(url, max_retries=2, retry_base_delay=0.0))


def test_a_debit_gives_a_hold_only_when_it_is_pending() -> None:
    def answer(request: Recorded) -> Action:
        return reply({"data": HOLD}, status=201) if request.json.get("pending") else reply(b"", status=204)

    with Server(answer) as server, client(server.url) as api:
        amount = Amount("USD/2", 10**30)
        assert api.wallets.v1.debit_wallet("w", Debit(amount=amount)) is None
        hold = api.wallets.v1.debit_wallet("w", Debit(amount=amount, pending=True))
    assert hold == Hold(id="h", wallet_id="w", asset="USD/2", metadata={}, description="")


def test_an_empty_200_is_no_debit() -> None:
    with (
        Server(lambda _: reply(b"", status=200)) as server,
        client(server.url) as api,
        pytest.raises(FormanceUnreadableAnswerError),
    ):
        api.wallets.v1.debit_wallet("w", {"amount": {"asset": "USD/2", "amount": 1}})


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("ACCOUNT", AccountSubject(identifier="a")),
        ("WALLET", WalletSubject(identifier="a", balance=None)),
    ],
)
def test_subjects_are_told_apart_by_their_type(kind: str, subject: Any) -> None:
    hold = Hold.from_dict({**HOLD, "destination": {"type": kind, "identifier": "a"}})
    assert hold.destination == subject
    assert subject.type is SubjectType(kind)


def test_a_subject_of_an_unknown_type_is_kept() -> None:
    body = {**HOLD, "destination": {"type": "CARD", "identifier": "a", "network": "visa"}}
    hold = Hold.from_dict(body)
    assert isinstance(hold.destination, UnknownSubject)
    assert not hold.destination.type.is_known
    assert hold.destination.to_payload() == body["destination"]


def test_a_wallet_that_is_not_there_and_a_conflict() -> None:
    """The server's 404 has no body; CONFLICT is not in the published contract."""

    def answer(request: Recorded) -> Action:
        if request.method == "GET":
            return reply(b"", status=404)
        return reply({"errorCode": "CONFLICT", "errorMessage": "taken"}, status=409)

    with Server(answer) as server, client(server.url) as api:
        with pytest.raises(FormanceNotFoundError) as missing:
            api.wallets.v1.get_wallet("w")
        with pytest.raises(FormanceConflictError, match="taken") as taken:
            api.wallets.v1.create_wallet({"name": "n"}, idempotency_key="k")
    assert missing.value.error_code is None
    assert taken.value.error_code is ErrorCode.CONFLICT


@pytest.mark.parametrize(
    "model",
    [
        ConfigOptions(endpoint="e", event_types=["x"], secret=SECRET),
        NewSecret(secret=SECRET),
        WebhookConfig.from_dict(CONFIG),
    ],
)
def test_secrets_of_webhooks_are_not_shown(model: Any) -> None:
    assert SECRET not in repr(model)
    assert model.secret == SECRET


def test_a_replay_gets_a_key_of_its_own_and_keeps_it() -> None:
    """The service insists on a key: without one of the caller's each call has a fresh UUID, the same when repeated."""
    seen: list[str] = []

    def answer(request: Recorded) -> Action:
        seen.append(request.header("idempotency-key") or "")
        if len(seen) == 1:
            return reply(b"", status=503)
        told = {"replayed": 1, "expedited": 0, "skipped": 0, "hasMore": False, "createdAtTo": WHEN}
        return reply({"data": told})

    with Server(answer) as server, client(server.url) as api:
        for _ in range(2):
            assert api.webhooks.v1.replay_deliveries({"createdAtFrom": WHEN}).replayed == 1
    first, repeated, second = seen
    assert UUID(first)
    assert first == repeated != second


def test_evidence_is_outcomes_or_a_failure() -> None:
    told: dict[str, Any] = {
        "id": "e", "ruleID": "r", "startedAt": WHEN, "endedAt": WHEN, "createdAt": WHEN, "result": "FAIL",
        "evidence": [{"fingerprint": "asset:USD/2", "passed": False, "evidence": {"drift": 10**30}}],
    }  # fmt: skip
    failed = Evaluation.from_dict(told)
    assert failed.result is EvaluationResult.FAILED
    assert failed.evidence == [Outcome(fingerprint="asset:USD/2", passed=False, evidence={"drift": 10**30})]
    broken = Evaluation.from_dict({**told, "result": "ERROR", "evidence": {"error": "no ledger"}})
    assert broken.evidence == {"error": "no ledger"}


def test_a_rule_of_a_later_server_decodes() -> None:
    """Cadence became periodType, and templates that this version does not know appeared."""
    told = {
        "id": "r", "name": "n", "templateKind": "v2_flow", "templateSpec": {"a": 1}, "enabled": True,
        "severity": "urgent", "createdAt": WHEN, "updatedAt": WHEN, "periodType": "daily", "new": [1],
    }  # fmt: skip
    rule = Rule.from_dict(told)
    assert not rule.template_kind.is_known
    assert not rule.severity.is_known
    assert (rule.cadence, rule.period_type) == (None, "daily")
    assert rule.extra == {"new": [1]}


@pytest.mark.parametrize(
    "config",
    [
        {"name": "shop", "apiKey": "k"},
        {"provider": "Acme", "name": "shop", "colour": "red"},
        {"provider": "Dummypay", "name": "shop", "directory": "/d", "filePollingPeriod": "30s"},
    ],
)
def test_configurations_that_no_model_knows_go_as_they_are(config: dict[str, str]) -> None:
    """A provider without a model, a member of an older server, no ``provider`` (which servers ignore anyway)."""
    with Server(lambda _: reply({"data": "c"}, status=202)) as server, client(server.url) as api:
        assert api.payments.v3.install_connector("any", config) == "c"
    assert server.requests[0].json == config


def test_a_configuration_that_misses_a_member_is_not_sent() -> None:
    with client("http://127.0.0.1:9") as api, pytest.raises(InvalidRequestError, match="apiKey"):
        api.payments.v3.install_connector("stripe", {"provider": "Stripe", "name": "shop"})
