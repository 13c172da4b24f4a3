"""Hints in line comments: which runtime and which flags a script is written for (specification 11.1).

`// @version machine`, `// @version interpreter 0.0.15`, `// @feature_flag experimental-oneof`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from bursar.engine.numscript.expressions import GET_AMOUNT_FUNCTION, GET_ASSET_FUNCTION, OVERDRAFT_FUNCTION


class Version(NamedTuple):
    """A release of the interpreter, or the machine (no numbers)."""

    numbers: tuple[int, int, int] | None

    def __str__(self) -> str:
        return "machine" if self.numbers is None else "interpreter {}.{}.{}".format(*self.numbers)

    def covers(self, required: Version) -> bool:
        """Whether this release is new enough; within one major, minor and patch are compared apart."""
        if self.numbers is None or required.numbers is None:
            return False
        (major, minor, patch), (wanted, *rest) = self.numbers, required.numbers
        return major > wanted or (major == wanted and minor >= rest[0] and patch >= rest[1])


class Hints(NamedTuple):
    """All hints of a script."""

    version: Version | None
    flags: frozenset[str]


V0_0_15: Final = Version((0, 0, 15))
V0_0_16: Final = Version((0, 0, 16))

FUNCTION_REQUIREMENTS: Final = {
    "overdraft": (V0_0_15, OVERDRAFT_FUNCTION),
    "get_asset": (V0_0_16, GET_ASSET_FUNCTION),
    "get_amount": (V0_0_16, GET_AMOUNT_FUNCTION),
}

_INTERPRETER: Final = re.compile(
    r"interpreter ([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})(?:[. ].*)?", re.DOTALL
)


def hints_of(comments: Iterable[str]) -> Hints:
    """The hints among a script's line comments; the first version counts."""
    version: Version | None = None
    flags: set[str] = set()
    for comment in comments:
        word, _, rest = comment.strip().partition(" ")
        if word == "@feature_flag" and rest:
            flags.add(rest.split(" ", 1)[0])
        elif word == "@version" and version is None:
            version = _version(rest)
    return Hints(version, frozenset(flags))


def _version(text: str) -> Version | None:
    if text.split(" ", 1)[0] == "machine":
        return Version(None)
    match = _INTERPRETER.fullmatch(text)
    return Version((int(match[1]), int(match[2]), int(match[3]))) if match else None
