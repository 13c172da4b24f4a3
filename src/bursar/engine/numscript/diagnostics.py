"""What the checker finds (specification 11.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias

from bursar.engine.numscript.position import Range

Severity: TypeAlias = Literal["error", "warning"]
_E: Final[Severity] = "error"
_W: Final[Severity] = "warning"
_RUNTIME_ERROR: Final = "will cause a runtime error.\nYou may want to"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding."""

    kind: str
    severity: Severity
    message: str
    range: Range
    fields: Mapping[str, object]


class Finding(Enum):
    """The kinds: name, severity, text."""

    PARSING = "Parsing", _E, "{description}"
    INVALID_FEATURE = "InvalidFeature", _E, "Unknown feature: {feature}"
    INVALID_TYPE = (
        "InvalidType",
        _E,
        (
            "'{name}' is not a valid type. Allowed types are: monetary, account, portion, asset, number, string"
        ),
    )
    DUPLICATE_VARIABLE = (
        "DuplicateVariable",
        _E,
        "A variable with the name '${name}' was already declared",
    )
    UNBOUND_VARIABLE = "UnboundVariable", _E, "The variable '${name}' was not declared"
    UNUSED_VARIABLE = "UnusedVar", _W, "The variable '${name}' is never used"
    TYPE_MISMATCH = "TypeMismatch", _E, "Type mismatch (expected '{expected}', got '{got}' instead)"
    ASSET_MISMATCH = "AssetMismatch", _E, "Asset mismatch (expected '{expected}', got '{got}' instead)"
    BOUND_ASSET = (
        "BoundAsset",
        _W,
        (
            "This asset is inferred to be '{inferred_asset}'. "
            f"Receiving a different asset {_RUNTIME_ERROR} remove this variable and use the hardcoded value instead."
        ),
    )
    BOUND_MONETARY = (
        "BoundAsset",
        _W,
        (
            "This monetary is inferred to always have asset '{inferred_asset}'. "
            f"Receiving a monetary of different asset {_RUNTIME_ERROR} use a variable of type number instead."
        ),
    )
    UNKNOWN_FUNCTION = "UnknownFunction", _E, "The function '{name}' does not exist"
    MISPLACED_FUNCTION = (
        "UnknownFunction",
        _E,
        "You cannot use this function here (try to use it in a {context} context)",
    )
    BAD_ARITY = "BadArity", _E, "Wrong number of arguments (expected {expected}, got {actual} instead)"
    SUM_TOO_LARGE = "BadAllotmentSum", _E, "Allotment portions are greater than one (Got {sum})"
    SUM_TOO_SMALL = (
        "BadAllotmentSum",
        _E,
        "Allotment portions are lesser than one (Got {sum}). Maybe try adding a 'remaining' clause?",
    )
    FIXED_PORTION = (
        "FixedPortionVariable",
        _W,
        (
            "Using a variable expression can lead to a runtime error if the expression doesn't resolve to {value}."
            "\n\nConsider using a hard-coded value or adding a 'remaining' clause to prevent the error"
        ),
    )
    REDUNDANT_REMAINING = (
        "RedundantRemaining",
        _W,
        "Redundant 'remaining' clause (allotment already sums to 1)",
    )
    REMAINING_NOT_LAST = (
        "RemainingIsNotLast",
        _E,
        "A 'remaining' clause should be the last in an allotment expression",
    )
    DIVISION_BY_ZERO = "DivByZero", _E, "Cannot divide by zero"
    WORLD_OVERDRAFT = "InvalidWorldOverdraft", _W, "@world is already set to be ovedraft"
    ALLOTMENT_IN_SEND_ALL = (
        "NoAllotmentInSendAll",
        _W,
        "Cannot take all balance of an allotment source",
    )
    UNBOUNDED_IN_SEND_ALL = (
        "InvalidUnboundedAccount",
        _E,
        "Cannot take all balance of an unbounded source",
    )
    EMPTIED_ACCOUNT = "EmptiedAccount", _W, "@{name} is already empty at this point"
    UNBOUNDED_NOT_LAST = (
        "UnboundedAccountIsNotLast",
        _W,
        "Inorder sources after an unbounded overdraft are never reached",
    )
    VERSION_MISMATCH = (
        "VersionMismatch",
        _E,
        "Version mismatch. Required version '{required_version}' (but got '{got_version}' instead)",
    )
    EXPERIMENTAL = (
        "ExperimentalFeature",
        _E,
        "This feature is experimental. Add this comment to your script:\n// @feature_flag {name}",
    )

    def __init__(self, kind: str, severity: Severity, template: str) -> None:
        self.kind = kind
        self.severity: Severity = severity
        self.template = template

    def at(self, place: Range, **fields: object) -> Diagnostic:
        """This finding at a place; its text is made from the fields."""
        return Diagnostic(self.kind, self.severity, self.template.format(**fields), place, fields)
