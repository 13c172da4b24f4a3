"""One call of every operation."""

from tests.formance.cases_auth import AUTH
from tests.formance.cases_orchestration import FLOWS
from tests.formance.cases_payments import V3
from tests.formance.cases_payments_v1 import GONE_PAYMENTS, V1
from tests.formance.cases_reconciliation import ALERTS, POLICIES, RULES
from tests.formance.cases_schemas import EXPORTS, SCHEMAS
from tests.formance.cases_v1 import GONE, OLD
from tests.formance.cases_v2 import ACCOUNTS, BULKS, LEDGERS, READS, SERVER, TRANSACTIONS
from tests.formance.cases_wallets import WALLETS
from tests.formance.cases_webhooks import SEARCH, WEBHOOKS

CASES = [
    *SERVER, *LEDGERS, *ACCOUNTS, *TRANSACTIONS, *BULKS, *READS, *SCHEMAS, *EXPORTS, *OLD, *GONE, *AUTH,
    *WALLETS, *WEBHOOKS, *SEARCH, *POLICIES, *RULES, *ALERTS, *FLOWS,
    *V1, *GONE_PAYMENTS, *V3,
]  # fmt: skip
