"""Tokens and scopes (section 17): failures are 401 with an empty body, and come before everything else."""

import pytest

OPEN = ["/_/info", "/_/healthcheck", "/_healthcheck", "/_info"]
CLOSED = ["/v2", "/v2/_info", "/v2/none/transactions", "/v2/a/b/c/d", "/none/stats"]


async def nobody(call):
    return False


@pytest.mark.parametrize("path", OPEN)
def test_248_information_is_public(served, path):
    assert served(guard=nobody)("GET", path).status == 200


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_248_all_else_is_not(served, method, path):
    answer = served(guard=nobody)(method, path)
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers["content-type"] == "application/json"


def test_a_refused_caller_makes_no_ledger(served):
    """Version 1 makes ledgers at the first touch, but not for strangers."""
    admitted = []

    async def guard(call):
        return bool(admitted)

    api = served(guard=guard)
    assert api("GET", "/fresh/stats").status == 401
    admitted.append(True)
    assert api("GET", "/v2/fresh").status == 404


def test_a_preflight_needs_no_token(served):
    asked = {"Origin": "http://app.example", "Access-Control-Request-Method": "POST"}
    assert served(guard=nobody)("OPTIONS", "/v2/l", headers=asked).status == 200
