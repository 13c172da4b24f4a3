"""The real server's flags that change what the ledger service answers (section 20)."""

from __future__ import annotations

from msgspec import Struct


class Settings(Struct, frozen=True):
    """`bulk_max_size` 0 is no limit. `strict` is `--schema-enforcement-mode strict`."""

    experimental_features: bool = False
    experimental_exporters: bool = False
    interpreter: bool = False
    interpreter_flags: frozenset[str] = frozenset()
    strict: bool = False
    bulk_max_size: int = 100
    default_page_size: int = 15
    max_page_size: int = 100
