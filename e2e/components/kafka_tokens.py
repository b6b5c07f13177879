"""An identity provider small enough for tests: signed tokens, a JWKS file and URL, and client credentials.

`POST /token` (RFC 6749 section 4.4) gives a token whose subject is the client's id; `GET /jwks` the keys.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from e2e.components.ports import ADDRESS

ISSUER = "https://idp.penstock.test"
AUDIENCE = "kafka"
_KEY_ID = "test-key"


class IdentityProvider:
    """Signs tokens for clients whose secret it knows; serves until it is stopped."""

    def __init__(self, clients: dict[str, str], folder: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._clients = clients
        self.lifetime = 3600.0
        self.jwks_file = folder / "jwks.json"
        self.jwks_file.write_text(self.jwks(), encoding="utf-8")
        self._server = ThreadingHTTPServer((ADDRESS, 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="identity-provider", daemon=True).start()
        address = f"http://{ADDRESS}:{self._server.server_port}"
        self.token_url = f"{address}/token"
        self.jwks_url = f"{address}/jwks"

    def jwks(self) -> str:
        """The public keys (RFC 7517)."""
        public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [public | {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}]})

    def token(self, subject: str, **claims: object) -> str:
        """A signed token for a subject, with these claims besides."""
        now = time.time()
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": int(now), "exp": now + self.lifetime}
        return jwt.encode(usual | claims, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    def answer(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, str]:
        """Status and body for a request for a token."""
        client, secret = _credentials(authorization, form)
        if form.get("grant_type") != ["client_credentials"] or self._clients.get(client) != secret:
            return 401, json.dumps({"error": "invalid_client"})
        body = {"access_token": self.token(client), "token_type": "Bearer", "expires_in": self.lifetime}
        return 200, json.dumps(body)

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def _credentials(authorization: str, form: dict[str, list[str]]) -> tuple[str, str]:
    """Id and secret of a client, by HTTP Basic or in the form (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
        return client, secret
    return form.get("client_id", [""])[0], form.get("client_secret", [""])[0]


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(*((200, provider.jwks()) if self.path == "/jwks" else (404, "{}")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self._reply(*provider.answer(self.headers.get("Authorization", ""), parse_qs(body)))

        def _reply(self, status: int, body: str) -> None:
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
