"""Scripts read once and kept: programs are immutable, so any number of runs may share one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from bursar.engine.numscript.limits import CACHED_CHARS, CACHED_SCRIPTS

Parsed = TypeVar("Parsed")


class ScriptCache(Generic[Parsed]):
    """The least recently used scripts give way, by number and by length of source.

    One for each reader: `ScriptCache(parse)`, `ScriptCache(compile_script)`. What the reader raises is not kept.
    """

    def __init__(
        self, read: Callable[[str], Parsed], scripts: int = CACHED_SCRIPTS, chars: int = CACHED_CHARS
    ) -> None:
        self._read = read
        self._scripts = scripts
        self._chars = chars
        self._held = 0
        self._entries: OrderedDict[str, Parsed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, text: str) -> Parsed:
        """The script as the reader gives it."""
        entries = self._entries
        parsed = entries.get(text)
        if parsed is not None:
            entries.move_to_end(text)
            return parsed
        parsed = entries[text] = self._read(text)
        self._held += len(text)
        while len(entries) > self._scripts or self._held > self._chars:
            self._held -= len(entries.popitem(last=False)[0])
        return parsed
