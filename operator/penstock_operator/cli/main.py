"""The `penstock` command: each of its commands is imported when it is called, and only then what it needs."""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = {
    "run": "run",
    "gateway": "gateway",
    "operator": "operator",
    "validate": "validate",
    "routes": "routes",
    "history": "history",
    "diff": "history",
    "rollback": "history",
    "subscriptions": "subscriptions",
    "secrets": "secrets",
    "crds": "crds",
    "cleanup": "cleanup",
}
"""Commands, and the modules beside this one that hold them."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"penstock_operator.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=_Commands)
@click.version_option(package_name="penstock")
def main() -> None:
    """Penstock: an API gateway, from manifests to traffic."""


if __name__ == "__main__":
    main()
