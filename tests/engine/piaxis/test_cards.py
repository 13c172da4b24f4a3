"""Card numbers are refused wherever text is kept."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.errors import InvalidRequest
from bursar.engine.piaxis.tables import DISBURSEMENTS, PAYMENTS
from tests.engine.piaxis.rail import OK, Rail, phone

VISA = "4111 1111 1111 1111"  # the schemes' own test numbers


@pytest.mark.parametrize(
    "text",
    [
        VISA,
        "4111111111111111",
        "card 5555-5555-5555-4444!",
        "378282246310005",
        "2223003122003222",
        "6011111111111117",
    ],
)
def test_card_numbers(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        refuse_card_numbers({"items": [{"note": text}]}, ("body", "metadata"))
    assert refused.value.issues[0].loc == ("body", "metadata", "items", 0, "note")
    assert text not in refused.value.message
    for hidden in ({text: 1}, [int(text)] if text.isdecimal() else [text]):
        with pytest.raises(InvalidRequest):
            refuse_card_numbers(hidden, ("body",))


@pytest.mark.parametrize(
    "value",
    [
        "4111111111111112",  # wrong check digit
        "5901234123457",  # a barcode
        "41111111111111111111",  # longer
        "+256700000000",
        "41111111-1111-1111-8111-111111111111",
        "8a11-4111-1111-1111-1111",
        Decimal("15000.00"),
        None,
        True,
        {"sku": "SKU-ALPHA", "price": "15,000.00"},
    ],
)
def test_what_is_none(value: Any) -> None:
    refuse_card_numbers(value, ("body",))


def test_no_card_number_is_stored(rail: Rail) -> None:
    with pytest.raises(InvalidRequest):
        rail.pay(products=[{"name": f"paid with {VISA}"}])
    with pytest.raises(InvalidRequest):
        rail.disburse(phone(OK, reference=VISA))
    with pytest.raises(InvalidRequest):
        rail.disburse(phone(OK), description=VISA)
    assert rail.rows(PAYMENTS) == rail.rows(DISBURSEMENTS) == []
