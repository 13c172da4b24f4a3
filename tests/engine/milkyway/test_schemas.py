"""Schemas of services: D14, MS71."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.errors import InvalidInput
from bursar.engine.limits import SCHEMA_BYTES, SCHEMA_ERRORS
from bursar.engine.milkyway.schemas import check_data, check_schema

SECRET = "hunter2"


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref": "https://example.com/schema"}',
        '{"$ref": "file:///etc/passwd"}',
        '{"type": "nothing"}',
        '{"pattern": "("}',
        '{"$ref": "#/$defs/missing"}',
        '{"format": "no-such-format"}',
        "not json",
    ],
)
def test_d14_unusable_schemas_are_refused(schema: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be used"):
        check_schema(schema)


def test_d14_schemas_are_bounded() -> None:
    with pytest.raises(InvalidInput, match=f"{SCHEMA_BYTES} bytes"):
        check_schema('{"description": "' + "x" * SCHEMA_BYTES + '"}')


def test_d14_references_inside_the_schema_work() -> None:
    schema = '{"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}'
    check_schema(schema)
    check_data(schema, {"a": 1})
    with pytest.raises(InvalidInput):
        check_data(schema, {"a": "1"})


def test_errors_are_bounded() -> None:
    schema = '{"additionalProperties": {"type": "integer"}}'
    with pytest.raises(InvalidInput) as refused:
        check_data(schema, {f"m{number}": "x" for number in range(SCHEMA_ERRORS * 3)})
    assert len(refused.value.errors) == SCHEMA_ERRORS


RULES = [
    '{"properties": {"a": {"type": "integer"}}}',
    '{"properties": {"a": {"enum": ["x", "y"]}}}',
    '{"properties": {"a": {"const": 7}}}',
    '{"properties": {"a": {"pattern": "^z$"}}}',
    '{"properties": {"a": {"maxLength": 1}}}',
    '{"properties": {"a": {"minLength": 99}}}',
    '{"properties": {"a": {"format": "email"}}}',
    '{"properties": {"a": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]}}}',
    '{"properties": {"a": {"anyOf": [{"maxLength": 1}]}}}',
    '{"properties": {"a": {"not": {"type": "string"}}}}',
    '{"properties": {"a": false}}',
    '{"properties": {"a": {"items": {"type": "null"}, "uniqueItems": true, "contains": {"type": "null"}}}}',
    '{"properties": {"a": {"propertyNames": {"maxLength": 1}}}}',
    '{"properties": {"a": {"if": {"type": "string"}, "then": {"const": 1}}}}',
    '{"properties": {"a": {"maxItems": 1, "maxProperties": 0, "minProperties": 9}}}',
    '{"properties": {"a": {"type": ["null", "boolean"]}}}',
]


@given(st.sampled_from(RULES), st.sampled_from([SECRET, [SECRET, SECRET], {SECRET: SECRET}]))
def test_ms71_errors_never_quote_what_was_sent(schema: str, value: object) -> None:
    told: list[str] = []
    try:
        check_data(schema, {"a": value})
    except InvalidInput as error:
        # Only the pointer may say where; the words must not say what.
        told = [each.message for each in error.errors]
    assert all(SECRET not in each for each in told)
