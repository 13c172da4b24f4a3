"""What happens in ledgers, told to others: one event for each write (ledger specification, section 16).

The log is the outbox: it is written in the write's own commit, so no event is lost, and a replay writes none.
"""
