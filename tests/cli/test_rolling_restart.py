"""Several servers on one PostgreSQL are restarted one after another, under load."""

import contextlib
import json
import signal
import subprocess
import threading

from bursar.formance import Formance, FormanceApiError, FormanceOptions
from tests.cli.test_workers import BURSAR, POSTING, serving

WRITERS = 3


class Load:
    """Writers that turn to the next server when one does not answer, with the same key."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls
        self.acknowledged: dict[str, int] = {}
        self.healed = 0
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Wait until so many more writes were acknowledged."""
        wanted = len(self.acknowledged) + count
        while len(self.acknowledged) < wanted:
            assert not self.failures, self.failures
            self._stop.wait(0.005)

    def _write(self, writer: int) -> None:
        try:
            number = 0
            while not self._stop.is_set():
                key, number = f"{writer}-{number}", number + 1
                self.acknowledged[key] = self._made(key, writer + number)
        except BaseException as error:  # noqa: BLE001 - the test fails by it, in its own thread
            self.failures.append(error)

    def _made(self, key: str, turn: int) -> int:
        for attempt in range(200):
            url = self.urls[(turn + attempt) % len(self.urls)]
            with Formance(FormanceOptions(url + "/formance", max_retries=0)) as client:
                try:
                    body = {"postings": [POSTING]}
                    return client.ledger.v2.create_transaction("books", body, idempotency_key=key).id
                except FormanceApiError as error:
                    # A connection refused or closed, a server that drains.
                    if error.status_code not in (0, 503):
                        raise
                    self.healed += 1
                    self._stop.wait(0.01)
        raise AssertionError(f"{key}: nobody answered")


def test_a_rolling_restart_loses_and_doubles_nothing(postgres):
    database = postgres.database()
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving("--database", database)) for _ in range(2)]
        load = Load([ready["url"] for ready, _ in servers])
        with Formance(FormanceOptions(load.urls[0] + "/formance")) as client:
            client.ledger.v2.create_ledger("books")
        with load:
            load.more(30)
            for place, (_, process) in enumerate(servers):
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
                load.more(10)  # by the other
                ready, _ = stack.enter_context(serving("--database", database))
                load.urls[place] = ready["url"]
                load.more(30)
        assert not load.failures, load.failures
        assert load.healed, "nobody met a server that was away"
    verified = subprocess.run(
        [*BURSAR, "verify", "--json", "--database", database], capture_output=True, check=True
    )
    report = json.loads(verified.stdout)
    assert (report["ok"], report["logs"]) == (True, len(load.acknowledged))
    assert len(set(load.acknowledged.values())) == len(load.acknowledged)
