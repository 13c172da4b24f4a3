"""`bursar api`: a command for every operation of every client, against a sandbox in a process of its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from bursar.cli.api import command
from bursar.cli.api_catalog import APIS
from bursar.cli.api_options import BODIES, OWN, Slot, slots
from bursar.cli.commands import app
from tests.cli.test_cli import BURSAR, serving

GROUPS = [
    pytest.param(group, id=f"{api.name} {group.name}")
    for api in APIS.values()
    for group in api.groups.values()
]
ENDPOINTS = [
    operation.endpoint
    for api in APIS.values()
    for group in api.groups.values()
    for operation in group.operations.values()
]
TAKEN = {"FORMANCE_", "MILKYWAY_", "PIAXIS_"}
BIG = 123456789012345678901234567890
POSTING = {"source": "world", "destination": "shop", "amount": BIG, "asset": "USD/2"}


@pytest.fixture(scope="module")
def environment():
    """The environment of a shell in which all three APIs are those of one sandbox."""
    with serving("--sandbox", "--database", "sqlite://") as ready:
        url = ready["url"]
        token_url = f"{url}/milkyway/realms/sandbox/protocol/openid-connect/token"
        yield {
            "FORMANCE_URL": f"{url}/formance",
            "FORMANCE_CLIENT_ID": "formance-sandbox",
            "FORMANCE_CLIENT_SECRET": "formance-sandbox-secret",
            "MILKYWAY_BASE_URL": f"{url}/milkyway",
            "MILKYWAY_TOKEN_URL": token_url,
            "MILKYWAY_CLIENT_ID": "bank-alpha",
            "MILKYWAY_CLIENT_SECRET": "alpha-secret",
            "PIAXIS_API_KEY": "piaxis-sandbox-key",
            "PIAXIS_API_BASE_URL": f"{url}/piaxis/api",
            "PIAXIS_OPERATOR_BASE_URL": f"{url}/piaxis",
            "PIAXIS_OPERATOR_TOKEN_URL": token_url,
            "PIAXIS_OPERATOR_CLIENT_ID": "hub-operator",
            "PIAXIS_OPERATOR_CLIENT_SECRET": "operator-secret",
        }


def shell(environment, *arguments, given=""):
    kept = {name: value for name, value in os.environ.items() if name.partition("_")[0] + "_" not in TAKEN}
    return subprocess.run(
        [*BURSAR, "api", *arguments],
        env={**kept, **environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def inside(environment, *arguments, given=""):
    """The same in this process, which is quicker."""
    unset: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith(tuple(TAKEN)))
    return CliRunner().invoke(app, ["api", *arguments], env={**unset, **environment}, input=given)


def answer(environment, *arguments, given="") -> Any:
    result = inside(environment, *arguments, given=given)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_round_trip_through_the_ledger_keeps_every_digit(environment):
    assert shell(environment, "formance", "ledger", "create-ledger", "round").returncode == 0
    data = json.dumps({"postings": [POSTING], "metadata": {"note": "as it is"}})
    made = shell(
        environment, "formance", "ledger", "create-transaction", "round", "--data", data, "--json",
        "--reference", "order-1",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert f'"amount":{BIG},' in made.stdout
    written = json.loads(made.stdout)
    assert (written["reference"], written["metadata"]) == ("order-1", {"note": "as it is"})
    read = answer(
        environment, "formance", "ledger.v2", "get-transaction", "round", str(written["id"]), "--json"
    )
    assert read["postings"] == [POSTING]
    assert answer(environment, "formance", "ledger", "get-balances-aggregated", "round", "--json") == {
        "USD/2": 0
    }
    assert answer(environment, "formance", "ledger", "count-accounts", "round", "--json") == 2


def test_the_older_version_of_a_service_has_a_name_of_its_own(environment):
    inside(environment, "formance", "ledger", "create-ledger", "older")
    for name in ("ledger-v1", "ledger.v1"):
        assert answer(environment, "formance", name, "read-stats", "older") == {
            "accounts": 0,
            "transactions": 0,
        }


def test_bodies_come_from_files_and_standard_input(environment, tmp_path):
    inside(environment, "formance", "ledger", "create-ledger", "bodies")
    create = ("formance", "ledger", "create-transaction", "bodies", "--data")
    text = json.dumps({"postings": [POSTING]})
    file = tmp_path / "transaction.json"
    file.write_text(text)
    assert answer(environment, *create, f"@{file}")["id"] == 1
    assert answer(environment, *create, "-", given=text)["id"] == 2


def test_streams_go_out_and_come_in_byte_for_byte(environment, tmp_path):
    inside(environment, "formance", "ledger", "create-ledger", "from")
    inside(environment, "formance", "ledger", "create-ledger", "to")
    for _ in range(2):
        inside(
            environment, "formance", "ledger", "create-transaction", "from",
            "--postings", json.dumps([POSTING]),
        )  # fmt: skip
    logs = shell(environment, "formance", "ledger", "export-logs", "from").stdout
    file = tmp_path / "logs"
    file.write_text(logs)
    assert shell(environment, "formance", "ledger", "import-logs", "to", "--data", f"@{file}").returncode == 0
    assert len(logs.splitlines()) == 2
    assert shell(environment, "formance", "ledger", "export-logs", "to").stdout == logs


def test_listings_go_through_pages_when_told(environment):
    inside(environment, "formance", "ledger", "create-ledger", "pages")
    wanted = {"targetType": "ACCOUNT", "metadata": {}}
    elements = [{"action": "ADD_METADATA", "data": {**wanted, "targetId": f"a:{n}"}} for n in range(5)]
    script = "\n".join(map(json.dumps, elements))
    stream = inside(environment, "formance", "ledger", "create-bulk-stream", "pages", "--data", script)
    assert stream.exit_code == 0, stream.stderr
    listing = ("formance", "ledger", "list-accounts", "pages", "--page-size", "2", "--json")

    def shown(*more):
        lines = inside(environment, *listing, *more).stdout.splitlines()
        return [json.loads(line)["address"] for line in lines]

    assert shown() == ["a:0", "a:1"]
    assert shown("--limit", "3") == ["a:0", "a:1", "a:2"]
    assert shown("--all") == [f"a:{n}" for n in range(5)]
    assert shown("--data", '{"$match": {"address": "a:4"}}') == ["a:4"]


def test_a_quote_from_milkyway(environment):
    quote = shell(
        environment, "milkyway", "payments", "precheck", "--third-party-id-debit", "bank-beta", "--service-id",
        "card-payout", "--recipient-id", "r-1", "--amount-credit", "100.00", "--currency-credit", "USD",
        "--data", '{"data": {"passport": "AA1234567"}}',
    )  # fmt: skip
    assert quote.returncode == 0, quote.stderr
    assert '"amount_credit":100.00,' in quote.stdout
    assert json.loads(quote.stdout)["currency_debit"] == "UZS"


def test_an_operator_has_credentials_of_another_client(environment):
    operator = {"MILKYWAY_CLIENT_ID": "hub-operator", "MILKYWAY_CLIENT_SECRET": "operator-secret"}
    as_operator = ("milkyway", "operator", "list-payments", "--status", "done")
    assert answer({**environment, **operator}, *as_operator) == {"payments": []}
    refused = inside(environment, *as_operator)
    assert (refused.exit_code, refused.stdout) == (1, "")
    listed = answer(environment, "piaxis", "operator", "list-accounts", "--limit", "1")
    assert len(listed["accounts"]) == 1


def test_a_payment_through_piaxis(environment):
    payer = {"phone_number": "+256700000001"}
    otp = answer(environment, "piaxis", "otp", "request-otp", "--data", json.dumps(payer))["otp"]
    secret = json.dumps({"user_info": {**payer, "otp": otp}})
    made = answer(
        environment, "piaxis", "payments", "create-payment", "--amount", "15000", "--currency", "UGX",
        "--payment-method", "mtn", "--idempotency-key", "order-1", "--data", "-", given=secret,
    )  # fmt: skip
    assert (made["status"], made["amount"]) == ("pending", "15,000.00")
    found = answer(environment, "piaxis", "payments", "get-payment", made["payment_id"])
    assert found["id"] == made["payment_id"]
    listed = inside(environment, "piaxis", "payments", "list-merchant-payments", "--limit", "1", "--all")
    assert [json.loads(line)["payment_id"] for line in listed.stdout.splitlines()] == [made["payment_id"]]


def test_oauth_is_called_without_credentials_unless_told(environment):
    ask = (
        "piaxis", "auth", "authorize-test", "--merchant-id", "11111111-1111-4111-8111-111111111111",
        "--external-user-id", "u-1", "--redirect-uri", "https://merchant.example.com/oauth/callback",
    )  # fmt: skip
    assert inside(environment, *ask).exit_code == 1
    assert "code" in answer(environment, *ask, "--as-owner")


def test_a_refusal_is_one_line_with_code_status_and_outcome(environment):
    inside(environment, "formance", "ledger", "create-ledger", "poor")
    empty = {**POSTING, "source": "nobody"}
    refused = shell(
        environment, "formance", "ledger", "create-transaction", "poor", "--postings", json.dumps([empty]),
        "--idempotency-key", "once-1",
    )  # fmt: skip
    assert (refused.returncode, refused.stdout) == (1, "")
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("bursar: create_transaction: [400 INSUFFICIENT_FUND] ")
    assert "outcome rejected, idempotency key once-1" in refused.stderr


def test_nobody_there_is_a_line_too():
    gone = shell({}, "formance", "stack", "get-versions", "--url", "http://127.0.0.1:1")
    assert (gone.returncode, len(gone.stderr.splitlines())) == (1, 1)
    assert "[0] " in gone.stderr
    assert "outcome not_sent" in gone.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["formance", "ledger", "get-transaction", "books", "first"], "expected integer, not 'first'"),
        (["formance", "ledger", "get-transaction", "books"], "Missing argument"),
        (["formance", "ledger", "get-ledger", ".."], "dot segment"),
        (
            ["formance", "ledger", "list-accounts", "books", "--pit", "yesterday"],
            "expected time (RFC 3339)",
        ),
        (["formance", "ledger", "list-accounts", "books", "--pages", "2"], "No such option"),
        (["formance", "ledger", "create-transaction", "books"], "needs a body"),
        (["formance", "ledger", "create-transaction", "books", "--data", "{"], "not JSON"),
        (["formance", "ledger", "create-transaction", "books", "--data", "@/no/such"], "No such file"),
        (["formance", "ledger", "create-transaction", "books", "--postings", "[x"], "expected list of"),
        (
            ["formance", "ledger", "create-transaction", "books", "--data", '{"postngs": []}'],
            "not a known member",
        ),
        (["formance", "ledger-v1", "list-transactions", "books", "--metadata", "k"], "KEY=VALUE"),
        (["formance", "ledger", "no-such"], "No such command"),
        (["formance", "no-such"], "No such command"),
        (["no-such"], "No such command"),
        (["milkyway", "payments", "postcheck", "--transaction-id", "-1"], "at least 0"),
        (["milkyway", "payments", "precheck", "--amount-credit", "1e"], "expected decimal"),
        (["piaxis", "payments", "get-payment", " "], "1 to 255 long"),
    ],
)
def test_bad_usage_is_said_before_anything_is_sent(arguments, said):
    nowhere = {
        "FORMANCE_URL": "http://127.0.0.1:1",
        "MILKYWAY_BASE_URL": "http://127.0.0.1:1",
        "MILKYWAY_TOKEN_URL": "http://127.0.0.1:1",
        "MILKYWAY_CLIENT_ID": "a",
        "MILKYWAY_CLIENT_SECRET": "b",
        "PIAXIS_API_BASE_URL": "http://127.0.0.1:1",
        "PIAXIS_API_KEY": "c",
    }
    result = inside(nowhere, *arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert said in result.stderr


def test_what_the_environment_lacks_is_named():
    result = inside({}, "milkyway", "payments", "healthcheck", "--third-party-id", "b", "--service-id", "s")
    assert (result.exit_code, result.stderr) == (
        2,
        "bursar: set MILKYWAY_BASE_URL in the environment, or give --url\n",
    )


def sample(slot: Slot) -> list[str]:
    """An argument that fits a slot."""
    if slot.style == "flag":
        return [slot.flag]
    if slot.enum is not None:
        text = slot.metavar.split("|")[0]
    elif slot.style == "pairs":
        text = "key=value"
    elif "A-Z]{3}" in repr(slot.kind):
        text = "USD"
    else:
        text = {"INTEGER": "7", "DECIMAL": "1.50", "TIME": "2026-01-01T00:00:00Z", "JSON": "[]"}.get(
            slot.metavar, "7"
        )
    return [text] if slot.role == "argument" else [slot.flag, text]


@pytest.mark.parametrize("group", GROUPS)
def test_every_operation_has_a_command_and_its_parameters_parse(group, monkeypatch):
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("bursar.cli.api.perform", lambda *call: seen.append(call[3]))
    for operation in group.operations.values():
        endpoint = operation.endpoint
        found = slots(endpoint)
        flags = [slot.flag for slot in found]
        assert len(set(flags)) == len(flags)
        assert not {slot.flag for slot in found if slot.role == "member"} & OWN
        bodies = {param.name for param in endpoint.params if param.place in BODIES}
        parameters = {slot.target for slot in found if slot.role != "member"}
        assert parameters | bodies == {param.name for param in endpoint.params}
        arguments = [part for slot in found for part in sample(slot)]
        command(group, operation).main(arguments, prog_name="bursar", standalone_mode=False)
        given = seen.pop()
        assert given.keys() == {slot.name for slot in found}
        assert all(value is not None for value in given.values())


@pytest.mark.parametrize("group", GROUPS)
def test_the_help_of_a_command_says_what_is_called(group):
    for operation in list(group.operations.values())[:3]:
        description = operation.endpoint.description
        shown = CliRunner().invoke(app, ["api", group.api, group.name, operation.command, "--help"])
        assert shown.exit_code == 0
        assert f"{description.verb}{description.path}" in "".join(shown.stdout.split())


def test_help_lists_groups_and_operations_with_their_first_line():
    apis = CliRunner().invoke(app, ["api", "--help"]).stdout
    assert all(api in apis for api in APIS)
    groups = CliRunner().invoke(app, ["api", "formance", "--help"]).stdout
    assert all(name in groups for name in APIS["formance"].groups)
    operations = CliRunner().invoke(app, ["api", "milkyway", "payments", "--help"]).stdout
    assert "precheck     Quote a payment" in operations


def test_secrets_are_no_options():
    """What a model hides can be read by others on a command line: it goes into --data."""
    hidden = {"--client-secret", "--secret", "--mfa-code", "--user-info", "--code", "--refresh-token"}
    flags = {slot.flag for endpoint in ENDPOINTS for slot in slots(endpoint)}
    assert not flags & hidden


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("bursar api form", {"formance"}),
        ("bursar api formance ledger create-tr", {"create-transaction"}),
        ("bursar api formance ledger list-accounts --page", {"--page-size"}),
        ("bursar api milkyway operator list-payments --status canc", {"cancelled", "cancel_pending"}),
    ],
)
def test_the_shell_completes(words, expected):
    environment = {
        **os.environ,
        "_BURSAR_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    script = "import sys; sys.argv[0] = 'bursar'; from bursar.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert set(shown.stdout.split()) == expected


def test_naming_the_commands_loads_no_contract():
    """`bursar --help` and `bursar serve` do not pay for what they do not use."""
    script = (
        "import sys, typer.main; from bursar.cli.commands import app\n"
        "typer.main.get_command(app); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {
        name for name in loaded if name.startswith(("bursar.contract", "bursar.cli.api", "bursar.formance"))
    }
