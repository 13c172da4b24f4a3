"""The language knows nobody: standard library only, no I/O, no clock, no other part of the engine."""

import sys

import pytest

from tests.source import MODULES, imports, within

PACKAGE = "bursar.engine.numscript"
IMPURE = {"asyncio", "io", "os", "pathlib", "random", "socket", "sqlite3", "threading", "time", "uuid"}


@pytest.mark.parametrize("module", [name for name in MODULES if within(name, PACKAGE)])
def test_modules_import_only_each_other_and_pure_parts_of_the_standard_library(module: str) -> None:
    for found in imports(module):
        top = found.target.partition(".")[0]
        assert within(found.target, PACKAGE) or (top in sys.stdlib_module_names and top not in IMPURE), found
