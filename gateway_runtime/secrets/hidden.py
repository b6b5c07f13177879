"""A secret's value, wrapped: what prints, formats, logs or pickles it does not show it; `reveal` does."""

from __future__ import annotations

import base64
import hmac
from typing import Final, Never

_SHOWN: Final = "<secret>"


class _Hidden:
    """Keeps a value."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def __repr__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a secret is not pickled")


class SecretText(_Hidden):
    """A value as configurations use it."""

    __slots__ = ()

    def __init__(self, value: str) -> None:
        super().__init__(value.encode())

    def reveal(self) -> str:
        """The value itself: for where it is used, and nowhere else."""
        return self._value.decode()


class SecretBytes(_Hidden):
    """A value as its provider has it."""

    __slots__ = ()

    def decoded(self) -> SecretText | None:
        """The value as text; None where it is none."""
        try:
            return SecretText(self._value.decode())
        except UnicodeDecodeError:
            return None

    def base64(self) -> SecretText:
        """The value of any bytes, as base64."""
        return SecretText(base64.b64encode(self._value).decode())
