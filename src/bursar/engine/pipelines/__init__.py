"""Exporters and pipelines: a ledger's logs on their way to other systems (ledger specification, section 15).

Read `tables` (what is kept), then `config` (what may be asked for), `commands`, `follower` (how logs leave), `service`.
"""
