"""Clients, secrets and users over HTTP (section 3.1)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.formance_auth.conftest import data

EMPTY = {
    "public": False,
    "redirectUris": [],
    "description": "",
    "name": "",
    "postLogoutRedirectUris": [],
    "metadata": {},
    "trusted": False,
    "scopes": [],
    "secrets": [],
}


@pytest.fixture
def call(stack):
    token = stack.token()

    def send(method, path, json=None, **further):
        return stack(method, path, json, token=token, **further)

    return send


def made(call, **options):
    return data(call("POST", "/clients", options))["data"]["id"]


@pytest.mark.parametrize(
    "text", ["{}", "null", '{"name":null,"scopes":null}', "{} and what follows", '{"x":[1]}']
)
def test_176_nothing_is_required(call, text):
    answer = call("POST", "/clients", text=text)
    assert answer.status == 201
    created = data(answer)["data"]
    nulls = {"redirectUris", "postLogoutRedirectUris", "metadata", "scopes"}
    assert created == {**EMPTY, **dict.fromkeys(nulls), "id": created["id"]}
    assert data(call("GET", f"/clients/{created['id']}"))["data"] == {**EMPTY, "id": created["id"]}
    assert "location" not in answer.headers


def test_names_of_members_match_in_any_case(call):
    client = made(call, NAME="n", RedirectURIs=["https://a.example"], SCOPES=["a", None])
    read = data(call("GET", f"/clients/{client}"))["data"]
    assert (read["name"], read["redirectUris"], read["scopes"]) == ("n", ["https://a.example"], ["a", ""])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '"x"',
        '{"name":5}',
        '{"public":"yes"}',
        '{"scopes":"a"}',
        '{"scopes":[1]}',
        '{"metadata":{"a":1}}',
        '{"metadata":[]}',
        '{"id":7}',
        '{"name":"a\\u0000b"}',
        '{"metadata":{"a\\u0000":"b"}}',
        '{"id":"a\\nb"}',
        '{"id":"' + "x" * 300 + '"}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_of_another_shape_is_400(call, method, text):
    client = made(call, name="kept")
    before = data(call("GET", "/clients"))
    if method == "PUT" and '"id"' in text:
        return  # not read there
    answer = call(method, "/clients" if method == "POST" else f"/clients/{client}", text=text)
    assert (answer.status, data(answer)["errorCode"]) == (400, "VALIDATION")
    assert data(answer)["errorMessage"]
    assert data(call("GET", "/clients")) == before


def test_14_an_update_replaces_all_options_and_keeps_secrets(call):
    client = made(call, name="a", trusted=True, scopes=["x"], metadata={"k": "v"})
    secret = data(call("POST", f"/clients/{client}/secrets", {"name": "s", "metadata": {"m": "n"}}))["data"]
    changed = data(call("PUT", f"/clients/{client}", {"id": "other", "description": "d"}))["data"]
    assert changed["secrets"] == [
        {"id": secret["id"], "name": "s", "lastDigits": secret["clear"][-4:], "metadata": {"m": "n"}}
    ]
    read = data(call("GET", f"/clients/{client}"))["data"]
    assert read == {**EMPTY, "id": client, "description": "d", "secrets": changed["secrets"]}
    assert (changed["scopes"], changed["metadata"]) == (None, None)


def test_15_deleting_what_is_not_there_is_no_error(call):
    assert call("DELETE", "/clients/nobody").status == 204
    for method, path in [
        ("GET", "/clients/nobody"),
        ("PUT", "/clients/nobody"),  # said before the missing body
        ("POST", "/clients/nobody/secrets"),
        ("DELETE", "/clients/nobody/secrets/x"),
        ("GET", "/users/nobody"),
    ]:
        answer = call(method, path)
        assert (answer.status, answer.body) == (404, b"")
        assert answer.headers["content-type"] == "application/json"


def test_16_a_secret_is_shown_once(stack, call):
    client = made(call, name="a")
    shown = data(call("POST", f"/clients/{client}/secrets", {"name": "s"}))["data"]
    assert set(shown) == {"id", "lastDigits", "name", "clear"}
    assert shown["lastDigits"] == shown["clear"][-4:]
    read = call("GET", f"/clients/{client}")
    assert shown["clear"].encode() not in read.body
    assert data(read)["data"]["secrets"] == [
        {"id": shown["id"], "lastDigits": shown["lastDigits"], "name": "s", "metadata": None}
    ]
    assert stack.grant(client, shown["clear"]).status == 200
    assert call("DELETE", f"/clients/{client}/secrets/{shown['id']}").status == 204
    assert stack.grant(client, shown["clear"]).status == 401


def test_a_taken_id_is_400_and_changes_nothing(call):
    made(call, id="mine", name="first")
    for taken in ("mine", "admin"):
        answer = call("POST", "/clients", {"id": taken})
        assert (answer.status, data(answer)["errorCode"]) == (400, "VALIDATION")
    assert data(call("GET", "/clients/mine"))["data"]["name"] == "first"


@pytest.mark.parametrize(
    ("name", "path"),
    [("a/b", "a%2Fb"), ("a:b", "a%3Ab"), ("a:b", "a:b"), ("a b", "a%20b"), ("ü", "%C3%BC"), ("5%", "5%25")],
)
def test_an_id_may_hold_anything_printable(call, name, path):
    """The real service does not find ids whose reserved characters are escaped, as clients do."""
    assert made(call, id=name) == name
    assert data(call("GET", f"/clients/{path}"))["data"]["id"] == name


def test_clients_are_listed_in_the_order_they_were_made(call):
    ids = [made(call, name=str(number)) for number in range(12)]
    listed = data(call("GET", "/clients?pageSize=1&cursor=x"))["data"]
    assert [client["id"] for client in listed] == ids


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/clients", "GET, POST"),
        ("HEAD", "/users", "GET"),
        ("POST", "/clients/x", "DELETE, GET, PUT"),
        ("GET", "/clients/x/secrets", "POST"),
    ],
)
def test_a_wrong_method_names_the_right_ones(call, method, path, allow, slash):
    answer = call(method, path + slash)
    assert (answer.status, answer.body) == (405, b"")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/clientsx", "/clients/a/b", "/clients/a/secrets/b/c", "/nothing", "/", ""])
def test_unknown_paths(stack, call, path):
    answer = call("GET", path)
    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    if path.startswith("/clients/"):
        assert stack("GET", path).status == 401  # a token is asked for first


@pytest.mark.parametrize("path", ["/_info", "/_healthcheck"])
def test_information_is_read_with_get_only(call, path):
    assert call("GET", path).status == 200
    assert call("POST", path).status == 404


def test_a_body_has_a_bound(call):
    assert call("POST", "/clients", {"name": "x" * 1_000_001}).status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
OPTIONS = st.dictionaries(
    st.sampled_from(["name", "id", "public", "redirectUris", "metadata", "scopes", "Trusted", "x"]),
    JSON,
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=OPTIONS | JSON)
def test_no_body_is_a_fault_of_the_server(call, options):
    answer = call("POST", "/clients", options)
    assert answer.status in (201, 400)
    if answer.status == 400:
        assert data(answer)["errorCode"] == "VALIDATION"
    assert call("GET", "/clients").status == 200


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(max_size=30))
def test_no_path_or_text_is_a_fault_of_the_server(call, text):
    from urllib.parse import quote_from_bytes

    assert call("GET", f"/clients/{quote_from_bytes(text)}").status < 500
    assert call("POST", "/clients", text=text.decode("latin-1")).status < 500
