"""JSON as the real service reads it (section 2).

Only the first value counts, names match in any case, of repeated ones the last counts, null is absent.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Self, TypeVar, cast

import msgspec

from bursar.engine.kernel import Posting
from bursar.engine.ledger import deep, times
from bursar.engine.ledger.errors import InvalidPostings, Validation

T = TypeVar("T")

DEPTH: Final = 10_000
"""Arrays and objects inside each other; more are refused."""
_BLANKS: Final = " \t\r\n"
_EXPONENT_DIGITS: Final = 3
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_INTEGER: Final = re.compile(r"([+-]?)0*([0-9]*)(?<=[0-9])")
_INTEGER_DIGITS: Final = 30
_BLANK_RUN: Final = re.compile(r"[ \t\r\n]*")


class Literal(Decimal):
    """A number with a fraction or an exponent, as it was written."""

    written: str

    def __new__(cls, text: str) -> Self:
        """Read a number. Raises ValueError for an exponent without use, which would make integers without end."""
        _, _, exponent = text.lower().partition("e")
        if len(exponent.lstrip("+-0")) > _EXPONENT_DIGITS:
            raise ValueError(f"the exponent {exponent[:20]} is out of range")
        number = super().__new__(cls, text)
        number.written = text
        return number


def _one_each(error: UnicodeError) -> tuple[str, int]:
    """One U+FFFD for each byte that is no UTF-8."""
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("bursar-replace-each", _one_each)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members in the order in which each was last given."""
    members = dict(pairs)
    if len(members) != len(pairs):
        members = {}
        for name, value in pairs:
            members.pop(name, None)
            members[name] = value
    return members


