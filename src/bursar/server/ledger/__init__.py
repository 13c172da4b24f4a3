"""The Formance ledger API over HTTP, versions 1 and 2: its routing, decoding and answers, oddities included."""
