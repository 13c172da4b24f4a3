"""Every operation of every client, found by walking the contracts: what `bursar api` and the reference are made of.

A group is imported when its operations are asked for, so that naming the groups of an API costs little.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

from bursar.contract import BaseEndpoint, Resource

AnyResource = type[Resource[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An endpoint as a caller knows it."""

    endpoint: BaseEndpoint
    methods: tuple[str, ...]
    """How the client's user writes it: ``client.ledger.v2.create_transaction``."""
    public: bool = False
    """Sent without credentials."""

    @property
    def name(self) -> str:
        """The contract's name of it."""
        return self.endpoint.name

    @property
    def command(self) -> str:
        """Its name on the command line."""
        return dashed(self.name)


@dataclass(frozen=True)
class Group:
    """A resource with its endpoints."""

    api: str
    name: str
    """On the command line: ``ledger`` is the newest version of the service, ``ledger-v1`` an older one."""
    summary: str
    clients: str
    """The module to import the client from, and the names of both its colours."""
    load: Callable[[], AnyResource] = field(repr=False)
    path: str = "client"
    """What leads to the resource."""
    aliases: tuple[str, ...] = ()
    used: Callable[[], Mapping[BaseEndpoint, Operation]] | None = field(default=None, repr=False)
    """Where a client's methods are not the contract's: what they make of its endpoints."""

    @cached_property
    def resource(self) -> AnyResource:
        """The contract."""
        return self.load()

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """The operations by their names on the command line, in the contract's order."""
        used = {} if self.used is None else self.used()
        found = [
            used.get(endpoint, Operation(endpoint, (f"{self.path}.{endpoint.name}",)))
            for endpoint in endpoints(self.resource)
        ]
        return {operation.command: operation for operation in found}


@dataclass(frozen=True)
class Api:
    """What one package of Bursar calls."""

    name: str
    title: str
    walk: Callable[[], Iterator[Group]] = field(repr=False)

    @cached_property
    def groups(self) -> dict[str, Group]:
        """The groups by name."""
        return {group.name: group for group in self.walk()}

    def group(self, name: str) -> Group | None:
        """Find a group by its name or another that it has."""
        wanted = name.replace(".", "-")
        return next((group for group in self.groups.values() if wanted in (group.name, *group.aliases)), None)


def dashed(name: str) -> str:
    """Return a Python name as the command line has it."""
    return name.strip("_").replace("_", "-")


def first_line(text: str | None) -> str:
    """Return the first sentence of a docstring."""
    return inspect.cleandoc(text or "").partition("\n")[0]


def endpoints(resource: AnyResource) -> list[BaseEndpoint]:
    """Return the endpoints of a contract, inherited ones first, in the order in which they are written."""
    found: dict[str, BaseEndpoint] = {}
    for place in reversed(resource.__mro__):
        found |= {n: member for n, member in vars(place).items() if isinstance(member, BaseEndpoint)}
    return list(found.values())


def _parts(resource: AnyResource) -> dict[str, property]:
    """Return the properties of a resource, which lead to further ones."""
    return {n: member for n, member in vars(resource).items() if isinstance(member, property)}


def _detached(resource: AnyResource) -> Any:
    """Return a resource that is only looked at."""
    nobody: Any = None
    return resource(nobody)


def _kind_of(versions: Any, version: str) -> AnyResource:
    kind: AnyResource = type(getattr(versions, version))
    return kind


def _contract(module: str, client: str) -> AnyResource:
    """Return what a client calls."""
    from bursar.client.shell import SyncClient

    found: type[Any] = getattr(importlib.import_module(module), client)
    return next(
        base for base in found.__bases__ if issubclass(base, Resource) and not issubclass(base, SyncClient)
    )


def _milkyway() -> Iterator[Group]:
    for name, module, client, summary in (
        ("payments", "bursar.milkyway", "MilkywayPaymentsClient", "Cross-bank payments."),
        ("operator", "bursar.milkyway.operator", "MilkywayOperatorClient", "The back office of a hub."),
    ):
        load = partial(_contract, module, client)
        yield Group("milkyway", name, summary, f"{module}: {client}, Async{client}", load)


def _formance() -> Iterator[Group]:
    from bursar.formance.api import FormanceApi

    clients = "bursar.formance: Formance, AsyncFormance"
    yield Group("formance", "stack", "What the gateway answers itself.", clients, lambda: FormanceApi)
    root = _detached(FormanceApi)
    for service, part in _parts(FormanceApi).items():
        versions = getattr(root, service)
        names = sorted(_parts(type(versions)), reverse=True)
        for version in names:
            newest = version == names[0]
            yield Group(
                "formance",
                dashed(service) if newest else f"{dashed(service)}-{version}",
                f"{first_line(part.__doc__).rstrip('.')} ({version}).",
                clients,
                partial(_kind_of, versions, version),
                f"client.{service}.{version}",
                (f"{dashed(service)}-{version}",) if newest else (),
            )


def _piaxis() -> Iterator[Group]:
    from bursar.piaxis.api import PiaxisApi, PiaxisContract

    contracts: dict[BaseEndpoint, AnyResource] = {
        endpoint: base
        for base in PiaxisContract.__bases__
        if issubclass(base, Resource)
        for endpoint in endpoints(base)
    }
    clients = "bursar.piaxis: PiaxisClient, AsyncPiaxisClient"
    methods = _piaxis_methods(PiaxisApi)
    for name, part in _parts(PiaxisApi).items():
        endpoint = next(e for e, uses in methods.items() if any(f"client.{name}." in m for m in uses.methods))
        load = partial(contracts.__getitem__, endpoint)
        yield Group("piaxis", dashed(name), first_line(part.__doc__), clients, load, used=lambda: methods)
    module, client = "bursar.piaxis.back_office", "PiaxisOperatorClient"
    load = partial(_contract, module, client)
    clients = f"{module}: {client}, Async{client}"
    yield Group("piaxis", "operator", "The back office of the rail.", clients, load)


def _piaxis_methods(api: AnyResource) -> dict[BaseEndpoint, Operation]:
    """Return what the client's methods, grouped and flat, make of each endpoint of the contract."""
    from bursar.piaxis.methods import Declared

    places: list[tuple[str, AnyResource]] = [
        (f"client.{name}", type(getattr(_detached(api), name))) for name in _parts(api)
    ]
    places += [("client", place) for place in api.__mro__ if issubclass(place, Resource)]
    found: dict[BaseEndpoint, Operation] = {}
    for path, place in places:
        for name, member in vars(place).items():
            endpoint = member.endpoint if isinstance(member, Declared) else member
            if not isinstance(endpoint, BaseEndpoint):
                continue
            public = isinstance(member, Declared) and member.public
            # A listing stands for the endpoint whose pages it turns.
            whole: BaseEndpoint = getattr(endpoint, "whole", endpoint)
            known = found[whole].methods if whole in found else ()
            found[whole] = Operation(endpoint, (*known, f"{path}.{name}"), public)
    return found


APIS: Final = {
    api.name: api
    for api in (
        Api("formance", "Formance stack", _formance),
        Api("milkyway", "MilkyWay Payments", _milkyway),
        Api("piaxis", "Piaxis", _piaxis),
    )
}
"""The APIs by name."""
