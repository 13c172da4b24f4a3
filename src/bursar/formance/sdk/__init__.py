"""The vendor's SDK of Formance, formance-sdk-python 9, on Bursar's client: for programs that move over.

    from bursar.formance.sdk import SDK
    from bursar.formance.sdk.models import shared

    with SDK(security=shared.Security(client_id="...", client_secret="..."), server_url="https://...") as sdk:
        answer = sdk.ledger.v2.create_transaction(request={"ledger": "main", "v2_post_transaction": {...}})
        print(answer.v2_create_transaction_response.data.id)

`models`, `utils`, `types`, `httpclient` and `sdkconfiguration` have the vendor's names. What differs is in
docs/migrating-from-formance-sdk.md.
"""

from .answers import Answer
from .client import SDK
from .response import RawResponse
from .sdkconfiguration import SERVERS, ServerEnvironment

__all__ = ["SDK", "SERVERS", "Answer", "RawResponse", "ServerEnvironment"]
