"""What is refused when endpoints are managed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from bursar.engine.errors import FieldError, InvalidInput


class Problem(Struct, frozen=True):
    """What is wrong with one field; `code` is for programs, such as "INVALID_URL"."""

    code: str
    field: str
    message: str


class BadEndpoint(InvalidInput):
    """An endpoint cannot be as it was asked for; `problems` say why."""

    code: ClassVar[str] = "WEBHOOK_ERROR"

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = "; ".join(problem.message for problem in problems)
        super().__init__(shown, [FieldError(f"/{problem.field}", problem.message) for problem in problems])
        self.problems = tuple(problems)
