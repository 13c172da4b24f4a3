"""JSON Schema 2020-12 of a service's `data`: compiled once, formats asserted, nothing fetched (D14).

Errors name the place as a JSON pointer and the schema's rule, never the value that broke it (MS71).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs

from bursar.engine.errors import FieldError, InvalidInput
from bursar.engine.limits import SCHEMA_BYTES, SCHEMA_ERRORS

_VALUE = "this value"


def check_schema(text: str) -> None:
    """Raise `InvalidInput` when a text is not a schema that `check_data` can use.

    Refused: more than `SCHEMA_BYTES` bytes, no JSON object, a broken schema, unknown formats, references that
    leave the schema.
    """
    if len(text.encode()) > SCHEMA_BYTES:
        raise InvalidInput(f"the schema is longer than {SCHEMA_BYTES} bytes")
    try:
        _compiled(text)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInput(
            f"the schema cannot be used: {reason}", errors=[FieldError("/schema", reason)]
        ) from None


def check_data(schema: str | None, data: Mapping[str, Any] | None) -> None:
    """Check a payment's `data` against the service's schema (MS23, MS24). Absent data is checked as ``{}``.

    Raises `InvalidInput` with at most `SCHEMA_ERRORS` errors. Without schema everything passes (MS25).
    """
    if schema is None:
        return
    instance = dict(data) if data is not None else {}
    errors = [_field_error(error) for error in islice(_compiled(schema).iter_errors(instance), SCHEMA_ERRORS)]
    if errors:
        raise InvalidInput(f"{errors[0].pointer}: {errors[0].message}", errors=errors)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> jsonschema_rs.Draft202012Validator:
    # `offline`: a reference that leaves the schema fails here, at compile time, and never on the network.
    return jsonschema_rs.Draft202012Validator(
        text, validate_formats=True, ignore_unknown_formats=False, offline=True, mask=_VALUE
    )


def _field_error(error: jsonschema_rs.ValidationError) -> FieldError:
    path = ["data", *error.instance_path]
    kind = error.kind.as_dict()
    match error.kind.name:
        case "required":
            return FieldError(_pointer([*path, kind["property"]]), "is required by the service")
        case "additionalProperties" | "unevaluatedProperties":
            return FieldError(_pointer([*path, kind["unexpected"][0]]), "is not a property the service knows")
        case "propertyNames":
            return FieldError(_pointer(path), "has a property whose name the service does not allow")
        case _:
            return FieldError(_pointer(path), error.message)


def _pointer(path: list[str | int]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
