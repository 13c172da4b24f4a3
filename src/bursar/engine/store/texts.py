"""Texts as PostgreSQL can keep them: it has no NUL, so NUL is written as a mark and a letter, and the mark likewise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_MARK: Final = "\ue000"
"""A private character, so that nearly no text needs a change."""
_NUL: Final = _MARK + "n"
_ITSELF: Final = _MARK + "m"


def stored(text: str) -> str:
    """The text as it is kept."""
    if "\0" in text or _MARK in text:
        return text.replace(_MARK, _ITSELF).replace("\0", _NUL)
    return text


def original(text: str) -> str:
    """The reverse."""
    return text.replace(_NUL, "\0").replace(_ITSELF, _MARK) if _MARK in text else text


def stored_column(texts: Sequence[str | None]) -> Sequence[str | None]:
    """Many texts at once."""
    together = "".join(text for text in texts if text)
    if "\0" in together or _MARK in together:
        return [text and stored(text) for text in texts]
    return texts
