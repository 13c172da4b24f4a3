"""What everybody knows of the sandbox."""

import base64
import hashlib
import json

KEY = "piaxis-sandbox-key"
MERCHANT = "11111111-1111-4111-8111-111111111111"
CUSTOMER = "22222222-2222-4222-8222-222222222222"
CUSTOMER_PHONE = "+256700000001"
CALLBACK = "https://merchant.example.com/oauth/callback"
CLIENT = {"client_id": "piaxis-sandbox-client", "client_secret": "piaxis-sandbox-secret"}
VERIFIER = "v" * 64


def challenge(verifier: str = VERIFIER) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def detail(answer):
    """The error's code, and its words."""
    found = json.loads(answer.body)["detail"]
    return found["code"], found["message"]
