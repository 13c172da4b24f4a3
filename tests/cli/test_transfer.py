"""Whole ledgers between SQLite, PostgreSQL and a running server: the same bytes everywhere."""

import json
import subprocess
import sys

import pytest

from bursar import Engine

BURSAR = [sys.executable, "-m", "bursar.cli"]


def bursar(*arguments, given=b""):
    return subprocess.run([*BURSAR, *arguments], input=given, capture_output=True, check=False, timeout=120)


@pytest.fixture
def books(tmp_path):
    """A database with a ledger of every kind of log."""
    url = f"sqlite:///{tmp_path}/books.db"
    with Engine.open(url) as engine, engine.formance() as client:
        ledger = client.ledger.v2
        ledger.create_ledger("main")
        for number in range(20):
            posting = {"source": "world", "destination": f"a{number}", "amount": 10**number, "asset": "USD/2"}
            ledger.create_transaction("main", {"postings": [posting], "metadata": {"n": "é<&>"}})
        ledger.revert_transaction("main", 3)
        ledger.add_metadata_to_account("main", "a1", {"k": "v"})
        ledger.delete_account_metadata("main", "a1", "k")
    return url


def test_exports_and_imports_give_the_same_bytes_on_every_store(books, tmp_path, postgres):
    first = bursar("export", "main", "--database", books)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count(b"\n") == 23
    places = [f"sqlite:///{tmp_path}/copy.db", postgres.database(), f"sqlite:///{tmp_path}/back.db"]
    lines = first.stdout
    for place in places:
        taken = bursar("import", "main", "--database", place, "--json", given=lines)
        assert json.loads(taken.stdout) == {"ledger": "main", "imported": 23, "already_there": 0}, (
            taken.stderr
        )
        lines = bursar("export", "main", "--database", place).stdout
        assert lines == first.stdout
        assert bursar("verify", "--database", place).returncode == 0


def test_a_file_is_whole_or_not_there(books, tmp_path):
    file = tmp_path / "main.jsonl"
    assert bursar("export", "main", "--database", books, "--to", str(file)).returncode == 0
    assert file.read_bytes().count(b"\n") == 23
    other = tmp_path / "other.jsonl"
    refused = bursar("export", "nothing", "--database", books, "--to", str(other))
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"no ledger 'nothing'" in refused.stderr
    assert sorted(path.name for path in tmp_path.glob("*.jsonl*")) == ["main.jsonl"]


def test_an_interrupted_import_goes_on_and_a_changed_log_is_refused(books, tmp_path):
    lines = bursar("export", "main", "--database", books).stdout.splitlines(keepends=True)
    place = f"sqlite:///{tmp_path}/copy.db"
    assert bursar("import", "main", "--database", place, given=b"".join(lines[:7])).returncode == 0
    forged = [*lines[:10], lines[10].replace(b'"amount":10000000000', b'"amount":10000000001'), *lines[11:]]
    assert forged != lines
    refused = bursar("import", "main", "--database", place, given=b"".join(forged))
    assert refused.returncode == 1
    assert b"invalid hash" in refused.stderr
    done = bursar("import", "main", "--database", place, given=b"".join(lines))
    assert done.returncode == 0, done.stderr
    assert bursar("export", "main", "--database", place).stdout == b"".join(lines)


def test_a_ledger_with_writes_of_its_own_takes_no_logs(books):
    lines = bursar("export", "main", "--database", books).stdout
    refused = bursar("import", "main", "--database", books, given=lines)
    assert refused.returncode == 1
    assert b"not in initializing state" in refused.stderr
