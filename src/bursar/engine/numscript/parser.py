"""Tokens to a syntax tree by recursive descent (specification 2).

A statement that cannot be read is skipped, so that the checker can go on with the next one.
"""

from __future__ import annotations

from typing import Final, NoReturn

from bursar.engine.numscript.errors import Problem
from bursar.engine.numscript.lexer import Lexer, Token
from bursar.engine.numscript.limits import DIGITS, NESTING, PROBLEMS
from bursar.engine.numscript.position import Source, Span
from bursar.engine.numscript.syntax import (
    AccountName,
    Addition,
    All,
    Call,
    Cap,
    Declaration,
    DestinationAccount,
    DestinationAllotment,
    DestinationInOrder,
    DestinationOneof,
    DestinationTree,
    Expression,
    Kept,
    Literal,
    Negation,
    Program,
    Remaining,
    Save,
    Send,
    Sent,
    Share,
    SourceAccount,
    SourceAllotment,
    SourceCapped,
    SourceInOrder,
    SourceOneof,
    SourceScaling,
    SourceTree,
    Statement,
    Target,
    Variable,
    division,
    monetary,
)
from bursar.engine.numscript.values import Account, Asset, percentage

_STRENGTH: Final = {"+": 1, "-": 1, "/": 2}
_STATEMENT_STARTS: Final = frozenset({"send", "save", "END"})
_NEVER_IN_BRACKETS: Final = frozenset({"send", "save", "{", "}", "=", "END"})
_STATEMENT_FUNCTIONS: Final = frozenset({"set_tx_meta", "set_account_meta"})


class _Unreadable(Exception):
    """The statement at hand cannot be read; the problem is noted already."""


def parse(text: str) -> Program:
    """Read a script. Never raises: what is wrong with it is in `problems`."""
    lexer = Lexer(text)
    lexer.run()
    return _Parser(lexer).program()


