"""A sandbox on a real port, in this process."""

from __future__ import annotations

from typing import Any, Self

from bursar.embedded import Engine, EngineClock, EngineFaults
from bursar.formance import AsyncFormance, Formance, FormanceOptions
from bursar.milkyway import AsyncMilkywayPaymentsClient, MilkywayOptions, MilkywayPaymentsClient
from bursar.milkyway.operator import MilkywayOperatorClient
from bursar.piaxis import AsyncPiaxisClient, PiaxisClient
from bursar.piaxis.back_office import PiaxisOperatorClient
from bursar.server.formance import MOUNT as STACK_MOUNT
from bursar.server.listener import address, listen
from bursar.server.runtime import MEMORY, Settings
from bursar.server.sandbox import CREDENTIALS, FORMANCE, OPERATOR


class SandboxServer:
    """A fresh sandbox that listens on a free port of 127.0.0.1, on a thread of its own; close it after use.

    Programs under test, in any language, reach it at `url`; its own clock runs with the real time until moved.

        with SandboxServer() as server:
            options = server.options("bank-alpha")
            subprocess.run(["my-program", options.base_url, options.token_url])
            server.clock.advance(60)
            assert server.operator().list_payments().payments[0].status is TransactionStatus.DONE
    """

    def __init__(self, database: str = MEMORY, *, seed: int | None = None) -> None:
        """Start it; `database` may be a sandbox's file. Raises `StoreUnusable` and `StoreInUse`."""
        listener = listen("127.0.0.1", 0)
        self.url: str = address(listener)
        """Where it listens, for example ``http://127.0.0.1:40123``."""
        try:
            self.engine: Engine = Engine(Settings(database, self.url, sandbox=True, seed=seed))
        except BaseException:
            listener.close()
            raise
        self.engine.listen(listener)

    @property
    def clock(self) -> EngineClock:
        """The clock, to be moved."""
        return self.engine.clock

    @property
    def faults(self) -> EngineFaults:
        """The faults, to be made."""
        return self.engine.faults

    def options(self, client_id: str = "bank-alpha", **further: Any) -> MilkywayOptions:
        """Return settings for a client with well-known credentials."""
        secret = next(known.client_secret for known in CREDENTIALS if known.client_id == client_id)
        return self.engine.options(client_id, secret, **further)

    def milkyway(self, client_id: str = "bank-alpha", **options: Any) -> MilkywayPaymentsClient:
        """Return a blocking client over HTTP; close it after use."""
        return MilkywayPaymentsClient(self.options(client_id, **options))

    def async_milkyway(self, client_id: str = "bank-alpha", **options: Any) -> AsyncMilkywayPaymentsClient:
        """Return an asynchronous client over HTTP; close it after use."""
        return AsyncMilkywayPaymentsClient(self.options(client_id, **options))

    def operator(self, **options: Any) -> MilkywayOperatorClient:
        """Return a client of the back office over HTTP; close it after use."""
        return MilkywayOperatorClient(self.options(OPERATOR.client_id, **options))

    def formance(self, client_id: str = "formance-sandbox", **options: Any) -> Formance:
        """Return a blocking client of the Formance stack over HTTP; close it after use."""
        return Formance(self._stack_options(client_id, options))

    def async_formance(self, client_id: str = "formance-sandbox", **options: Any) -> AsyncFormance:
        """Return an asynchronous client of the Formance stack over HTTP; close it after use."""
        return AsyncFormance(self._stack_options(client_id, options))

    def piaxis(self, **options: Any) -> PiaxisClient:
        """Return a blocking client of the Piaxis API over HTTP; close it after use."""
        return PiaxisClient(**self.engine.piaxis_settings(**options))

    def async_piaxis(self, **options: Any) -> AsyncPiaxisClient:
        """Return an asynchronous client of the Piaxis API over HTTP; close it after use."""
        return AsyncPiaxisClient(**self.engine.piaxis_settings(**options))

    def piaxis_operator(self) -> PiaxisOperatorClient:
        """Return a client of Piaxis' back office over HTTP; close it after use."""
        return PiaxisOperatorClient(self.engine.piaxis_operator_options())

    def _stack_options(self, client_id: str, further: dict[str, Any]) -> FormanceOptions:
        secret = next(known.client_secret for known in FORMANCE if known.client_id == client_id)
        return FormanceOptions(self.url + STACK_MOUNT, client_id=client_id, client_secret=secret, **further)

    def close(self) -> None:
        """Let answers under way finish, then stop."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
