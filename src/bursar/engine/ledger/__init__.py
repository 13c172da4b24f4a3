"""The ledger service: what the Formance ledger API means, on the kernel's books.

Start with `service`; writes go through `commands`, reads through `query`. Section numbers in comments are those of the
API's behavioural description that the recorded answers of the real service document (docs/ledger.md).
"""
