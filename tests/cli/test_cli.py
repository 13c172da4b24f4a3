"""The `bursar` command as a user runs it: processes, exit codes, output."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from bursar import __version__
from bursar.formance import Formance, FormanceAuthError, FormanceOptions
from bursar.milkyway import MilkywayAuthError, MilkywayOptions, MilkywayPaymentsClient
from bursar.milkyway.operator import InstitutionSettings, MilkywayOperatorClient

BURSAR = [sys.executable, "-m", "bursar.cli"]
REQUEST: Any = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "s-1",
    "recipient_id": "slow-1",
    "amount_credit": 100,
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}


def bursar(*arguments, timeout=60):
    return subprocess.run([*BURSAR, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


@contextlib.contextmanager
def serving(*arguments):
    """Run `bursar serve --json` and give its ready line; stop it with SIGTERM and expect exit status 0."""
    process = subprocess.Popen(
        [*BURSAR, "serve", "--json", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def refusal():
    return pytest.raises(MilkywayAuthError)


def options(ready, client_id, secret):
    base = f"{ready['url']}/milkyway"
    return MilkywayOptions(base, f"{base}/realms/sandbox/protocol/openid-connect/token", client_id, secret)


def test_version():
    for arguments in (["--version"], ["--version", "serve"]):
        answer = bursar(*arguments)
        assert (answer.returncode, answer.stdout.strip()) == (0, f"bursar {__version__}")


def test_help_names_the_commands():
    text = bursar("--help").stdout
    for command in ("serve", "demo", "verify", "operator", "client"):
        assert command in text


def test_serve_says_json_when_ready_keeps_what_it_accepted_and_exits_0_on_sigterm(tmp_path):
    database = f"sqlite:///{tmp_path}/books.db"
    with serving("--sandbox", "--database", database) as ready:
        assert ready["pid"] != os.getpid()
        assert ready["sandbox"] is True
        known = {one["client_id"]: one["client_secret"] for one in ready["credentials"]}
        assert known["bank-alpha"] == "alpha-secret"
        assert known["formance-sandbox"] == "formance-sandbox-secret"
        with MilkywayPaymentsClient(options(ready, "bank-alpha", "alpha-secret")) as bank:
            payment = bank.pay(REQUEST)
    with serving("--sandbox", "--database", database) as ready:
        bank = MilkywayPaymentsClient(options(ready, "bank-alpha", "alpha-secret"))
        assert bank.postcheck(payment).transaction_id == payment
        bank.close()


def test_sigterm_finishes_the_answer_under_way(tmp_path):
    with serving("--sandbox", "--database", f"sqlite:///{tmp_path}/books.db") as ready:
        rule = json.dumps({"path": "/healthz", "drip": {"bytes": 60, "interval": 0.05}}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{ready['url']}/_bursar/faults", rule)).close()
        with urllib.request.urlopen(f"{ready['url']}/healthz") as answer:
            os.kill(ready["pid"], signal.SIGTERM)
            assert json.loads(answer.read())["status"] == "ok"


def test_a_second_server_on_the_same_file_is_refused(tmp_path):
    database = f"sqlite:///{tmp_path}/books.db"
    with serving("--sandbox", "--database", database):
        second = bursar("serve", "--sandbox", "--port", "0", "--database", database)
        assert second.returncode == 1
        assert second.stderr.startswith("bursar: ")
        assert "Traceback" not in second.stderr


def test_a_port_in_use_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = bursar("serve", "--port", port, "--database", f"sqlite:///{tmp_path}/books.db")
    assert answer.returncode == 1
    assert port in answer.stderr
    assert not (tmp_path / "books.db").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--workers", "2"], "one writing process"),
        (
            ["--database", "postgresql://user:secret@localhost:1/books"],
            "cannot open postgresql://user@localhost:1/books",
        ),
        (["--database", "postgresql://localhost:1/books", "--workers", "2", "--sandbox"], "clock"),
        (["--ledger-flags", "--experimental"], "the ledger has no flag"),
        (["--database", "books.db"], "sqlite:///"),
        (["--database", "sqlite:////no/such/place/books.db"], "no directory"),
    ],
)
def test_what_this_release_cannot_do_is_refused_clearly(arguments, reason):
    answer = bursar("serve", "--port", "0", *arguments)
    assert answer.returncode in (1, 2)
    assert reason in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_first_operator_of_a_real_database(tmp_path):
    database = f"sqlite:///{tmp_path}/hub.db"
    made = bursar("operator", "create", "back-office", "--database", database, "--json")
    assert made.returncode == 0, made.stderr
    secret = json.loads(made.stdout)["client_secret"]
    assert len(secret) == 43
    assert bursar("operator", "create", "back-office", "--database", database).returncode == 1
    bank_secret = json.loads(bursar("client", "create", "north", "--database", database, "--json").stdout)[
        "client_secret"
    ]
    with serving("--database", database) as ready:
        assert ready["credentials"] == []
        with MilkywayOperatorClient(options(ready, "back-office", secret)) as operator:
            operator.put_institution("north", InstitutionSettings(name="North Bank"))
        with MilkywayPaymentsClient(options(ready, "bank-alpha", "alpha-secret")) as stranger, refusal():
            stranger.postcheck(1)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{ready['url']}/_bursar/clock")
        assert bursar("client", "revoke", "north", "--database", database).returncode == 1  # in use
    assert bursar("client", "revoke", "north", "--database", database).returncode == 0
    assert bursar("client", "revoke", "nobody", "--database", database).returncode == 1
    with (
        serving("--database", database) as ready,
        MilkywayPaymentsClient(options(ready, "north", bank_secret)) as north,
        pytest.raises(MilkywayAuthError),
    ):
        north.postcheck(1)


def test_rotation_has_two_live_secrets(tmp_path):
    database = f"sqlite:///{tmp_path}/hub.db"
    first = json.loads(bursar("operator", "create", "ops", "--database", database, "--json").stdout)[
        "client_secret"
    ]
    second = json.loads(bursar("client", "rotate", "ops", "--database", database, "--json").stdout)[
        "client_secret"
    ]

    def accepted(ready, secret):
        form = {"grant_type": "client_credentials", "client_id": "ops", "client_secret": secret}
        url = options(ready, "ops", secret).token_url
        try:
            urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()).close()
        except urllib.error.HTTPError:
            return False
        return True

    with serving("--database", database) as ready:
        assert [accepted(ready, secret) for secret in (first, second)] == [True, True]
    assert bursar("client", "retire", "ops", "--database", database).returncode == 0
    with serving("--database", database) as ready:
        assert [accepted(ready, secret) for secret in (first, second)] == [False, True]


def test_the_stacks_first_client_makes_further_ones(tmp_path):
    database = f"sqlite:///{tmp_path}/books.db"
    created = bursar("formance", "create", "root", "--database", database, "--json")
    secret = json.loads(created.stdout)["client_secret"]
    assert bursar("formance", "create", "root", "--database", database).returncode == 1
    reading = bursar("formance", "create", "eyes", "--scope", "ledger:read", "--database", database, "--json")
    flags = "--auth-enabled --auth-check-scopes --auth-service=ledger"
    with serving("--database", database, "--ledger-flags", flags) as ready:
        stack = f"{ready['url']}/formance"
        with Formance(FormanceOptions(stack, "root", secret)) as root:
            root.ledger.v2.create_ledger("main")
            assert [client.id for client in root.auth.v1.list_clients()] == ["root", "eyes"]
        seen = FormanceOptions(stack, "eyes", json.loads(reading.stdout)["client_secret"])
        with Formance(seen) as eyes:
            assert [ledger.name for ledger in eyes.ledger.v2.list_ledgers()] == ["main"]
            with pytest.raises(FormanceAuthError):
                eyes.ledger.v2.create_ledger("other")


def test_verify_is_silent_about_a_sound_database_and_names_damage(tmp_path):
    database = f"sqlite:///{tmp_path}/books.db"
    with serving("--sandbox", "--database", database) as ready:
        with MilkywayPaymentsClient(options(ready, "bank-alpha", "alpha-secret")) as bank:
            bank.pay(REQUEST)
        beside = bursar("verify", "--database", database, "--json")  # beside the running server
        assert (beside.returncode, json.loads(beside.stdout)["ok"]) == (0, True)
    sound = bursar("verify", "--database", database)
    assert sound.returncode == 0, sound.stderr
    assert "verified" in sound.stdout
    with contextlib.closing(sqlite3.connect(tmp_path / "books.db")) as books, books:
        books.execute("UPDATE volumes SET input = input + 1 WHERE account LIKE 'transit:%'")
    damaged = bursar("verify", "--database", database)
    assert damaged.returncode == 1
    assert "transit:USD" in damaged.stdout
    report = json.loads(bursar("verify", "--database", database, "--json").stdout)
    assert report["ok"] is False
    assert report["damages"]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("hello " * 1000)
    (tmp_path / "locked.db.lock").mkdir()
    for name in ("notes.txt", "", "locked.db"):
        for command in ("verify", "serve"):
            port = ["--port", "0"] if command == "serve" else []
            answer = bursar(command, *port, "--database", f"sqlite:///{tmp_path}/{name}")
            assert answer.returncode == 1
            assert answer.stderr.startswith("bursar: "), answer.stderr
            assert "Traceback" not in answer.stderr
    assert (tmp_path / "notes.txt").read_text() == "hello " * 1000


@pytest.mark.parametrize("database", ["sqlite:///no-such.db", "sqlite://", "postgresql://localhost/x"])
def test_verify_needs_a_database(database):
    answer = bursar("verify", "--database", database)
    assert answer.returncode == 1
    assert answer.stderr.startswith("bursar: ")


def test_a_table_of_credentials_for_people_and_a_log_for_programs(tmp_path):
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [
                *BURSAR,
                "serve",
                "--sandbox",
                "--port",
                "0",
                "--access-log",
                "--log-format",
                "json",
                "--database",
                f"sqlite:///{tmp_path}/b.db",
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        urllib.request.urlopen(f"{first.split(' on ')[1].split()[0]}/healthz").close()
        process.send_signal(signal.SIGINT)
        out = first + process.stdout.read()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    for word in ("bank-alpha", "alpha-secret", "bank-beta", "hub-operator", "/milkyway"):
        assert word in out
    assert json.loads((tmp_path / "log").read_text())["path"] == "/healthz"


def test_demo_ends_with_verified_books():
    answer = bursar("demo")
    assert answer.returncode == 0, answer.stderr
    for words in (
        "Service is available",
        "DONE",
        "declined",
        "CANCELLED",
        "402",
        "Trial balance of MilkyWay, USD",
        "20000.00",
        "30000.00",
        "completed, 2 of 2 paid",
        "invalid_grant",
        "each signature verified",
        "Trial balance of Piaxis, UGX",
        "verified",
    ):
        assert words in answer.stdout


def test_demo_for_programs():
    told = bursar("demo", "--json")
    assert told.returncode == 0
    assert json.loads(told.stdout)["ok"] is True
