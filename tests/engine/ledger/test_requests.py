"""The hash by which a repeated request is known (section 10.3), against values seen on the real service."""

import pytest

from bursar.engine.kernel import Posting
from bursar.engine.ledger.requests import (
    CreateTransaction,
    RevertTransaction,
    SetMetadata,
    input_hash,
    script_of,
)

PAY = CreateTransaction(postings=[Posting("world", "till:1", 250, "EUR/2")])


@pytest.mark.parametrize(
    ("request_", "hash"),
    [
        (PAY, "_KwC7nacRDZPt06jONIdlyDn8lIWbed2ZBih5ypOaLQ="),
        (RevertTransaction(id=2), "gsUQtIXSzkxnP19auXqHkw5L3AU5ZtOQ4TslKvaL4GQ="),
        (SetMetadata("till:1", {"tier": "gold"}), "nQTH_EM8xZc-QK82Fd3Vy9I6a6RNKEn1frmRJorBO7I="),
    ],
)
def test_hashes_of_the_real_service(request_, hash):
    assert input_hash(request_) == hash


def test_191_postings_are_the_script_that_they_become():
    postings = [Posting("world", "a", 1, "X"), Posting("a", "b", 1, "X"), Posting("b", "world", 2, "X")]
    plain, variables = script_of(postings, force=False)
    script = CreateTransaction(plain=plain, vars=variables, metadata={})
    assert input_hash(script) == input_hash(CreateTransaction(postings=postings))
    assert input_hash(script) != input_hash(CreateTransaction(postings=postings, force=True))


def test_187_what_is_another_input():
    script = CreateTransaction(plain="send [X 1] (\n source = @world\n destination = @a\n)")
    others = [
        script,
        CreateTransaction(plain=script.plain, metadata={}),
        CreateTransaction(plain=script.plain, account_metadata={}),
        CreateTransaction(plain=script.plain, runtime="machine"),
        CreateTransaction(plain=script.plain, timestamp=0),
    ]
    assert len({input_hash(other) for other in others}) == len(others)
