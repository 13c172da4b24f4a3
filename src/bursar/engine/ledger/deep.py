"""JSON that is nested deeper than Python's own decoder goes: an iterative reader for the rare case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_SCALAR: Final = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_text: Final = json.JSONDecoder().raw_decode
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}


def decode(text: str, start: int, most: int, number: Callable[[str], Any]) -> tuple[Any, int]:
    """The value from `start` on and where it ends; `number` reads numbers that are no integers.

    Raises json.JSONDecodeError, also when more than `most` arrays and objects are open.
    """
    root: list[Any] = []
    open_: list[Any] = [root]
    keys: list[str] = []
    position = start
    while True:
        position = _skip(text, position)
        container = open_[-1]
        char = text[position : position + 1]
        if char in "]}" and char:
            position = _close(text, position, char, open_, keys)
        else:
            if isinstance(container, dict):
                key, position = _key(text, position)
                keys.append(key)
                position = _skip(text, position)
                char = text[position : position + 1]
            value, position = _value(text, position, char, number)
            _put(container, keys, value)
            if isinstance(value, (dict, list)):
                open_.append(value)
                if len(open_) - 1 > most:
                    raise json.JSONDecodeError("nested too deep", text, position)
                continue
        position = _separate(text, position, open_, keys)
        if len(open_) == 1:
            return root[0], position


def _separate(text: str, position: int, open_: list[Any], keys: list[str]) -> int:
    """Pass what follows a value: a comma, or the ends of containers."""
    while len(open_) > 1:
        after = _skip(text, position)
        char = text[after : after + 1]
        if char == ",":
            following = _skip(text, after + 1)
            if text[following : following + 1] in ("]", "}"):
                raise json.JSONDecodeError("a value is missing", text, following)
            return after + 1
        if char not in ("]", "}"):
            raise json.JSONDecodeError("expecting ',' delimiter", text, after)
        position = _close(text, after, char, open_, keys)
    return position


def _close(text: str, position: int, char: str, open_: list[Any], keys: list[str]) -> int:
    if len(open_) == 1 or (char == "}") != isinstance(open_[-1], dict):
        raise json.JSONDecodeError("unexpected end of a container", text, position)
    open_.pop()
    return position + 1


def _key(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] != '"':
        raise json.JSONDecodeError("expecting a name in double quotes", text, position)
    key, position = _text(text, position)
    position = _skip(text, position)
    if text[position : position + 1] != ":":
        raise json.JSONDecodeError("expecting ':' delimiter", text, position)
    return key, position + 1


def _value(text: str, position: int, char: str, number: Callable[[str], Any]) -> tuple[Any, int]:
    if char == '"':
        value, end = _text(text, position)
        return value, end
    if char == "[":
        return [], position + 1
    if char == "{":
        return {}, position + 1
    found = _SCALAR.match(text, position)
    if found is None:
        raise json.JSONDecodeError("expecting a value", text, position)
    word = found.group()
    if word in _WORDS:
        return _WORDS[word], found.end()
    return (int(word) if word.lstrip("-").isdigit() else number(word)), found.end()


def _put(container: Any, keys: list[str], value: Any) -> None:
    if isinstance(container, list):
        items: list[Any] = container
        items.append(value)
        return
    key = keys.pop()
    container.pop(key, None)
    container[key] = value


def _skip(text: str, position: int) -> int:
    return cast("re.Match[str]", _BLANKS.match(text, position)).end()
