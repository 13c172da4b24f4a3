"""The Piaxis rail: merchants, wallets, mobile-money payments, escrows, disbursements, on the ledger "piaxis"."""
