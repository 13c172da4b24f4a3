"""Paths and what they lead to."""

import pytest

from bursar.server.router import Router


@pytest.fixture
def router():
    made = Router()
    for verb, template in [
        ("GET", "/payments"),
        ("POST", "/payments"),
        ("GET", "/payments/{id}"),
        ("DELETE", "/payments/{id}"),
        ("GET", "/payments/latest"),
        ("GET", "/payments/{id}/events/{event}"),
        ("GET", "/{ledger}/accounts"),
    ]:
        made.add(verb, template, f"{verb} {template}")
    return made


def find(router, path, raw=None):
    found = router.find(path, path if raw is None else raw)
    return None if found is None else (sorted(found[0]), found[1])


def test_fixed_paths_and_parameters(router):
    assert find(router, "/payments") == (["GET", "POST"], {})
    assert find(router, "/payments/7") == (["DELETE", "GET"], {"id": "7"})
    assert find(router, "/payments/7/events/e") == (["GET"], {"id": "7", "event": "e"})
    assert find(router, "/main/accounts") == (["GET"], {"ledger": "main"})


def test_a_fixed_segment_goes_before_a_parameter_and_back(router):
    assert find(router, "/payments/latest") == (["GET"], {})
    assert find(router, "/payments/accounts") == (["DELETE", "GET"], {"id": "accounts"})


def test_a_quoted_slash_stays_in_its_parameter(router):
    assert find(router, "/payments/a/b", "/payments/a%2Fb") == (["DELETE", "GET"], {"id": "a/b"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/payments/",
        "payments",
        "/payments/7/",
        "/payments/7/events",
        "/payments//events/e",
        "/" * 5000,
    ],
)
def test_other_paths_lead_nowhere(router, path):
    assert find(router, path) is None
