"""Reading JSON and times as the real service does (section 2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.kernel.model import format_time
from bursar.engine.ledger import deep, times, wire
from bursar.engine.ledger.errors import Validation

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.sampled_from(["", " ", "\n", " x", "]", "{}"]))
def test_the_reader_of_deep_json_reads_what_pythons_reads(value, rest):
    text = json.dumps(value)
    assert deep.decode(text + rest, 0, 100, wire.Literal) == json.JSONDecoder().raw_decode(text + rest)


@given(st.text(alphabet='[]{},:"1a \\ -.e', max_size=12))
def test_and_refuses_what_pythons_refuses(text):
    try:
        expected = json.JSONDecoder(parse_float=wire.Literal).raw_decode(text.strip())
    except ValueError:
        expected = None
    try:
        found = deep.decode(text.strip(), 0, 100, wire.Literal)
    except ValueError:
        found = None
    assert found == expected


def test_json_ten_thousand_deep_is_read_and_deeper_is_refused():
    assert wire.first_value(b'{"a":' + b"[" * 9_999 + b"]" * 9_999 + b"}")
    with pytest.raises(Validation):
        wire.first_value(b"[" * 10_001 + b"]" * 10_001)


def test_names_match_in_any_case_and_the_last_counts():
    members = wire.Members(wire.first_value(b'{"Name":"a","name":"b","NAME":"c","name":"d"}'))
    assert members.text("name") == "d"
    assert wire.Members(None).text("name") == ""
    assert wire.Members({"name": None}).has("name") is False


def test_bytes_that_are_no_text_become_marks():
    assert wire.first_value(b'"a\xff\xfeb"') == "a\ufffd\ufffdb"
    assert wire.first_value(b'"\\ud800x"') == "\ufffdx"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-01-01T00:00:00.1234567+02:00", "2023-12-31T22:00:00.123457Z"),
        ("2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00.5Z"),
        ("2024-01-01T00:00:00.9999999Z", "2024-01-01T00:00:01Z"),
        ("0001-01-01T00:00:00.000001Z", "0001-01-01T00:00:00.000001Z"),
        ("2024-01-01T00:00:00-24:00", "2024-01-02T00:00:00Z"),
    ],
)
def test_38_times_are_rounded_and_moved_to_utc(text, shown):
    assert format_time(times.parse(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00+0200",
        "2024-01-01t00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2024-01-01T00:00:00+25:00",
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_39_other_forms_are_refused(text):
    with pytest.raises(Validation):
        times.parse(text)


def test_the_first_instant_counts_as_none():
    assert times.parse_optional("0001-01-01T00:00:00Z") is None
