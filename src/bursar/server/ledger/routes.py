"""A table of routes: fixed segments before parameters, methods of each path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping

from bursar.server.ledger.answers import Answer
from bursar.server.ledger.call import Call

Handler = Callable[[Call], Awaitable[Answer]]


GROUP = "_"
"""A group of routes of its own, never a ledger."""


class Route:
    """What serves a path. `scoped`: below a ledger, which is looked for before method and parameters."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.handlers: dict[str, Handler] = {}
        self.scoped = False


class _Node:
    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.parameter: tuple[str, _Node] | None = None
        self.route: Route | None = None

    def child(self, segment: str) -> _Node:
        if not segment.startswith("{"):
            return self.fixed.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = (segment[1:-1], _Node())
        return self.parameter[1]


class Routes:
    """All routes of a version of the API."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, template: str, handlers: Mapping[str, Handler], *, scoped: bool = False) -> None:
        """Serve a path such as `/{ledger}/stats`."""
        node = self._root
        for segment in template.split("/"):
            node = node.child(segment)
        route = node.route = node.route or Route(template)
        route.handlers.update(handlers)
        route.scoped = scoped

    def find(self, path: str, method: str) -> tuple[Route, dict[str, str]] | None:
        """What serves a path, with its parameters.

        A route that has the method wins over one with fixed segments that does not; when none has it, the route is one
        of all the methods that the path has.
        """
        found: list[tuple[Route, dict[str, str]]] = []
        for route, parameters in _matches(self._root, path.split("/"), 0):
            if method in route.handlers:
                return route, parameters
            found.append((route, parameters))
        if not found:
            return None
        route = Route(found[0][0].template)
        for matched, _ in found:
            route.handlers |= matched.handlers
        route.scoped = found[0][0].scoped
        return route, found[-1][1]


def _matches(node: _Node, segments: list[str], depth: int) -> Iterator[tuple[Route, dict[str, str]]]:
    if depth == len(segments):
        if node.route is not None:
            yield node.route, {}
        return
    segment = segments[depth]
    fixed = node.fixed.get(segment)
    if fixed is not None:
        yield from _matches(fixed, segments, depth + 1)
        if segment == GROUP:
            return
    if node.parameter is not None and (segment or depth + 1 < len(segments)):
        name, child = node.parameter
        for route, parameters in _matches(child, segments, depth + 1):
            yield route, {name: segment, **parameters}
