"""Webhooks out, the server's part: how they get onto the network, and the routes by which endpoints are managed."""
