"""A text that does not show itself."""

from __future__ import annotations

from typing import Final


class Secret:
    """Holds a credential; `repr`, `str` and `format` show a mask. Read it with `reveal()`.

    It can be pickled (a client that goes to a worker process must keep its credential), so treat such a
    pickle like the credential itself.
    """

    __slots__ = ("_text",)

    MASK: Final = "**********"

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, value: Secret | str) -> Secret:
        """Return `value` as a `Secret`."""
        return value if isinstance(value, Secret) else cls(value)

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret('{self.MASK}')"

    def __str__(self) -> str:
        return self.MASK

    def __format__(self, spec: str) -> str:
        return format(self.MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (self._text,)
