"""The auth service of a Formance stack over HTTP: clients and secrets, and an OpenID provider without logins."""
