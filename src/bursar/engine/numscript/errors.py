"""What can be wrong with a script: when reading it, when compiling it (machine), when running it.

The names and texts of faults are what programs match on (specification 10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from bursar.engine.numscript.position import Range, Source, Span


class NumscriptError(Exception):
    """Anything that this package raises about a script; `range` says where, when that is known."""

    message: str
    range: Range | None = None


class Problem(NamedTuple):
    """One lexical or syntax error."""

    message: str
    span: Span


class ParseError(NumscriptError):
    """The script cannot be read; `problems` says why, the first one is the message and the range."""

    def __init__(self, source: Source, problems: Sequence[Problem]) -> None:
        self.problems = [(problem.message, source.range(problem.span)) for problem in problems]
        self.message, self.range = self.problems[0]
        super().__init__(self.message)


class CompileError(NumscriptError):
    """The machine refuses the script before running it."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span

    def locate(self, text: str) -> None:
        """Set `range`, once the text is at hand."""
        self.range = Source(text).range(self.span)


class RunError(NumscriptError):
    """The script failed; nothing of what it did counts. `kind` is its name, `fields` its particulars."""

    def __init__(self, kind: str, message: str, span: Span | None = None, **fields: object) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.span = span
        self.fields: Mapping[str, object] = fields


class UnknownAccount(Exception):
    """Raised by a store: there is no such account to read metadata of; its text is the store's own."""


class Fault(Enum):
    """What can go wrong when the interpreter runs a script: name and text."""

    MISSING_FUNDS = (
        "MissingFundsErr",
        "Not enough funds. Needed [{asset} {needed}] (only [{asset} {available}] available)",
    )
    NEGATIVE_AMOUNT = "NegativeAmountErr", "Cannot send negative amount: {amount}"
    TYPE = "TypeError", "Invalid value received. Expecting value of type {expected} (got {got} instead)"
    MISMATCHED_CURRENCY = (
        "MismatchedCurrencyError",
        "Mismatched currency (expected '{expected}', got '{got}' instead)",
    )
    UNBOUND_VARIABLE = "UnboundVariableErr", "Unbound variable: ${name}"
    MISSING_VARIABLE = "MissingVariableErr", "Variable is missing in json: {name}"
    INVALID_TYPE = "InvalidTypeErr", "This type does not exist: {name}"
    INVALID_MONETARY = "InvalidMonetaryLiteral", "invalid monetary literal: '{source}'"
    INVALID_NUMBER = "InvalidNumberLiteral", "invalid number literal: '{source}'"
    INVALID_ASSET = "InvalidAsset", "Invalid asset name: {name}"
    INVALID_ACCOUNT = "InvalidAccountName", "Invalid account name: @{name}"
    BAD_PORTION = "BadPortionParsingErr", "Bad portion: {reason}"
    METADATA_NOT_FOUND = (
        "MetadataNotFound",
        "account '@{account}' doesn't have metadata associated to the '{key}' key",
    )
    NESTED_META = (
        "InvalidNestedMeta",
        "Invalid usage of meta() function: the meta function cannot be nested in a sub-expression.",
    )
    UNBOUND_FUNCTION = "UnboundFunctionErr", "Invalid function: {name}"
    BAD_ARITY = (
        "BadArityErr",
        "Bad arity: expected {expected_arity} arguments (got {given_arguments} instead)",
    )
    NEGATIVE_BALANCE = "NegativeBalanceError", "Cannot fetch negative balance from account @{account}"
    DIVIDE_BY_ZERO = "DivideByZero", "cannot divide by zero (in {numerator}/0)"
    ALLOTMENT_SUM = (
        "InvalidAllotmentSum",
        "Invalid allotment: portions sum should be 1 (got {actual_sum} instead)",
    )
    ALLOTMENT_IN_SEND_ALL = (
        "InvalidAllotmentInSendAll",
        "cannot take all balance of an allotment source",
    )
    UNBOUNDED_IN_SEND_ALL = (
        "InvalidUnboundedInSendAll",
        "cannot take all balance from an unbounded source",
    )
    UNBOUNDED_IN_SCALING = (
        "InvalidUnboundedAddressInScalingAddress",
        "Invalid usage or @world account in scaling context",
    )
    CANNOT_CAST = "CannotCastToString", "Cannot cast this value to string: {got}"
    INVALID_COLOR = "InvalidColor", "Invalid color name: '{color}'. Only uppercase letters are allowed."
    EXPERIMENTAL = (
        "ExperimentalFeature",
        "this feature is experimental. You need the '{flag_name}' feature flag to enable it",
    )
    INVALID_FEATURE = "InvalidFeature", "Invalid feature: {feature}"
    QUERY_METADATA = "QueryMetadataError", "{text}"
    INTERNAL = (
        "InternalError",
        "The script produced a posting with invalid values: {{{posting}}}",
    )
    LIMIT = "LimitExceeded", "script too large: {limit}"

    def __init__(self, kind: str, template: str) -> None:
        self.kind = kind
        self.template = template


def fail(fault: Fault, span: Span | None = None, **fields: object) -> RunError:
    """The error for a fault; its text is made from the fields."""
    return RunError(fault.kind, fault.template.format(**fields), span, **fields)
