"""Script text to tokens (specification 1)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bursar.engine.numscript.errors import Problem
from bursar.engine.numscript.limits import PROBLEMS, SCRIPT_CHARS
from bursar.engine.numscript.position import Span

KEYWORDS: Final = frozenset(
    {
        *("vars", "max", "source", "destination", "send", "from", "up", "to", "remaining", "allowing"),
        *("unbounded", "overdraft", "oneof", "kept", "save", "with", "scaling", "through", "feature"),
    }
)

# In order of precedence: where two could match, none of the later ones is longer.
_TOKEN: Final = re.compile(
    r"""
      (?P<blank> [ \t\r\n]+ | //[^\r\n]*[\r\n]+ )
    | (?P<comment> /\* )
    | (?P<IDENT> [a-z][a-z_]* )
    | (?P<PERCENT> [0-9]+ (?:\.[0-9]+)? % )
    | (?P<NUMBER> [0-9]+ (?:_[0-9]+)* )
    | (?P<ASSET> [A-Z][A-Z0-9]* (?:/[0-9]+)? )
    | (?P<VARIABLE> \$ [a-z_]+ [a-z0-9_]* )
    | (?P<STRING> " (?: \\" | [^"\r\n] )* " )
    | (?P<segment> [@:] (?: (?P<SEGMENT> [a-zA-Z0-9_-]+ ) | (?P<INSERT> \$ [a-z_]+ [a-z0-9_]* ) ) )
    | (?P<PUNCTUATION> \#! | [()\[\]{},=*+\-/\\] )
    """,
    re.VERBOSE,
)
COMMENT_EDGE: Final = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """One token. `kind` is the text itself for keywords, punctuation, `@` and `:`; else the name of its sort."""

    kind: str
    text: str
    span: Span


class Lexer:
    """Cuts one script into tokens; what is no token is a problem and left out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.comments: list[str] = []
        self.problems: list[Problem] = []
        self._last_comment_end = text.rfind("*/")

    def run(self) -> None:
        """Fill `tokens` (the last one is END), `comments` and `problems`."""
        end = len(self.text)
        if end > SCRIPT_CHARS:
            self._refuse(f"a script has at most {SCRIPT_CHARS} characters", (0, end))
        else:
            position = 0
            while position < end:
                position = self._next(position)
        self.tokens.append(Token("END", "end of script", (end, end)))

    def _next(self, start: int) -> int:
        match = _TOKEN.match(self.text, start)
        if match is None:
            self._refuse(f"unexpected character {self.text[start]!r}", (start, start + 1))
            return start + 1
        kind, text, end = match.lastgroup or "", match[0], match.end()
        if kind == "blank":
            if text.startswith("//"):
                self.comments.append(text[2:])
        elif kind == "comment":
            end = self._block_comment(start)
        elif kind == "segment":
            self._segment(match, start, end)
        else:
            if kind == "PUNCTUATION" or text in KEYWORDS:
                kind = text
            self.tokens.append(Token(kind, text, (start, end)))
        return end

    def _segment(self, match: re.Match[str], start: int, end: int) -> None:
        """`@` or `:` and, without a blank, what must follow it."""
        self.tokens.append(Token(self.text[start], self.text[start], (start, start + 1)))
        kind = "SEGMENT" if match["SEGMENT"] else "VARIABLE"
        self.tokens.append(Token(kind, self.text[start + 1 : end], (start + 1, end)))

    def _block_comment(self, start: int) -> int:
        """The end of a comment: where its nesting closes, else at the last `*/` of the script."""
        if self._last_comment_end < start + 2:
            self._refuse("comment without end", (start, start + 2))
            return start + 2
        depth = 1
        for edge in COMMENT_EDGE.finditer(self.text, start + 2):
            depth += 1 if edge[0] == "/*" else -1
            if depth == 0:
                return edge.end()
        return self._last_comment_end + 2

    def _refuse(self, message: str, span: Span) -> None:
        if len(self.problems) < PROBLEMS:
            self.problems.append(Problem(message, span))