def _merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The same, but objects of a repeated member are merged."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        before = members.get(name)
        members[name] = (
            _both(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
        )
    return members


def _both(before: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    return {**before, **value}


_merging: Final = json.JSONDecoder(object_pairs_hook=_merged, parse_float=Literal, parse_constant=_refuse)
_decoder: Final = json.JSONDecoder(object_pairs_hook=_last, parse_float=Literal, parse_constant=_refuse)


def to_text(body: bytes) -> str:
    """The text of a body; bytes that are no UTF-8 become U+FFFD."""
    return body.decode("utf-8", "bursar-replace-each")


def value_at(text: str, start: int, decoder: json.JSONDecoder = _decoder) -> tuple[Any, int]:
    """The JSON value from `start` on and where it ends. Raises Validation; EOFError when only blanks are left."""
    begin = cast("re.Match[str]", _BLANK_RUN.match(text, start)).end()
    if begin == len(text):
        raise EOFError
    try:
        value, end = _decoded(text, begin, decoder)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            raise Validation(f"the JSON ends too early: {error.msg}") from None
        raise Validation(f"invalid JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise Validation(f"invalid JSON: {error}") from None
    if "\\u" in text[begin:end]:
        try:
            value = _without_surrogates(value)
        except RecursionError:
            raise Validation("the JSON is nested too deep to have escapes") from None
    return value, end


def _decoded(text: str, begin: int, decoder: json.JSONDecoder) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, begin)
    except RecursionError:
        return deep.decode(text, begin, DEPTH, Literal)


def integer(text: str, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`, with or without sign, in ASCII digits; None for any other text."""
    found = _INTEGER.fullmatch(text)
    if found is None or len(found[2]) > _INTEGER_DIGITS:
        return None
    number = int(f"{found[1]}0{found[2]}")
    return number if low <= number <= high else None


def first_value(body: bytes) -> Any:
    """The first JSON value of a body; what follows is ignored. Raises Validation."""
    try:
        return value_at(to_text(body), 0)[0]
    except EOFError:
        raise Validation("EOF") from None


def whole_value(body: bytes) -> Any:
    """The JSON value that a body is, repeated objects merged. Raises Validation."""
    text = to_text(body)
    try:
        value, end = value_at(text, 0, _merging)
    except EOFError:
        raise Validation("EOF") from None
    if text[end:].strip(_BLANKS):
        raise Validation("invalid JSON: there is something after the value")
    return value


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in items(value)]
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return {_SURROGATES.sub("\ufffd", key): _without_surrogates(item) for key, item in pairs}
    return value


def plain(value: Any) -> Any:
    """A decoded value with fractions as they were written, ready to be encoded again."""
    if isinstance(value, Literal):
        return msgspec.Raw(value.written.encode())
    if isinstance(value, list):
        return [plain(item) for item in items(value)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


def encoded(value: Any) -> str:
    """A decoded value as JSON again."""
    return msgspec.json.encode(plain(value)).decode()


class Members:
    """An object's members by name in any case; null ones are absent. All getters raise Validation for a wrong type."""

    def __init__(self, value: Any, place: str = "") -> None:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise Validation(f"{place or 'the body'} must be an object")
        self._place = place
        members = cast("dict[str, Any]", value)
        self._members = {name.casefold(): member for name, member in members.items()}
        if len(self._members) != len(members):
            self._members = {}
            for name, member in members.items():
                self._members[name.casefold()] = member

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self._members.get(name.casefold()) is not None

    def given(self, name: str) -> bool:
        """Whether the member is there, perhaps null."""
        return name.casefold() in self._members

    def raw(self, name: str) -> Any:
        """The member as it was decoded; None when absent."""
        return self._members.get(name.casefold())

    def text(self, name: str) -> str:
        """A text; "" when absent."""
        value = self.raw(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def flag(self, name: str) -> bool:
        """A boolean; false when absent."""
        value = self.raw(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._wrong(name, "a boolean")
        return value

    def time(self, name: str) -> int | None:
        """A time; None when absent or unset."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong(name, "a date")
        return times.parse_optional(value)

    def natural(self, name: str) -> int | None:
        """An unsigned 64-bit integer; None when absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
            raise self._wrong(name, "a whole number of 0 or more")
        return value

    def metadata(self, name: str) -> dict[str, str] | None:
        """A map of texts; None when absent."""
        return metadata(self.raw(name), self._name(name))

    def members(self, name: str) -> Members:
        """An object; without members when absent."""
        return Members(self.raw(name), self._name(name))

    def mapping(self, name: str, read: Callable[[Any, str], T]) -> dict[str, T] | None:
        """A map with its own names, each value read; None when absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        pairs = cast("dict[str, Any]", value).items()
        return {key: read(item, f"{self._name(name)}.{key}") for key, item in pairs}

    def array(self, name: str) -> list[Any]:
        """An array; empty when absent."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "an array")
        return items(value)

    def _name(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def _wrong(self, name: str, expected: str) -> Validation:
        return Validation(f"'{self._name(name)}' must be {expected}")


def metadata(value: Any, place: str) -> dict[str, str] | None:
    """A map of texts, null ones being empty; None for null. Raises Validation."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Validation(f"'{place}' must be an object")
    out: dict[str, str] = {}
    for key, text in cast("dict[str, Any]", value).items():
        if text is not None and not isinstance(text, str):
            raise Validation(f"'{place}.{key}' must be a text")
        out[key] = text or ""
    return out


def posting(value: Any, index: int) -> Posting:
    """A posting whose amount is there and whole. Raises Validation."""
    members = Members(value, f"postings[{index}]")
    source, destination, asset = members.text("source"), members.text("destination"), members.text("asset")
    amount = members.raw("amount")
    if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool)):
        raise Validation(f"'postings[{index}].amount' must be a whole number")
    return Posting(source, destination, -1 if amount is None else amount, asset)


def amount_given(value: Any) -> bool:
    """Whether a posting has an amount."""
    return isinstance(value, dict) and Members(value).has("amount")


def check_amounts(values: list[Any]) -> None:
    """Refuse postings without amount. Raises InvalidPostings."""
    for index, value in enumerate(values):
        if not amount_given(value):
            raise InvalidPostings(f"invalid posting {index}: no amount defined")


Names = Mapping[str, Any]


def items(value: list[Any]) -> list[Any]:
    """A decoded array, for the type checkers."""
    return value
