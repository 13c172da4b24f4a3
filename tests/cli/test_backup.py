"""`bursar backup`, pg_dump and `bursar migrate`, beside servers that are written to."""

import json
import subprocess
import threading
from contextlib import contextmanager

from bursar.formance import Formance, FormanceOptions
from tests.cli.test_workers import BURSAR, POSTING, serving
from tests.engine.postgres_server import Server, directory


def bursar(*arguments):
    return subprocess.run([*BURSAR, *arguments], capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def written_to(url):
    """Writes all the time; gives the list of the ids that were acknowledged."""
    options = FormanceOptions(url + "/formance", max_retries=8, retry_base_delay=0.05)
    stop, acknowledged, failures = threading.Event(), [], []

    def load():
        try:
            with Formance(options) as client:
                client.ledger.v2.create_ledger("books")
                while not stop.is_set():
                    key = str(len(acknowledged))
                    client.ledger.v2.create_transaction("books", {"postings": [POSTING]}, idempotency_key=key)
                    acknowledged.append(key)
        except Exception as error:  # noqa: BLE001 - the test fails by it, in its own thread
            failures.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        while len(acknowledged) < 20:
            assert not failures, failures
            stop.wait(0.01)
        yield acknowledged
    finally:
        stop.set()
        thread.join()
    assert not failures, failures


def logs(database):
    report = json.loads(bursar("verify", "--json", "--database", database).stdout)
    assert report["ok"], report
    return report["logs"]


def serves(database):
    """A server on it takes one more transaction."""
    before = logs(database)
    with (
        serving("--database", database) as (ready, _),
        Formance(FormanceOptions(ready["url"] + "/formance")) as client,
    ):
        client.ledger.v2.create_transaction("books", {"postings": [POSTING]})
    assert logs(database) == before + 1


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(tmp_path):
    copy = tmp_path / "copy.db"
    with (
        serving("--database", f"sqlite:///{tmp_path}/hub.db") as (ready, _),
        written_to(ready["url"]) as acknowledged,
    ):
        before = len(acknowledged)
        made = bursar("backup", "--json", "--database", f"sqlite:///{tmp_path}/hub.db", "--to", str(copy))
        assert made.returncode == 0, made.stderr
    assert before <= json.loads(made.stdout)["logs"] <= len(acknowledged) + 1
    assert oct(copy.stat().st_mode & 0o777) == "0o600"
    assert not list(tmp_path.glob("copy.db.part*"))
    again = bursar("backup", "--database", f"sqlite:///{tmp_path}/hub.db", "--to", str(copy))
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    serves(f"sqlite:///{copy}")


def test_backups_that_cannot_be_made_are_explained(tmp_path):
    to = str(tmp_path / "copy.db")
    assert (
        "no such database"
        in bursar("backup", "--database", f"sqlite:///{tmp_path}/none.db", "--to", to).stderr
    )
    assert "pg_dump" in bursar("backup", "--database", "postgresql://h/d", "--to", to).stderr
    assert not list(tmp_path.iterdir())


def test_migrate_says_where_a_database_is(tmp_path):
    database = f"sqlite:///{tmp_path}/hub.db"
    with serving("--database", database):
        told = bursar("migrate", "--check", "--json", "--database", database)
    assert (told.returncode, json.loads(told.stdout)["revision"]) == (0, "0001")
    missing = bursar("migrate", "--database", f"sqlite:///{tmp_path}/none.db")
    assert (missing.returncode, "there is no database" in missing.stderr) == (1, True)


def test_a_dump_under_load_is_restored_and_serves(postgres):
    """`postgres` makes the user that PostgreSQL's programs run as."""
    with directory() as place:
        server = Server(place / "a")
        server.make()
        server.start()
        try:
            where = ("-h", server.socket, "-U", "postgres")
            with serving("--database", server.url) as (ready, _), written_to(ready["url"]) as acknowledged:
                before = len(acknowledged)
                server.command("pg_dump", *where, "-Fc", "-f", place / "a" / "dump", "postgres")
            server.command("createdb", *where, "restored")
            server.command("pg_restore", *where, "--exit-on-error", "-d", "restored", place / "a" / "dump")
            restored = f"postgresql://postgres@/restored?host={server.socket}"
            assert before <= logs(restored) <= len(acknowledged) + 1
            serves(restored)
        finally:
            server.stop()
