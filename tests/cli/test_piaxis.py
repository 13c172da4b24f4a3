"""`bursar piaxis`, as a person on a command line sees it."""

import json
import urllib.error
import urllib.request

from tests.cli.test_cli import bursar, serving


def payments(url: str, key: str) -> tuple[int, object]:
    request = urllib.request.Request(f"{url}/piaxis/api/merchant-payments", headers={"api-key": key})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_merchant_of_a_real_database(tmp_path) -> None:
    database = f"sqlite:///{tmp_path}/books.db"
    created = bursar("piaxis", "create", "My Shop", "--database", database, "--json")
    made = json.loads(created.stdout)
    more = bursar("piaxis", "key", made["merchant_id"], "--label", "till", "--database", database, "--json")
    second = json.loads(more.stdout)["api_key"]
    with serving("--database", database) as ready:
        for key in (made["api_key"], second):
            assert payments(ready["url"], key) == (200, {"total": 0, "offset": 0, "limit": 50, "results": []})
        assert payments(ready["url"], "piaxis-sandbox-key")[0] == 401, "no default secret"
    refused = bursar("piaxis", "key", "nobody", "--database", database)
    assert (refused.returncode, refused.stderr.strip()) == (1, "bursar: there is no account nobody")


def test_credentials_for_people_and_a_redirect_that_is_none(tmp_path) -> None:
    database = f"sqlite:///{tmp_path}/books.db"
    shop = ["piaxis", "create", "Shop", "--database", database, "--redirect"]
    refused = bursar(*shop, "http://shop.example/callback")
    assert refused.returncode == 1
    assert "https" in refused.stderr
    shown = bursar(*shop, "https://shop.example/callback")
    assert "only as digests" in shown.stdout
