"""Errors of the Formance services: one class for each family of codes, the code itself in `error_code`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.client import ErrorFamily
from bursar.contract import ApiError, OpenEnum, Outcome, Response, UnreadableAnswer
from bursar.contract.json import elements, loads, members

if TYPE_CHECKING:
    from .ledger.bulk import BulkResult


class ErrorCode(OpenEnum):
    """Documented error codes. One that this version does not know is kept, with `is_known` False."""

    ALREADY_REVERT = "ALREADY_REVERT"
    BULK_SIZE_EXCEEDED = "BULK_SIZE_EXCEEDED"
    COMPILATION_FAILED = "COMPILATION_FAILED"
    CONFLICT = "CONFLICT"
    CONNECTOR_CAPABILITY_NOT_SUPPORTED = "CONNECTOR_CAPABILITY_NOT_SUPPORTED"
    HOLD_CLOSED = "HOLD_CLOSED"
    IMPORT = "IMPORT"
    INSUFFICIENT_FUND = "INSUFFICIENT_FUND"
    INTERNAL = "INTERNAL"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INTERPRETER_PARSE = "INTERPRETER_PARSE"
    INTERPRETER_RUNTIME = "INTERPRETER_RUNTIME"
    INVALID_ID = "INVALID_ID"
    LEDGER_ALREADY_EXISTS = "LEDGER_ALREADY_EXISTS"
    LEDGER_NOT_FOUND = "LEDGER_NOT_FOUND"
    METADATA_OVERRIDE = "METADATA_OVERRIDE"
    MISSING_OR_INVALID_BODY = "MISSING_OR_INVALID_BODY"
    NOT_FOUND = "NOT_FOUND"
    NO_POSTINGS = "NO_POSTINGS"
    NO_SCRIPT = "NO_SCRIPT"
    OUTDATED_SCHEMA = "OUTDATED_SCHEMA"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    REVERT_OCCURRING = "REVERT_OCCURRING"
    RULE_BUSY = "RULE_BUSY"
    RULE_CHANGED = "RULE_CHANGED"
    SCHEMA_ALREADY_EXISTS = "SCHEMA_ALREADY_EXISTS"
    SCHEMA_NOT_SPECIFIED = "SCHEMA_NOT_SPECIFIED"
    TIMEOUT = "TIMEOUT"
    VALIDATION = "VALIDATION"


class FormanceApiError(ApiError):
    """Base of every failure of a Formance call; see `bursar.contract.ApiError` for what else it carries.

    Attributes:
        error_code: the service's ``errorCode``; None when the answer had none (no answer, 401, HEAD, plain text).
        details: the service's ``details``, where it gives some.
    """

    error_code: ErrorCode | None = None
    details: str | None = None

    def __init__(self, status_code: int, message: str, response_body: str | None = None) -> None:
        super().__init__(status_code, message, response_body)
        told = _told(response_body)
        code, details = told.get("errorCode"), told.get("details")
        self.error_code = ErrorCode(code) if isinstance(code, str) else None
        self.details = details if isinstance(details, str) else None

    def __str__(self) -> str:
        code = f" {self.error_code}" if self.error_code is not None else ""
        return f"[{self.status_code}{code}] {self.message}"


class FormanceValidationError(FormanceApiError):
    """VALIDATION, INVALID_ID, MISSING_OR_INVALID_BODY, or 400 without a code: the request breaks a rule.

    Also a known idempotency key with other input.
    """


class FormanceScriptError(FormanceValidationError):
    """COMPILATION_FAILED, INTERPRETER_PARSE, INTERPRETER_RUNTIME, METADATA_OVERRIDE, NO_POSTINGS, NO_SCRIPT."""


class FormanceSchemaError(FormanceValidationError):
    """SCHEMA_NOT_SPECIFIED: the write must name a schema version; OUTDATED_SCHEMA: the bucket must be upgraded."""


class FormanceImportError(FormanceValidationError):
    """IMPORT: the log stream was refused; logs before the refused one stay."""


class FormanceInsufficientFundsError(FormanceApiError):
    """INSUFFICIENT_FUND: an account does not hold what would leave it."""


class FormanceConflictError(FormanceApiError):
    """Something is there or under way already, or 409 without a code.

    CONFLICT (a transaction's reference), LEDGER_ALREADY_EXISTS, SCHEMA_ALREADY_EXISTS, ALREADY_REVERT,
    REVERT_OCCURRING, HOLD_CLOSED, RULE_BUSY, RULE_CHANGED.
    """


class FormanceNotFoundError(FormanceApiError):
    """NOT_FOUND, LEDGER_NOT_FOUND, or 404 without a code."""


class FormanceTooLargeError(FormanceApiError):
    """BULK_SIZE_EXCEEDED, REQUEST_TOO_LARGE, or 413 without a code; nothing was done."""


class FormanceUnsupportedError(FormanceApiError):
    """CONNECTOR_CAPABILITY_NOT_SUPPORTED: the payment provider cannot do this."""


class FormanceBulkError(FormanceApiError):
    """Elements of a bulk failed; `result` tells of each.

    Without `atomic`, elements before the first failure stay (with `continue_on_failure` later ones too), hence the
    outcome is unknown where `result` shows successes. With `atomic` nothing stays, although the service lists the
    successes that it took back.
    """

    @property
    def result(self) -> BulkResult:
        """What the service says of each element."""
        from .ledger.bulk import BulkResult

        return BulkResult.from_dict(_told(self.response_body))


class FormanceAuthError(FormanceApiError):
    """401 and 403: the token or its scopes do not do, or no token could be had (then `token_status` says how)."""


class FormanceUnavailableError(FormanceApiError):
    """INTERNAL, INTERNAL_ERROR, TIMEOUT, any 5xx; or status 0: no answer came at all."""


class FormanceUnreadableAnswerError(FormanceApiError):
    """2xx, but the body is not what is documented: the call was carried out, its result is in `response_body`."""


_CLASSES: dict[type[FormanceApiError], tuple[ErrorCode, ...]] = {
    FormanceValidationError: (
        ErrorCode.VALIDATION,
        ErrorCode.INVALID_ID,
        ErrorCode.MISSING_OR_INVALID_BODY,
    ),
    FormanceScriptError: (
        ErrorCode.COMPILATION_FAILED,
        ErrorCode.INTERPRETER_PARSE,
        ErrorCode.INTERPRETER_RUNTIME,
        ErrorCode.METADATA_OVERRIDE,
        ErrorCode.NO_POSTINGS,
        ErrorCode.NO_SCRIPT,
    ),
    FormanceSchemaError: (ErrorCode.SCHEMA_NOT_SPECIFIED, ErrorCode.OUTDATED_SCHEMA),
    FormanceImportError: (ErrorCode.IMPORT,),
    FormanceInsufficientFundsError: (ErrorCode.INSUFFICIENT_FUND,),
    FormanceConflictError: (
        ErrorCode.CONFLICT,
        ErrorCode.LEDGER_ALREADY_EXISTS,
        ErrorCode.SCHEMA_ALREADY_EXISTS,
        ErrorCode.ALREADY_REVERT,
        ErrorCode.REVERT_OCCURRING,
        ErrorCode.HOLD_CLOSED,
        ErrorCode.RULE_BUSY,
        ErrorCode.RULE_CHANGED,
    ),
    FormanceNotFoundError: (ErrorCode.NOT_FOUND, ErrorCode.LEDGER_NOT_FOUND),
    FormanceTooLargeError: (ErrorCode.BULK_SIZE_EXCEEDED, ErrorCode.REQUEST_TOO_LARGE),
    FormanceUnsupportedError: (ErrorCode.CONNECTOR_CAPABILITY_NOT_SUPPORTED,),
    FormanceUnavailableError: (ErrorCode.INTERNAL, ErrorCode.INTERNAL_ERROR, ErrorCode.TIMEOUT),
}
BY_CODE = {code: kind for kind, codes in _CLASSES.items() for code in codes}
"""The class of each documented code."""


def _told(body: str | None) -> dict[str, Any]:
    """Return the members of a JSON object in an answer; none when it is something else."""
    if not body or not body.lstrip().startswith("{"):
        return {}
    try:
        return members(loads(body)) or {}
    except UnreadableAnswer:
        return {}


def _class_of(status: int, body: str) -> type[ApiError] | None:
    told = _told(body)
    if elements(told.get("data")) is not None:
        return FormanceBulkError
    code = told.get("errorCode")
    return BY_CODE.get(ErrorCode(code)) if isinstance(code, str) else None


def _outcome(response: Response) -> Outcome | None:
    """Return UNKNOWN for a bulk that failed after elements had been carried out."""
    results = elements(_told(response.text).get("data")) or []
    done = any((members(result) or {}).get("responseType") != "ERROR" for result in results)
    return Outcome.UNKNOWN if done else None


def message(response: Response) -> str | None:
    """Return the words of an error answer: its ``errorMessage``, an OAuth error, a bulk's failures, or plain text."""
    told = _told(response.text)
    results = elements(told.get("data"))
    if results is not None:
        return _failures(results)
    words = told.get("errorMessage") or told.get("error_description") or told.get("error")
    if isinstance(words, str) and words:
        return words
    return response.text.strip()[:500] if response.media_type == "text/plain" else None


def _failures(results: list[Any]) -> str:
    failed = [(index, members(result) or {}) for index, result in enumerate(results)]
    failed = [(index, told) for index, told in failed if told.get("responseType") == "ERROR"]
    words = f"{len(failed)} of {len(results)} elements failed"
    if failed:
        index, told = failed[0]
        words += f", first element {index}: {told.get('errorCode')} {told.get('errorDescription')}"
    return words


FAMILY = ErrorFamily(
    base=FormanceApiError,
    unavailable=FormanceUnavailableError,
    auth=FormanceAuthError,
    unreadable=FormanceUnreadableAnswerError,
    by_status={
        400: FormanceValidationError,
        401: FormanceAuthError,
        403: FormanceAuthError,
        404: FormanceNotFoundError,
        409: FormanceConflictError,
        413: FormanceTooLargeError,
    },
    message=message,
    by_body=_class_of,
    outcome=_outcome,
)