class _Parser:
    def __init__(self, lexer: Lexer) -> None:
        self._source = Source(lexer.text)
        self._tokens = lexer.tokens
        self._comments = lexer.comments
        self._problems = lexer.problems
        self._index = 0
        self._token = self._tokens[0]
        self._end = 0
        self._depth = 0
        self._operators = 0
        self._skipped: set[str] = set()

    # --- tokens

    def _advance(self) -> Token:
        token = self._token
        self._end = token.span[1]
        if token.kind != "END":
            self._index += 1
            self._token = self._tokens[self._index]
        return token

    def _accept(self, kind: str) -> bool:
        if self._token.kind != kind:
            return False
        self._advance()
        return True

    def _expect(self, *kinds: str) -> Token:
        if self._token.kind not in kinds:
            self._refuse("expected " + " or ".join(kinds))
        return self._advance()

    def _refuse(self, message: str) -> NoReturn:
        self._note(f"{message}, found {self._token.text!r}", self._token.span)
        raise _Unreadable

    def _note(self, message: str, span: Span) -> None:
        self._problems.append(Problem(message, span))

    def _deeper(self) -> None:
        """Enter a bracket or block; the one who calls this leaves with `self._depth -= 1`."""
        self._depth += 1
        if self._depth > NESTING:
            self._refuse(f"nested deeper than {NESTING}")

    # --- program

    def program(self) -> Program:
        """The whole script."""
        features: tuple[Literal, ...] = ()
        declarations: tuple[Declaration, ...] = ()
        statements: list[Statement] = []
        try:
            if self._token.kind == "#!":
                features = self._features()
            if self._token.kind == "vars":
                declarations = self._declarations()
        except _Unreadable:
            self._skip(0)
        while self._token.kind != "END" and len(self._problems) < PROBLEMS:
            start = self._index
            try:
                statements.append(self._statement())
            except _Unreadable:
                self._skip(start)
        problems = sorted(self._problems, key=lambda problem: problem.span)
        return Program(
            self._source,
            features,
            declarations,
            tuple(statements),
            tuple(self._comments),
            tuple(problems),
            frozenset(self._skipped),
        )

    def _skip(self, start: int) -> None:
        """Go on with the next statement, remembering the variables that are passed over."""
        if self._index == start:
            self._advance()
        while self._token.kind not in _STATEMENT_STARTS and self._token.text not in _STATEMENT_FUNCTIONS:
            self._advance()
        self._depth = 0
        passed = self._tokens[start : self._index]
        self._skipped.update(token.text[1:] for token in passed if token.kind == "VARIABLE")

    def _features(self) -> tuple[Literal, ...]:
        for kind in ("#!", "[", "feature", "("):
            self._expect(kind)
        features: list[Literal] = []
        if self._token.kind != ")":
            features.append(self._string(self._expect("STRING")))
            while self._accept(","):
                features.append(self._string(self._expect("STRING")))
        self._expect(")")
        self._expect("]")
        return tuple(features)

    def _declarations(self) -> tuple[Declaration, ...]:
        self._expect("vars")
        self._expect("{")
        declarations: list[Declaration] = []
        while not self._accept("}"):
            type_name = self._expect("IDENT")
            name = self._expect("VARIABLE")
            origin = self._whole_expression() if self._accept("=") else None
            span = (type_name.span[0], self._end)
            declarations.append(
                Declaration(type_name.text, name.text[1:], origin, type_name.span, name.span, span)
            )
        return tuple(declarations)

    def _statement(self) -> Statement:
        token = self._token
        if token.kind == "send":
            return self._send()
        if token.kind == "save":
            return self._save()
        if token.kind not in {"IDENT", "overdraft"}:
            self._refuse("expected a statement")
        self._operators = 0
        return self._call()

    def _send(self) -> Send:
        start = self._advance().span[0]
        sent = self._sent()
        for kind in ("(", "source", "="):
            self._expect(kind)
        source = self._source_tree()
        self._expect("destination")
        self._expect("=")
        destination = self._destination()
        self._expect(")")
        return Send(sent, source, destination, (start, self._end))

    def _save(self) -> Save:
        start = self._advance().span[0]
        sent = self._sent()
        self._expect("from")
        return Save(sent, self._whole_expression(), (start, self._end))

    def _sent(self) -> Sent:
        """A monetary, or `[asset *]`, which may stand nowhere else."""
        start, index = self._token.span[0], self._index
        if self._accept("["):
            asset = self._whole_expression()
            if self._accept("*"):
                self._expect("]")
                return All(asset, (start, self._end))
            self._index, self._token = index, self._tokens[index]
        return self._whole_expression()

    # --- sources

    def _source_tree(self) -> SourceTree:
        start = self._token.span[0]
        kind = self._token.kind
        self._deeper()
        source: SourceTree
        if kind == "{":
            source = self._source_block()
        elif kind == "oneof":
            self._advance()
            self._expect("{")
            source = SourceOneof(self._sources([self._source_tree()]), (start, self._end))
        elif kind == "max":
            self._advance()
            cap = self._whole_expression()
            self._expect("from")
            inner = self._source_tree()
            source = SourceCapped(cap, inner, (start, self._end))
        else:
            source = self._source_account(start, self._whole_expression())
        self._depth -= 1
        return source

    def _source_account(self, start: int, account: Expression) -> SourceTree:
        if self._accept("with"):
            self._expect("scaling")
            self._expect("through")
            swap = self._whole_expression()
            return SourceScaling(account, swap, (start, self._end))
        color = self._whole_expression() if self._accept("\\") else None
        unbounded, bound = False, None
        if self._accept("allowing"):
            if self._accept("unbounded"):
                self._expect("overdraft")
                unbounded = True
            else:
                for kind in ("overdraft", "up", "to"):
                    self._expect(kind)
                bound = self._whole_expression()
        return SourceAccount(account, color, unbounded, bound, (start, self._end))

    def _source_block(self) -> SourceTree:
        """`{ ... }`: in order, or an allotment if shares stand in it."""
        start = self._expect("{").span[0]
        kind, first = self._token.kind, self._token.span[0]
        if kind == "remaining":
            return self._source_allotment(start, self._share())
        if kind in {"}", "{", "max", "oneof"}:
            return SourceInOrder(self._sources([]), (start, self._end))
        expression = self._whole_expression()
        if self._token.kind == "from":
            return self._source_allotment(start, expression)
        account = self._source_account(first, expression)
        return SourceInOrder(self._sources([account]), (start, self._end))

    def _sources(self, sources: list[SourceTree]) -> tuple[SourceTree, ...]:
        while not self._accept("}"):
            sources.append(self._source_tree())
        return tuple(sources)

    def _source_allotment(self, start: int, first: Share) -> SourceAllotment:
        shares = [first]
        self._expect("from")
        sources = [self._source_tree()]
        while not self._accept("}"):
            shares.append(self._share())
            self._expect("from")
            sources.append(self._source_tree())
        return SourceAllotment(tuple(shares), tuple(sources), (start, self._end))

    def _share(self) -> Share:
        if self._token.kind == "remaining":
            return Remaining(self._advance().span)
        return self._whole_expression()

    # --- destinations

    def _destination(self) -> DestinationTree:
        start = self._token.span[0]
        self._deeper()
        destination: DestinationTree
        if self._accept("oneof"):
            self._expect("{")
            caps, remaining = self._caps()
            destination = DestinationOneof(caps, remaining, (start, self._end))
        elif not self._accept("{"):
            destination = DestinationAccount(self._whole_expression(), (start, self._end))
        elif self._token.kind == "max":
            caps, remaining = self._caps()
            destination = DestinationInOrder(caps, remaining, (start, self._end))
        else:
            destination = self._destination_allotment(start)
        self._depth -= 1
        return destination

    def _caps(self) -> tuple[tuple[Cap, ...], Target]:
        caps: list[Cap] = []
        while self._accept("max"):
            cap = self._whole_expression()
            caps.append(Cap(cap, self._target()))
        self._expect("remaining")
        remaining = self._target()
        self._expect("}")
        return tuple(caps), remaining

    def _destination_allotment(self, start: int) -> DestinationAllotment:
        shares: list[Share] = [self._share()]
        targets: list[Target] = [self._target()]
        while not self._accept("}"):
            shares.append(self._share())
            targets.append(self._target())
        return DestinationAllotment(tuple(shares), tuple(targets), (start, self._end))

    def _target(self) -> Target:
        token = self._expect("to", "kept")
        return Kept(token.span) if token.kind == "kept" else self._destination()

    # --- expressions

    def _whole_expression(self) -> Expression:
        """An expression that is no part of another one."""
        self._operators = 0
        return self._expression(0)

    def _expression(self, floor: int, stop: int = -1) -> Expression:
        """Operands joined by operators stronger than `floor`, up to the token of index `stop`."""
        start = self._token.span[0]
        left = self._operand()
        while self._index != stop and (strength := _STRENGTH.get(self._token.kind, 0)) > floor:
            operator = self._operator()
            right = self._expression(strength, stop)
            span = (start, self._end)
            left = (
                division(left, right, span)
                if operator == "/"
                else Addition(operator == "-", left, right, span)
            )
        return left

    def _operator(self) -> str:
        self._operators += 1
        if self._operators > NESTING:
            self._refuse(f"more than {NESTING} operators in one expression")
        return self._advance().kind

    def _operand(self) -> Expression:
        token = self._token
        if token.kind == "-":
            self._operator()
            operand = self._operand()
            return Negation(operand, (token.span[0], self._end))
        if token.kind in {"(", "["}:
            return self._bracket()
        if token.kind in {"IDENT", "overdraft"}:
            return self._call()
        if token.kind == "@":
            return self._account()
        return self._atom()

    def _atom(self) -> Expression:
        token = self._token
        match token.kind:
            case "VARIABLE":
                node: Expression = Variable(token.text[1:], token.span)
            case "NUMBER":
                node = Literal(int(self._digits(token.text).replace("_", "")), token.span)
            case "PERCENT":
                node = Literal(percentage(self._digits(token.text)), token.span)
            case "ASSET":
                node = Literal(Asset(token.text), token.span)
            case "STRING":
                node = self._string(token)
            case _:
                self._refuse("expected a value")
        self._advance()
        return node

    def _digits(self, text: str) -> str:
        if len(text) > DIGITS:
            self._refuse(f"a number has at most {DIGITS} digits")
        return text

    @staticmethod
    def _string(token: Token) -> Literal:
        return Literal(token.text[1:-1], token.span)

    def _bracket(self) -> Expression:
        """`( expression )` or `[asset amount]`."""
        start = self._token.span[0]
        self._deeper()
        if self._accept("("):
            expression = self._expression(0)
            self._expect(")")
        else:
            stop = self._amount_sign()
            self._expect("[")
            asset = self._expression(0, stop)
            amount = self._expression(0)
            self._expect("]")
            expression = monetary(asset, amount, (start, self._end))
        self._depth -= 1
        return expression

    def _amount_sign(self) -> int:
        """Where a negative amount starts: the asset takes all it can, so at the last `-` that could be infix."""
        found, depth, index = -1, 0, self._index
        while depth <= NESTING and (kind := self._tokens[index].kind) not in _NEVER_IN_BRACKETS:
            depth += (kind in {"[", "("}) - (kind in {"]", ")"})
            if depth == 0:
                break
            if kind == "-" and depth == 1 and self._tokens[index - 1].kind not in {"+", "-", "/", "["}:
                found = index
            index += 1
        return found

    def _call(self) -> Call:
        name = self._advance()
        self._deeper()
        self._expect("(")
        arguments: list[Expression] = []
        if self._token.kind != ")":
            arguments.append(self._expression(0))
            while self._accept(","):
                arguments.append(self._expression(0))
        self._expect(")")
        self._depth -= 1
        return Call(name.text, tuple(arguments), name.span, (name.span[0], self._end))

    def _account(self) -> Expression:
        """`@segment:segment...`, of which segments may be variables."""
        start = self._token.span[0]
        parts: list[str | Variable] = []
        while not parts or self._token.kind == ":":
            self._advance()
            token = self._expect("SEGMENT", "VARIABLE")
            parts.append(Variable(token.text[1:], token.span) if token.kind == "VARIABLE" else token.text)
        span = (start, self._end)
        names = [part for part in parts if isinstance(part, str)]
        if len(names) < len(parts):
            return AccountName(tuple(parts), span)
        return Literal(Account(":".join(names)), span)
