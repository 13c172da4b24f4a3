"""The machine's tokens to the same syntax tree (13.1). The first error ends it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, NoReturn

from bursar.engine.numscript.errors import CompileError
from bursar.engine.numscript.lexer import Token
from bursar.engine.numscript.limits import DIGITS, NESTING
from bursar.engine.numscript.machine.lexer import BOUNDED, TYPES, UNBOUNDED, tokens
from bursar.engine.numscript.position import Source, Span
from bursar.engine.numscript.syntax import (
    Addition,
    All,
    Call,
    Cap,
    Declaration,
    DestinationAccount,
    DestinationAllotment,
    DestinationInOrder,
    DestinationTree,
    Expression,
    Fail,
    Kept,
    Literal,
    Print,
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
    SourceTree,
    Statement,
    Target,
    Variable,
    monetary,
)
from bursar.engine.numscript.values import Account, Asset, BadPortion, parse_portion

_STATEMENTS: Final = ("set_tx_meta", "set_account_meta", "print", "fail", "send", "save")
_VALUES: Final = ("[", "STRING", "PORTION", "NUMBER", "VARIABLE", "ACCOUNT", "ASSET")


def parse(text: str) -> Program:
    """Read a script; raises CompileError."""
    return _Parser(text).program()


class _Parser:
    def __init__(self, text: str) -> None:
        self._source = Source(text)
        self._tokens = tokens(text)
        self._index = 0
        self._token = self._tokens[0]
        self._end = 0
        self._depth = 0

    # --- tokens

    def _advance(self) -> Token:
        token = self._token
        self._end = token.span[1]
        if token.kind != "END":
            self._index += 1
            self._token = self._tokens[self._index]
        return token

    def _at(self, kind: str) -> bool:
        return self._token.kind == kind

    def _accept(self, kind: str) -> bool:
        if not self._at(kind):
            return False
        self._advance()
        return True

    def _expect(self, *kinds: str) -> Token:
        if self._token.kind not in kinds:
            wanted = kinds[0] if len(kinds) == 1 else "{" + ", ".join(kinds) + "}"
            found = self._token.text.replace("\n", "\\n").replace("\r", "\\r")
            self._refuse(f"mismatched input '{found}' expecting {wanted}")
        return self._advance()

    def _refuse(self, message: str) -> NoReturn:
        raise CompileError(message, self._token.span)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > NESTING:
            self._refuse(f"nested deeper than {NESTING}")

    # --- script

    def program(self) -> Program:
        """The whole script: at least one statement, one line end between two of them."""
        while self._accept("NEWLINE"):
            pass
        declarations = self._declarations() if self._at("vars") else ()
        statements = [self._statement()]
        while self._accept("NEWLINE"):
            if self._token.kind in {"NEWLINE", "END"}:
                while self._accept("NEWLINE"):
                    pass
                break
            statements.append(self._statement())
        self._expect("END")
        return Program(self._source, (), declarations, tuple(statements))

    def _declarations(self) -> tuple[Declaration, ...]:
        for kind in ("vars", "{", "NEWLINE"):
            self._expect(kind)
        declarations = [self._declaration()]
        while not self._accept("}"):
            declarations.append(self._declaration())
        self._expect("NEWLINE")
        return tuple(declarations)

    def _declaration(self) -> Declaration:
        type_name = self._expect(*TYPES)
        name = self._expect("VARIABLE")
        origin = self._origin() if self._accept("=") else None
        span = (type_name.span[0], self._end)
        self._expect("NEWLINE")
        while self._accept("NEWLINE"):
            pass
        return Declaration(type_name.text, name.text[1:], origin, type_name.span, name.span, span)

    def _origin(self) -> Call:
        function = self._expect("meta", "balance")
        self._expect("(")
        account = self._expression()
        self._expect(",")
        if function.kind == "meta":
            key = self._expect("STRING")
            second: Expression = Literal(key.text.strip('"'), key.span)  # not unescaped, unlike other strings
        else:
            second = self._expression()
        self._expect(")")
        return Call(function.kind, (account, second), function.span, (function.span[0], self._end))

    def _statement(self) -> Statement:
        token = self._expect(*_STATEMENTS)
        start = token.span[0]
        match token.kind:
            case "send":
                return self._send(start)
            case "save":
                sent = self._sent()
                self._expect("from")
                return Save(sent, self._expression(), (start, self._end))
            case "print":
                return Print(self._expression(), (start, self._end))
            case "fail":
                return Fail(token.span)
            case _:
                return self._set_metadata(token)

    def _set_metadata(self, name: Token) -> Call:
        self._expect("(")
        arguments: list[Expression] = []
        if name.kind == "set_account_meta":
            arguments.append(self._expression())
            self._expect(",")
        arguments.append(self._string(self._expect("STRING")))
        self._expect(",")
        arguments.append(self._expression())
        self._expect(")")
        return Call(name.kind, tuple(arguments), name.span, (name.span[0], self._end))

    def _send(self, start: int) -> Send:
        sent = self._sent()
        self._expect("(")
        self._expect("NEWLINE")
        if self._at("destination"):
            destination = self._send_destination()
            self._expect("NEWLINE")
            source = self._send_source()
        else:
            source = self._send_source()
            self._expect("NEWLINE")
            destination = self._send_destination()
        self._expect("NEWLINE")
        self._expect(")")
        return Send(sent, source, destination, (start, self._end))

    def _send_source(self) -> SourceTree:
        self._expect("source")
        self._expect("=")
        return self._source_or_allotment()

    def _send_destination(self) -> DestinationTree:
        self._expect("destination")
        self._expect("=")
        return self._destination()

    def _sent(self) -> Sent:
        start, index = self._token.span[0], self._index
        if self._accept("["):
            asset = self._expression()
            if self._accept("*"):
                self._expect("]")
                return All(asset, (start, self._end))
            self._index, self._token = index, self._tokens[index]
        return self._expression()

    # --- sources

    def _source_or_allotment(self) -> SourceTree:
        """Allotments stand only here, at the top of a send."""
        first, second, third = (self._ahead(offset).kind for offset in (1, 2, 3))
        shares = second in {"PORTION", "remaining"} or (second == "VARIABLE" and third == "from")
        if not (self._at("{") and first == "NEWLINE" and shares):
            return self._source_tree()
        start = self._block()
        pairs: list[tuple[Share, SourceTree]] = []
        while not pairs or not self._at("}"):
            share = self._share()
            self._expect("from")
            pairs.append((share, self._source_tree()))
            self._expect("NEWLINE")
        self._advance()
        return SourceAllotment(
            tuple(share for share, _ in pairs), tuple(source for _, source in pairs), (start, self._end)
        )

    def _ahead(self, offset: int) -> Token:
        return self._tokens[min(self._index + offset, len(self._tokens) - 1)]

    def _block(self) -> int:
        start = self._expect("{").span[0]
        self._expect("NEWLINE")
        return start

    def _source_tree(self) -> SourceTree:
        start = self._token.span[0]
        self._deeper()
        source: SourceTree
        if self._accept("max"):
            cap = self._expression()
            self._expect("from")
            inner = self._source_tree()
            source = SourceCapped(cap, inner, (start, self._end))
        elif self._at("{"):
            self._block()
            sources: list[SourceTree] = []
            while not sources or not self._at("}"):
                sources.append(self._source_tree())
                self._expect("NEWLINE")
            self._advance()
            source = SourceInOrder(tuple(sources), (start, self._end))
        else:
            account = self._expression()
            unbounded = self._accept(UNBOUNDED)
            bound = self._expression() if not unbounded and self._accept(BOUNDED) else None
            source = SourceAccount(account, None, unbounded, bound, (start, self._end))
        self._depth -= 1
        return source

    def _share(self) -> Share:
        token = self._expect("PORTION", "VARIABLE", "remaining")
        if token.kind == "remaining":
            return Remaining(token.span)
        if token.kind == "VARIABLE":
            return Variable(token.text[1:], token.span)
        return Literal(self._portion(token), token.span)

    # --- destinations

    def _destination(self) -> DestinationTree:
        if not self._at("{"):
            start = self._token.span[0]
            return DestinationAccount(self._expression(), (start, self._end))
        self._deeper()
        start = self._block()
        in_order = self._at("max")
        destination = self._destination_in_order(start) if in_order else self._destination_allotment(start)
        self._depth -= 1
        return destination

    def _destination_in_order(self, start: int) -> DestinationInOrder:
        caps: list[Cap] = []
        while self._accept("max"):
            cap = self._expression()
            caps.append(Cap(cap, self._target()))
            self._expect("NEWLINE")
        self._expect("remaining")
        remaining = self._target()
        self._expect("NEWLINE")
        self._expect("}")
        return DestinationInOrder(tuple(caps), remaining, (start, self._end))

    def _destination_allotment(self, start: int) -> DestinationAllotment:
        pairs: list[tuple[Share, Target]] = []
        while not pairs or not self._at("}"):
            share = self._share()
            pairs.append((share, self._target()))
            self._expect("NEWLINE")
        self._advance()
        return DestinationAllotment(
            tuple(share for share, _ in pairs), tuple(target for _, target in pairs), (start, self._end)
        )

    def _target(self) -> Target:
        token = self._expect("to", "kept")
        return Kept(token.span) if token.kind == "kept" else self._destination()

    # --- expressions

    def _expression(self) -> Expression:
        start = self._token.span[0]
        left = self._operand()
        operators = 0
        while self._token.kind in {"+", "-"}:
            operators += 1
            if operators > NESTING:
                self._refuse(f"more than {NESTING} operators in one expression")
            negative = self._advance().kind == "-"
            right = self._operand()
            left = Addition(negative, left, right, (start, self._end))
        return left

    def _operand(self) -> Expression:
        token = self._expect(*_VALUES)
        match token.kind:
            case "[":
                return self._monetary(token.span[0])
            case "VARIABLE":
                return Variable(token.text[1:], token.span)
            case "NUMBER":
                return Literal(self._number(token), token.span)
            case "PORTION":
                return Literal(self._portion(token), token.span)
            case "ASSET":
                return Literal(Asset(token.text), token.span)
            case "ACCOUNT":
                return Literal(Account(token.text[1:]), token.span)
            case _:
                return self._string(token)

    def _monetary(self, start: int) -> Expression:
        self._deeper()
        asset = self._expression()
        amount = self._expect("NUMBER")
        self._expect("]")
        self._depth -= 1
        return monetary(asset, Literal(self._number(amount), amount.span), (start, self._end))

    @staticmethod
    def _number(token: Token) -> int:
        if len(token.text) > DIGITS:
            raise CompileError(f"a number has at most {DIGITS} digits", token.span)
        return int(token.text)

    @staticmethod
    def _portion(token: Token) -> Fraction:
        try:
            return parse_portion(token.text)
        except BadPortion as reason:
            raise CompileError(str(reason), token.span) from None

    @staticmethod
    def _string(token: Token) -> Literal:
        return Literal(_unquoted(token.text[1:-1], token.span), token.span)


_ESCAPE: Final = re.compile(
    rb"""\\(?:(?P<plain>[abfnrtv\\"])|x(?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})
         |u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|)""",
    re.VERBOSE,
)
_PLAIN: Final = dict(zip(b'abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))


def _unquoted(text: str, span: Span) -> str:
    """A string with its escapes decoded as Go does; bytes that make no text become U+FFFD."""
    if "\\" not in text:
        return text

    def decoded(match: re.Match[bytes]) -> bytes:
        code = match["short"] or match["long"]
        if match["plain"]:
            return bytes([_PLAIN[match["plain"][0]]])
        if match["hex"] or match["octal"]:
            return bytes([int(match["hex"], 16) if match["hex"] else int(match["octal"], 8)])
        if not code or (point := int(code, 16)) > 0x10FFFF or 0xD800 <= point < 0xE000:
            raise CompileError("invalid syntax", span)
        return chr(point).encode()

    return _ESCAPE.sub(decoded, text.encode("utf-8", "replace")).decode("utf-8", "replace")
