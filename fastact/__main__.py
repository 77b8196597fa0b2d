"""`python -m fastact COMMAND`: finds the command's module and hands over."""

from __future__ import annotations

import importlib
import io
import sys

try:
    import click
    import rich  # noqa: F401  (said to be missing here, not in the middle of a command)
except ImportError as error:
    print(f"fastact: this command needs {error.name}: pip install 'fastact[cli]'", file=sys.stderr)
    sys.exit(2)

# A command's module holds it under the name `command`, and is imported only when it is called for.
COMMANDS = {
    "bench": "fastact.bench.command",
    "compare": "fastact.zoo.compare_command",
    "gradients": "fastact.zoo.gradients_command",
    "info": "fastact.zoo.info_command",
    "list": "fastact.zoo.list_command",
    "plot": "fastact.zoo.plot_command",
}


class Commands(click.Group):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command


def main() -> int:
    """Runs the command line; every error is one line on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal of few characters gets what it can show
    group = Commands(help="Activation functions on NumPy arrays.", no_args_is_help=True)
    try:
        return group.main(prog_name="python -m fastact", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        return 2
    except click.ClickException as error:
        click.echo(f"fastact: {error.format_message()}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("fastact: interrupted", err=True)
        return 130


if __name__ == "__main__":
    sys.exit(main())
