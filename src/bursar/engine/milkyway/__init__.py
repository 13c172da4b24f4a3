"""The MilkyWay rail: banks that pay each other through a hub, on the double-entry ledger.

Read `tables` (what is stored), `quote` (what a payment costs), `postings` (how it is booked), `intake` (how it is
accepted) and `lifecycle` (what happens then); `service` and `operator` are what servers call.
"""
