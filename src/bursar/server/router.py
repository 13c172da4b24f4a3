"""From a path to what serves it."""

from __future__ import annotations

from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

Verbs = dict[str, T]
"""What serves one path, by method."""


class Router(Generic[T]):
    """A table of path templates like ``/payments/{payment_id}``.

    Fixed paths are found by one look-up, whatever the number of routes; templates with parameters segment by
    segment, a fixed segment before a parameter. Paths are matched as they were sent, so that a quoted slash in a
    parameter stays part of it.
    """

    def __init__(self) -> None:
        self._fixed: dict[str, Verbs[T]] = {}
        self._root: _Node[T] = _Node()

    def add(self, verb: str, template: str, target: T) -> None:
        """Serve `verb` on `template` with `target`."""
        if "{" not in template:
            self._fixed.setdefault(template, {})[verb] = target
            return
        node = self._root
        for segment in template.split("/"):
            node = node.child(segment)
        node.verbs[verb] = target

    def find(self, path: str, raw_path: str) -> tuple[Verbs[T], dict[str, str]] | None:
        """Return what serves a path, given unquoted and as sent, and its parameters; None when nothing does."""
        verbs = self._fixed.get(path)
        if verbs is not None:
            return verbs, {}
        return self._root.find(raw_path.split("/"), 0)


class _Node(Generic[T]):
    """A place in the tree of segments."""

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[T]] = {}
        self.parameters: dict[str, _Node[T]] = {}
        self.verbs: Verbs[T] = {}

    def child(self, segment: str) -> _Node[T]:
        """Return the node below for a segment of a template, made if need be."""
        if segment.startswith("{"):
            return self.parameters.setdefault(segment[1:-1], _Node())
        return self.fixed.setdefault(segment, _Node())

    def find(self, segments: list[str], depth: int) -> tuple[Verbs[T], dict[str, str]] | None:
        if depth == len(segments):
            return (self.verbs, {}) if self.verbs else None
        segment = segments[depth]
        child = self.fixed.get(segment)
        found = child.find(segments, depth + 1) if child is not None else None
        if found is not None or not segment:
            return found
        for name, node in self.parameters.items():
            found = node.find(segments, depth + 1)
            if found is not None:
                found[1][name] = unquote(segment)
                return found
        return None
