"""Backends behind TLS: verified against the system's authorities, else refused."""

import asyncio
import datetime
import ipaddress
import json
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway_runtime.connections import pool


def write_certificate(folder: Path, address: str) -> Path:
    """A key and a certificate that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backend")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = folder / f"{address}.pem"
    path.write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(form)
    )
    return path


@pytest.fixture
async def secure(stack, tmp_path, monkeypatch):
    """Start a TLS backend for a certificate's address, and trust a file; answers its URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def start(address: str = "127.0.0.1", trusted: bool = True) -> str:
        path = write_certificate(tmp_path, address)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        stack.callback(server.close)
        monkeypatch.setenv("SSL_CERT_FILE", str(path if trusted else tmp_path / "none.pem"))
        pool._tls_context.cache_clear()
        stack.callback(pool._tls_context.cache_clear)
        return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return start


async def test_a_request_passes_to_a_backend_that_is_trusted(serve, api, secure) -> None:
    service = await serve(api(await secure()))
    client = await service.connect()
    for _ in range(2):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.body) == (200, b"secret")
    assert service.stats.upstream_connections_total == 1


async def test_a_backend_that_nobody_vouches_for_gets_no_request(serve, api, secure) -> None:
    service = await serve(api(await secure(trusted=False)))
    answer = await service.get()
    assert (answer.status, json.loads(answer.body)["key"]) == (502, "UPSTREAM_CONNECTION_FAILED")
    assert service.stats.upstream_connections_open == 0


async def test_a_certificate_for_another_address_is_refused(serve, api, secure) -> None:
    service = await serve(api(await secure(address="127.0.0.2")))
    answer = await service.get()
    assert (answer.status, json.loads(answer.body)["key"]) == (502, "UPSTREAM_CONNECTION_FAILED")


async def test_a_backend_that_speaks_no_tls_cannot_be_reached(serve, backend, api) -> None:
    async def greet(peer) -> None:
        peer.send(b"220 mail.example ESMTP\r\n")

    backend.does(greet)
    service = await serve(api(backend.url.replace("http:", "https:"), connect_timeout=1.0))
    answer = await service.get()
    assert (answer.status, json.loads(answer.body)["key"]) == (502, "UPSTREAM_CONNECTION_FAILED")
