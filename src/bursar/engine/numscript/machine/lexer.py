"""Script text to the machine's tokens: line ends count, an account is one token, and so is a ratio (13.1)."""

from __future__ import annotations

import re
from typing import Final

from bursar.engine.numscript.errors import CompileError
from bursar.engine.numscript.lexer import COMMENT_EDGE, Token
from bursar.engine.numscript.limits import SCRIPT_CHARS

TYPES: Final = ("account", "asset", "number", "monetary", "portion", "string")
BOUNDED: Final = "allowing overdraft up to"
UNBOUNDED: Final = "allowing unbounded overdraft"
_KEYWORDS: Final = (
    *(
        "set_account_meta",
        "set_tx_meta",
        "meta",
        "balance",
        "vars",
        "print",
        "fail",
        "send",
        "save",
        "source",
    ),
    *("destination", "from", "to", "max", "allocate", "remaining", "kept", *TYPES),
)

_TOKEN: Final = re.compile(
    rf"""
      (?P<NEWLINE> [\r\n]+ )
    | (?P<blank> [ \t]+ | //[^\r\n]*[\r\n]+ )
    | (?P<comment> /\* )
    | (?P<word> {"|".join(_KEYWORDS)} | {BOUNDED.replace(" ", "[ ]")} | {UNBOUNDED.replace(" ", "[ ]")} )
    | (?P<VARIABLE> \$ [a-z_]+ [a-z0-9_]* )
    | (?P<ACCOUNT> @ [a-zA-Z0-9_-]+ (?: : [a-zA-Z0-9_-]+ )* )
    | (?P<STRING> " (?: \\" | [^"\r\n] )* " )
    | (?P<run> [A-Z/0-9]+ )
    | (?P<mark> [()\[\]{{}},=*+\-] )
    """,
    re.VERBOSE,
)
_RUN: Final = re.compile(r"[A-Z/0-9]+")
_PORTION: Final = re.compile(r"[0-9]+ ?/ ?[0-9]+|[0-9]+(?:\.[0-9]+)?%")


def tokens(text: str) -> list[Token]:
    """All tokens, the last one END. Raises CompileError at the first that is none."""
    end = len(text)
    if end > SCRIPT_CHARS:
        raise CompileError(f"a script has at most {SCRIPT_CHARS} characters", (0, end))
    found: list[Token] = []
    last_comment_end = text.rfind("*/")
    position = 0
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise CompileError(f"token recognition error at: '{text[position]}'", (position, position + 1))
        kind, start, position = match.lastgroup or "", position, match.end()
        if kind == "comment" and start + 2 <= last_comment_end:
            position = _comment_end(text, start, last_comment_end)
        elif kind in {"run", "comment"}:  # a slash that starts no comment is an asset, oddly
            token = _run(text, start)
            position = token.span[1]
            found.append(token)
        elif kind != "blank":
            found.append(Token(match[0] if kind in {"word", "mark"} else kind, match[0], (start, position)))
    found.append(Token("END", "<EOF>", (end, end)))
    return found


def _run(text: str, start: int) -> Token:
    """Capitals, digits and slashes: the longest of a portion, a number and an asset."""
    run = _RUN.match(text, start)
    portion = _PORTION.match(text, start)
    assert run is not None
    if portion and portion.end() >= run.end():
        return Token("PORTION", portion[0], portion.span())
    return Token("NUMBER" if run[0].isdigit() else "ASSET", run[0], run.span())


def _comment_end(text: str, start: int, last: int) -> int:
    depth = 1
    for edge in COMMENT_EDGE.finditer(text, start + 2):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return last + 2
