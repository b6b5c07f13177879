"""A login that lasts, shared by all reads of a provider: renewed before it ends, else made anew."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import hvac
import requests
from hvac.exceptions import Forbidden, InvalidRequest, Unauthorized, VaultError

from gateway_runtime.secrets.clock import Clock, sooner
from gateway_runtime.secrets.provider import ProviderError
from gateway_runtime.secrets.vault.login import Credentials, Token, client_pair, granted, login
from gateway_runtime.secrets.vault.transport import CONCURRENCY, connect
from gateway_runtime.snapshot.providers import VaultProvider, VaultToken

_T = TypeVar("_T")
_RENEW_AT: Final = 2 / 3
_WORN: Final = 0.5
"""A renewal that grants less than this part of what the login did comes close to the end: log in anew."""
_LEAST: Final = 1.0
_REFUSED: Final = (5.0, 120.0)
"""Seconds without another login after a refused one, growing: Vault locks out whom it refuses often."""
_MAX_REASON: Final = 300


class _RefusedError(ProviderError):
    """Vault does not know the credential."""


class VaultSession:
    """Calls Vault as who the provider's authentication makes it."""

    def __init__(self, provider: VaultProvider, credentials: Credentials, clock: Clock) -> None:
        self._provider = provider
        self._credentials = credentials
        self._clock = clock
        self._threads = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="vault")
        self._entering = asyncio.Lock()
        self._client: hvac.Client | None = None
        self._refusal: tuple[float, str] = (0.0, "")
        self._refusals: int = 0
        self._keeper: asyncio.Task[None] | None = None

    async def call(self, work: Callable[[hvac.Client], _T]) -> _T:
        """What work with a client answers, in a thread; a token that holds no more is replaced once.

        Raises ProviderError. hvac's InvalidPath goes through: what it means depends on the work.
        """
        client = await self._entered()
        try:
            return await self._in_thread(work, client)
        except Forbidden as error:
            if await self._holds(client):
                raise ProviderError(f"the policies of its login do not allow it: {reason(error)}") from None
            self._leave(client)
        return await self._again(work)

    async def _again(self, work: Callable[[hvac.Client], _T]) -> _T:
        client = await self._entered()
        try:
            return await self._in_thread(work, client)
        except Forbidden as error:
            raise ProviderError(f"permission denied: {reason(error)}") from None

    def forget(self) -> None:
        """Log in anew before the next call, also after a refusal."""
        self._refusal = (0.0, "")
        self._refusals = 0
        if self._client is not None:
            self._leave(self._client)

    async def close(self) -> None:
        """Give the token back, if it was got by a login, and end."""
        client, self._client = self._client, None
        if self._keeper is not None:
            self._keeper.cancel()
        if client is not None and not isinstance(self._provider.auth, VaultToken):
            with contextlib.suppress(ProviderError, VaultError):
                await self._in_thread(lambda one: one.auth.token.revoke_self(), client)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _entered(self) -> hvac.Client:
        async with self._entering:
            if self._client is None:
                self._client, token = await self._login()
                if self._keeper is not None:
                    self._keeper.cancel()
                self._keeper = asyncio.create_task(self._keep(self._client, token))
            return self._client

    async def _login(self) -> tuple[hvac.Client, Token]:
        """Log in, for all documents that wait. Raises ProviderError; after a refusal for a while unasked."""
        until, reason_before = self._refusal
        if self._clock.now() < until:
            raise ProviderError(reason_before)
        try:
            entered = await self._in_thread(lambda _: self._enter(), None)
        except _RefusedError as error:
            pause = min(_REFUSED[1], _REFUSED[0] * 2.0 ** min(self._refusals, 10))
            self._refusals += 1
            self._refusal = (self._clock.now() + sooner(pause), str(error))
            raise
        self._refusals = 0
        return entered

    def _enter(self) -> tuple[hvac.Client, Token]:
        """Log in, on connections of its own: they may show another certificate than before."""
        auth = self._provider.auth
        client = connect(self._provider, client_pair(auth, self._credentials))
        try:
            token = login(client, auth, self._credentials)
        except VaultError as error:
            kind = (
                _RefusedError
                if isinstance(error, (InvalidRequest, Unauthorized, Forbidden))
                else ProviderError
            )
            raise kind(f"the login by {_method(auth)} is refused: {reason(error)}") from None
        client.token = token.value
        return client, token

    async def _keep(self, client: hvac.Client, token: Token) -> None:
        """Renew a token until that is refused; then the next call logs in anew."""
        first, left = token.seconds, token.seconds
        while left > 0:
            await self._clock.sleep(max(_LEAST, sooner(left * _RENEW_AT)))
            try:
                if not token.renewable:
                    break
                renewed = await self._in_thread(lambda one: granted(one.auth.token.renew_self()), client)
            except (ProviderError, VaultError):
                break
            left = renewed.seconds
            if left < first * _WORN:
                break
        else:
            return
        self._leave(client)
        with contextlib.suppress(Exception):  # the next call meets the same trouble, and tells of it
            await self._entered()

    async def _holds(self, client: hvac.Client) -> bool:
        try:
            await self._in_thread(lambda one: one.auth.token.lookup_self(), client)
        except VaultError:
            return False
        return True

    def _leave(self, client: hvac.Client) -> None:
        if self._client is client:
            self._client = None

    async def _in_thread(self, work: Callable[[Any], _T], client: hvac.Client | None) -> _T:
        """Raises ProviderError where Vault is not reached or does not answer as it should."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, client)
        except (Forbidden, ProviderError):
            raise
        except VaultError as error:
            if error.text is not None or error.errors:
                raise
            raise ProviderError(f"Vault answers {type(error).__name__}") from None
        except requests.RequestException as error:
            raise ProviderError(f"Vault is not reached: {type(error).__name__}") from None


def _method(auth: object) -> str:
    return type(auth).__name__.removeprefix("Vault").lower()


def reason(error: VaultError) -> str:
    """What Vault says of it: its own words, which hold no value."""
    said = ", ".join(error.errors or ()) or type(error).__name__
    return " ".join(said.split())[:_MAX_REASON]
