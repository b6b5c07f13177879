"""The wire type of a provider -> the provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway_runtime.secrets.clock import Clock
from gateway_runtime.secrets.environment import Environment
from gateway_runtime.secrets.files import Files
from gateway_runtime.secrets.locator import ProviderId
from gateway_runtime.secrets.provider import Lookup, Provider
from gateway_runtime.secrets.vault.login import Credentials
from gateway_runtime.secrets.vault.provider import Vault
from gateway_runtime.snapshot.providers import EnvProvider, FileProvider, SecretProvider, VaultProvider

TOKENS: Final = Path("/var/run/secrets")
"""Where Kubernetes mounts the tokens of a pod's service account."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What providers need of the process that they are in."""

    lookup: Lookup
    clock: Clock
    tokens: Path = TOKENS


def provider_id(wire: SecretProvider) -> ProviderId:
    """By which type and name URIs name a provider."""
    return _TYPES[type(wire)], wire.name


def make_provider(wire: SecretProvider, surroundings: Surroundings) -> Provider:
    """The provider that a gateway's section describes."""
    if isinstance(wire, EnvProvider):
        return Environment(wire)
    if isinstance(wire, FileProvider):
        return Files(wire)
    credentials = Credentials(wire.name, surroundings.lookup, surroundings.tokens)
    return Vault(wire, credentials, surroundings.clock)


Make = Callable[[SecretProvider, Surroundings], Provider]

_TYPES: Final[Mapping[type[SecretProvider], str]] = {
    VaultProvider: "vault",
    EnvProvider: "env",
    FileProvider: "file",
}
