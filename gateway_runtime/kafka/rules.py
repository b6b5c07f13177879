"""What the policies of one client's flows add up to: made once, when the client has authenticated."""

from __future__ import annotations


class Rules:
    """The rules of one session; the steps of `interact` add to them in their order."""

    __slots__ = ()
