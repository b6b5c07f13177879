"""The `penstock` command."""

from __future__ import annotations

import click

from penstock_operator.cli.gateway import gateway
from penstock_operator.cli.history import diff, history, rollback
from penstock_operator.cli.operator import operator
from penstock_operator.cli.routes import routes
from penstock_operator.cli.run import run
from penstock_operator.cli.subscriptions import subscriptions
from penstock_operator.cli.validate import validate


@click.group()
@click.version_option(package_name="penstock")
def main() -> None:
    """Penstock: an API gateway, from manifests to traffic."""


main.add_command(run)
main.add_command(gateway)
main.add_command(operator)
main.add_command(validate)
main.add_command(routes)
main.add_command(history)
main.add_command(diff)
main.add_command(rollback)
main.add_command(subscriptions)

if __name__ == "__main__":
    main()
