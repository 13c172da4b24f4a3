"""URLs lead where the caller meant (bursar.contract.url)."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.contract import InvalidRequestError
from bursar.contract.url import base_url, query, segment
from tests.contract.test_json import texts

segments = st.one_of(
    st.sampled_from(["a/b", "a?b", "a#b", "a%2Fb", "a b", "ä", "...", "a..", "{id}", "users:1/../../secret"]), texts
)  # fmt: skip


@given(segments)
def test_a_segment_stays_one_segment(value: str) -> None:
    if not value.strip() or value in (".", ".."):
        with pytest.raises(InvalidRequestError):
            segment(value, what="id")
        return
    quoted = segment(value, what="id")
    parts = urlsplit(f"https://host/a/{quoted}/b")
    assert parts.path.split("/") == ["", "a", quoted, "b"]
    assert (parts.query, parts.fragment) == ("", "")
    assert unquote(quoted) == value
    assert quoted.isascii()


@given(st.lists(st.tuples(texts.filter(bool), texts), max_size=5))
def test_mc04_a_query_comes_back_as_it_was(pairs: list[tuple[str, str]]) -> None:
    text = query(pairs)
    assert parse_qsl(text, keep_blank_values=True, max_num_fields=10) == pairs
    assert all(c.isalnum() or c in "-._~%=&" for c in text)


@pytest.mark.parametrize("value", ["", " ", ".", "..", "\ud800"])
def test_segments_that_would_change_the_path_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequestError):
        segment(value, what="id")


@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com/a/b///", "https://api.example.com/a/b"),
        (" https://api.example.com ", "https://api.example.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://LOCALHOST/x", "http://LOCALHOST/x"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_mc02_mc03_base_urls(given_url: str, used: str) -> None:
    assert base_url(given_url) == used


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "http://api.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "https://user:secret@api.example.com",
        "https://@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com?",
        "https://api.example.com/#x",
        "https://api.example.com/#",
        "https://b\u00fccher.example",
        "https://exa mple.com",
        "https://api.example.com/a b",
        "https://api.example.com/a\nb",
        "https://api.example.com/\r\nX-Evil: 1",
        "http://[::1",
        "https://api.example.com:port",
        "https://api.example.com:99999",
    ],
)
def test_base_urls_that_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        base_url(url)
    assert "secret" not in str(caught.value)
