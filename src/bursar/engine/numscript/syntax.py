"""The syntax tree, for both runtimes: what a script says, not yet what it means.

Every node knows its span in the source. What is known without running is a Literal already: names, numbers, strings,
percentages, `[USD/2 100]` and `1/3`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from bursar.engine.numscript.errors import ParseError, Problem
from bursar.engine.numscript.position import Source, Span
from bursar.engine.numscript.values import Asset, Monetary, Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the script."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account literal with variables among its segments."""

    parts: tuple[str | Variable, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MonetaryOf:
    """`[asset amount]` of which at least one is not a plain literal."""

    asset: Expression
    amount: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Addition:
    """`left + right` or `left - right`."""

    negative: bool
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Division:
    """`left / right`, a portion."""

    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Negation:
    """`-operand`."""

    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`: as an expression, as a variable's origin, or as a statement."""

    name: str
    arguments: tuple[Expression, ...]
    name_span: Span
    span: Span


Expression: TypeAlias = Literal | Variable | AccountName | MonetaryOf | Addition | Division | Negation | Call


def division(left: Expression, right: Expression, span: Span) -> Literal | Division:
    """`left / right`; a Literal if both are plain numbers."""
    match left, right:
        case Literal(value=int(numerator)), Literal(value=int(denominator)) if denominator != 0:
            return Literal(Fraction(numerator, denominator), span)
        case _:
            return Division(left, right, span)


def monetary(asset: Expression, amount: Expression, span: Span) -> Literal | MonetaryOf:
    """`[asset amount]`; a Literal if both are."""
    match asset, amount:
        case Literal(value=Asset() as name), Literal(value=int(number)):
            return Literal(Monetary(name, number), span)
        case _:
            return MonetaryOf(asset, amount, span)


@dataclass(frozen=True, slots=True)
class Remaining:
    """The share `remaining`: what the others leave of 1."""

    span: Span


Share: TypeAlias = Expression | Remaining


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """An account, its color after a backslash, its overdraft; without one both `unbounded` and `bound` are empty."""

    account: Expression
    color: Expression | None
    unbounded: bool
    bound: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class SourceScaling:
    """`account with scaling through swap`."""

    account: Expression
    swap: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class SourceCapped:
    """`max cap from source`."""

    cap: Expression
    source: SourceTree
    span: Span


@dataclass(frozen=True, slots=True)
class SourceInOrder:
    """`{ source source ... }`."""

    sources: tuple[SourceTree, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class SourceOneof:
    """`oneof { source source ... }`."""

    sources: tuple[SourceTree, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class SourceAllotment:
    """`{ share from source ... }`."""

    shares: tuple[Share, ...]
    sources: tuple[SourceTree, ...]
    span: Span


SourceTree: TypeAlias = (
    SourceAccount | SourceScaling | SourceCapped | SourceInOrder | SourceOneof | SourceAllotment
)


@dataclass(frozen=True, slots=True)
class Kept:
    """`kept`: the money stays where it is."""

    span: Span


@dataclass(frozen=True, slots=True)
class DestinationAccount:
    """An account that receives."""

    account: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Cap:
    """`max cap target`, one clause of a destination."""

    cap: Expression
    target: Target


@dataclass(frozen=True, slots=True)
class DestinationInOrder:
    """`{ max cap target ... remaining target }`."""

    caps: tuple[Cap, ...]
    remaining: Target
    span: Span


@dataclass(frozen=True, slots=True)
class DestinationOneof:
    """`oneof { max cap target ... remaining target }`."""

    caps: tuple[Cap, ...]
    remaining: Target
    span: Span


@dataclass(frozen=True, slots=True)
class DestinationAllotment:
    """`{ share target ... }`."""

    shares: tuple[Share, ...]
    targets: tuple[Target, ...]
    span: Span


DestinationTree: TypeAlias = DestinationAccount | DestinationInOrder | DestinationOneof | DestinationAllotment
Target: TypeAlias = DestinationTree | Kept


@dataclass(frozen=True, slots=True)
class All:
    """`[asset *]`: everything there is of an asset."""

    asset: Expression
    span: Span


Sent: TypeAlias = Expression | All


@dataclass(frozen=True, slots=True)
class Send:
    """`send sent (source = ... destination = ...)`."""

    sent: Sent
    source: SourceTree
    destination: DestinationTree
    span: Span


@dataclass(frozen=True, slots=True)
class Save:
    """`save sent from account`."""

    sent: Sent
    account: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Print:
    """`print value`; machine only."""

    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Fail:
    """`fail`; machine only."""

    span: Span


Statement: TypeAlias = Send | Save | Call | Print | Fail


@dataclass(frozen=True, slots=True)
class Declaration:
    """`type $name [= origin]` of the vars block."""

    type_name: str
    name: str
    origin: Expression | None
    type_span: Span
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Program:
    """A whole script. With problems it holds what could be read, for the checker; it must not be run then."""

    source: Source
    features: tuple[Literal, ...]
    declarations: tuple[Declaration, ...]
    statements: tuple[Statement, ...]
    comments: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped_variables: frozenset[str] = frozenset()
    """Names used in the parts that could not be read."""

    def require_valid(self) -> None:
        """Raise ParseError if there is any problem."""
        if self.problems:
            raise ParseError(self.source, self.problems)
