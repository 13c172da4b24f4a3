"""The chart of accounts of a schema: which addresses there are, and what a new account starts with (section 14.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

import jsonschema_rs
from msgspec import Struct

from bursar.engine.ledger.errors import OutsideChart, Validation

_KEY: Final = re.compile(r"(\$|\.)?[a-zA-Z0-9_-]+")
_PROPERTIES: Final = frozenset({".self", ".pattern", ".metadata", ".rules"})


class Node(Struct):
    """A place in the chart. `metadata` maps keys to their default, None for none; it is None when not given."""

    fixed: dict[str, Node]
    variable: tuple[str, Node] | None = None
    account: bool = False
    pattern: str | None = None
    metadata: dict[str, str | None] | None = None

    @property
    def defaults(self) -> dict[str, str]:
        """What a new account starts with."""
        return {key: value for key, value in (self.metadata or {}).items() if value is not None}


def parse(value: object) -> Node:
    """The chart of its JSON. Raises Validation."""
    if not isinstance(value, dict):
        raise Validation("invalid schema: the chart must be an object")
    return _parse(cast("dict[str, Any]", value), "", root=True)


def _parse(members: Mapping[str, Any], place: str, *, root: bool = False, variable: bool = False) -> Node:
    node = Node({})
    for key, member in members.items():
        if not _KEY.fullmatch(key):
            raise _invalid(place, f"`{key}` is no segment")
        if key.startswith("."):
            _property(node, key, member, place, root=root, variable=variable)
            continue
        child = _parse(
            _object(member, place, key), f"{place}:{key}" if place else key, variable=key[0] == "$"
        )
        if key[0] != "$":
            node.fixed[key] = child
        elif root:
            raise _invalid(place, f"`{key}`: there is no variable segment at the root")
        elif node.variable is not None:
            raise _invalid(place, f"`{key}`: there is at most one variable segment on a level")
        else:
            node.variable = (key, child)
    is_leaf = not node.fixed and node.variable is None
    node.account = not root and (is_leaf or ".self" in members)
    if not node.account and node.metadata is not None:
        raise _invalid(place, "`.metadata` belongs to accounts")
    if not node.account and ".rules" in members and not root:
        raise _invalid(place, "`.rules` belongs to accounts")
    return node


def _property(node: Node, key: str, value: Any, place: str, *, root: bool, variable: bool) -> None:
    if root:
        raise _invalid(place, f"`{key}`: the root has no properties")
    if key == ".self":
        if value not in ({}, None):
            raise _invalid(place, "`.self` must be an empty object")
    elif key == ".pattern":
        if not variable:
            raise _invalid(place, "`.pattern` belongs to variable segments")
        if not isinstance(value, str):
            raise _invalid(place, "`.pattern` must be a text")
        try:
            _compiled(value)
        except ValueError:
            raise _invalid(place, f"`.pattern` is no regular expression: `{value}`") from None
        node.pattern = value
    elif key == ".metadata" and value is not None:
        node.metadata = {
            name: _default(_object(entry, place, f".metadata.{name}"), place, name)
            for name, entry in _object(value, place, key).items()
        }
    elif key == ".rules":
        _object(value, place, key)


def _default(entry: Mapping[str, Any], place: str, name: str) -> str | None:
    value = entry.get("default")
    if value is not None and not isinstance(value, str):
        raise _invalid(place, f"the default of `{name}` must be a text")
    return value


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> jsonschema_rs.Validator:
    """A test of texts. It takes linear time whatever the pattern, as the real service's does, unlike `re`.

    Raises ValueError for what is no regular expression; look-around and back references are none.
    """
    return jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())


def _object(value: Any, place: str, key: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(place, f"`{key}` must be an object")
    return cast("dict[str, Any]", value)


def _invalid(place: str, message: str) -> Validation:
    return Validation(f"invalid schema: {f'at `{place}`: ' if place else ''}{message}")


def find(chart: Node, address: str) -> Node:
    """The place of an account; fixed segments win, and there is no way back (14.2). Raises OutsideChart."""
    node, walked = chart, list[str]()
    for segment in address.split(":"):
        child = node.fixed.get(segment)
        if child is None and node.variable is not None:
            name, child = node.variable
            if child.pattern is not None and not _compiled(child.pattern).is_valid(segment):
                raise OutsideChart(
                    f"account `{address}`: segment `{segment}` does not fit `{name}` at `{':'.join(walked)}`"
                )
        if child is None:
            where = f": there is no segment `{segment}` at `{':'.join(walked)}`" if walked else ""
            raise OutsideChart(f"account `{address}` is not defined in the chart of accounts{where}")
        node = child
        walked.append(segment)
    if not node.account:
        raise OutsideChart(
            f"account `{address}` is not defined in the chart of accounts: it is only a prefix"
        )
    return node


def shown(node: Node) -> dict[str, Any]:
    """The form in which a chart is read back."""
    out: dict[str, Any] = {}
    has_children = bool(node.fixed) or node.variable is not None
    if node.account and has_children:
        out[".self"] = {}
    if node.pattern is not None:
        out[".pattern"] = node.pattern
    if node.metadata is not None:
        out[".metadata"] = {
            key: {} if value is None else {"default": value} for key, value in sorted(node.metadata.items())
        }
    for key, child in node.fixed.items():
        out[key] = shown(child)
    if node.variable is not None:
        out[node.variable[0]] = shown(node.variable[1])
    return dict(sorted(out.items()))
