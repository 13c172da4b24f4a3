"""Numscript, the language in which a ledger's transactions are written. Pure: no I/O, no clock, no other package.

Read `lexer`, `parser`, `interpreter` and `checker`, in that order; `machine` is the older runtime over the same
syntax tree. docs/numscript.md tells the language on one page.
"""

from bursar.engine.numscript.balances import BalanceKey, Store
from bursar.engine.numscript.cache import ScriptCache
from bursar.engine.numscript.checker import check
from bursar.engine.numscript.diagnostics import Diagnostic
from bursar.engine.numscript.errors import (
    CompileError,
    NumscriptError,
    ParseError,
    RunError,
    UnknownAccount,
)
from bursar.engine.numscript.expressions import FLAGS
from bursar.engine.numscript.funds import Posting
from bursar.engine.numscript.interpreter import LATEST, RELEASE_0_0_24, Edition, Outcome, run
from bursar.engine.numscript.machine.compiler import Compiled, compile_script
from bursar.engine.numscript.machine.runtime import run as run_machine
from bursar.engine.numscript.parser import parse
from bursar.engine.numscript.position import Position, Range, excerpt
from bursar.engine.numscript.syntax import Program
from bursar.engine.numscript.values import Value, text_of

__all__ = [
    "FLAGS",
    "LATEST",
    "RELEASE_0_0_24",
    "BalanceKey",
    "CompileError",
    "Compiled",
    "Diagnostic",
    "Edition",
    "NumscriptError",
    "Outcome",
    "ParseError",
    "Position",
    "Posting",
    "Program",
    "Range",
    "RunError",
    "ScriptCache",
    "Store",
    "UnknownAccount",
    "Value",
    "check",
    "compile_script",
    "excerpt",
    "parse",
    "run",
    "run_machine",
    "text_of",
]
