"""An open engine with all that serves it: what `bursar serve` and `bursar.Engine` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from starlette.types import ASGIApp

from bursar.engine.auth import keys
from bursar.engine.auth.formance.authority import Authority
from bursar.engine.auth.keys import SigningKey
from bursar.engine.auth.service import Realm
from bursar.engine.clock import Clock, SandboxClock, SystemClock
from bursar.engine.core import Core
from bursar.engine.ids import Ids
from bursar.engine.milkyway import worker
from bursar.engine.milkyway.operator import OperatorService
from bursar.engine.milkyway.service import MilkywayService
from bursar.engine.webhooks.dispatch import Dispatcher
from bursar.engine.webhooks.piaxis import PiaxisSource
from bursar.server import formance, issuers, limits, sandbox
from bursar.server.app import application, metrics_application
from bursar.server.control import Control
from bursar.server.events import NOWHERE, EventsTo
from bursar.server.faults import CONTROL_MOUNT, Faults
from bursar.server.ledger import flags
from bursar.server.metrics import HttpMetrics
from bursar.server.milkyway import MOUNT, REALM, URL_REALM, milkyway_api
from bursar.server.piaxis.app import piaxis_mounts
from bursar.server.process import add_process
from bursar.server.timeline import Timeline
from bursar.server.webhooks.carrier import Carrier
from bursar.server.webhooks.guard import Guard

MEMORY = "sqlite://"
_FAULTS = 2**63
"""Number of the faults' own stream of randomness, so that other draws do not change what they do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to open an engine.

    Attributes:
        database: ``sqlite:///file.db``, or ``sqlite://`` for one in memory.
        public_url: where callers reach the server; tokens name it as their issuer.
        sandbox: seed the well-known credentials and enable time travel and faults.
        seed: makes ids and faults repeatable; None takes the operating system's randomness (sandbox only).
        frozen_at: microseconds since the epoch at which the clock stands still (sandbox only).
        ledger_flags: flags of the real ledger server, see `bursar.server.ledger.flags`.
        exposed: whether other machines reach the server: then, but for a sandbox, nothing is open without a token.
        events: where to tell what happens in ledgers.
        metrics: whether ``/metrics`` is among the server's paths.
    """

    database: str
    public_url: str
    sandbox: bool = False
    seed: int | None = None
    frozen_at: int | None = None
    ledger_flags: str = ""
    exposed: bool = False
    events: EventsTo = NOWHERE
    metrics: bool = True


class Runtime:
    """Belongs to the event loop that opened it. Make one with `open`."""

    def __init__(
        self,
        core: Core,
        realm: Realm,
        app: ASGIApp,
        metrics_app: ASGIApp,
        stack: formance.FormanceStack,
        carrier: Carrier,
        faults: Faults | None,
        timeline: Timeline | None,
    ) -> None:
        self.core = core
        self.realm = realm
        self.app = app
        self.metrics_app = metrics_app
        """Only ``/metrics``, for a listener of its own."""
        self._stack = stack
        self.carrier = carrier
        self.faults = faults
        self.timeline = timeline

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Open the database and start its work. Raises `StoreUnusable` and `StoreInUse`."""
        clock: Clock = SandboxClock(settings.frozen_at) if settings.sandbox else SystemClock()
        core = await Core.open(settings.database, clock=clock, ids=Ids(settings.seed))
        try:
            return await cls._serving(core, clock, settings)
        except BaseException:
            await core.close()
            raise

    @classmethod
    async def _serving(cls, core: Core, clock: Clock, settings: Settings) -> Self:
        faults = timeline = None
        realm = _realm(core, settings)
        root = settings.public_url + MOUNT
        mounts: dict[str, ASGIApp] = {
            MOUNT: milkyway_api(MilkywayService(core), OperatorService(core), realm, root)
        }
        given = flags.parse(settings.ledger_flags)
        stack = mounts[formance.MOUNT] = formance.formance_stack(
            core,
            given,
            _authority(core, settings, given.auth_issuers),
            settings.events,
            exposed=settings.exposed,
        )
        carrier = Carrier(Guard(local=settings.sandbox))
        webhooks = Dispatcher(core, carrier, [PiaxisSource()])
        webhooks.register()
        mounts.update(piaxis_mounts(core, realm, settings.public_url, webhooks, is_sandbox=settings.sandbox))
        worker.register(core)
        if isinstance(clock, SandboxClock):
            await sandbox.catch_up(core, clock)
            await sandbox.seed(core)
            faults, timeline = Faults(core.ids.child(_FAULTS).random), Timeline(core, clock)
            mounts[CONTROL_MOUNT] = Control(timeline, faults).api()
        else:
            await sandbox.refuse_sandbox(core)
        core.worker.start()
        await stack.start()
        add_process(core.metrics, settings.database)
        http = HttpMetrics(core.metrics)
        app = application(core, mounts, http, faults, metrics=settings.metrics)
        alone = metrics_application(core, http)
        return cls(core, realm, app, alone, stack, carrier, faults, timeline)

    async def close(self) -> None:
        """Finish what was accepted and close the database."""
        await self._stack.close()
        await self.core.close()
        await self.carrier.aclose()


def _authority(core: Core, settings: Settings, others: Sequence[str]) -> Authority:
    return Authority(
        core,
        issuer=f"{settings.public_url}{formance.MOUNT}{formance.AUTH}",
        others=others,
        new_key=_new_key(settings),
        get=issuers.get,
    )


def _realm(core: Core, settings: Settings) -> Realm:
    return Realm(
        core,
        REALM,
        issuer=f"{settings.public_url}{MOUNT}/realms/{URL_REALM}",
        lifetime=limits.TOKEN_SECONDS,
        new_key=_new_key(settings),
    )


def _new_key(settings: Settings) -> Callable[[], SigningKey]:
    """How signing keys are made: sandboxes in memory share one, which takes no time."""
    return keys.shared if settings.database == MEMORY and settings.sandbox else keys.generate
