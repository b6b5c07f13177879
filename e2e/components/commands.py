"""Runs a build command: quiet where it succeeds, with the end of its output where it fails."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL_LINES = 30


class BuildError(Exception):
    """A component could not be built; the message says which command failed, and how."""


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """The standard output of a command, run in a folder; BuildError where it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildError(f"{words[0]} cannot be run: {error}") from error
    if done.returncode:
        end = tail(done.stdout + done.stderr)
        raise BuildError(f"`{shlex.join(words)}` ended with {done.returncode}:\n{end}")
    return done.stdout


def tail(text: str) -> str:
    """The last lines of an output."""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
