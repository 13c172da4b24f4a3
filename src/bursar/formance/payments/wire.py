"""What models and operations of both versions of the payments API share.

Amounts are integers in the smallest unit that the asset's name tells: ``USD/2`` counts cents. They have no upper bound.
Ids of connectors, accounts, payments, initiations, tasks, orders and conversions are opaque texts made from connector
and reference; those of bank accounts, pools, users and link attempts are UUIDs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from bursar.contract import Body, Member, Query
from bursar.formance.wire import Names, Wire

_WORD = re.compile(r"_([a-z]+)")
_CAPITALS: Final = {"id": "ID", "ids": "IDs", "url": "URL"}


def wire_name(field: str) -> str:
    """Return the JSON name of a field: camelCase, with ``ID``, ``IDs`` and ``URL`` in capitals at the end."""
    return _WORD.sub(lambda word: _CAPITALS.get(word[1], word[1].capitalize()), field)


class PaymentsModel(Wire, rename=wire_name):
    """A JSON object of the payments service."""


Sorting = Annotated[Names, Query("sort")]
"""``field:asc`` or ``field:desc``, one or several."""
Texts = Annotated[Mapping[str, str], Body()]
MetadataMember = Annotated[Mapping[str, str], Member("metadata")]
ConnectorMember = Annotated[str, Member("connectorID")]
QueryMember = Annotated[Mapping[str, Any], Member("query")]
"""A filter expression of accounts."""
At = Annotated[datetime, Query("at")]

SCOPES: Final = "Reading needs the scope payments:read or payments:write, everything else payments:write."
REFUSED: Final = {400: "The request breaks a rule.", 401: f"No good token. {SCOPES}"}
MISSING: Final = {**REFUSED, 404: "There is no such thing."}
