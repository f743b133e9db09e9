"""The command line, `selfai`: the bot's commands, and by name the worker's and the model's.

Loads neither torch nor the model: their commands are imported when they are called.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from bot import commands
from bot.errors import OperatorError

WORKER_COMMANDS = {
    "score": "Score photos.",
    "crop": "Find a photo's best crop.",
    "work": "Score what the queue brings.",
}
"""The commands of `worker.__main__`, with what `selfai --help` says of each."""

MODEL_COMMANDS = {
    "train": "Train a scorer on rated photos.",
    "evaluate": "Compare the scorer with people's ratings.",
    "ablate": "Measure what the method's parts buy.",
}
"""The same of `model.__main__`."""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""How every command shows its help."""


@click.group(
    context_settings=CONTEXT,
    epilog="Start with `selfai demo`. Each command has a --help of its own.",
)
@click.version_option(package_name="selfai", prog_name="selfai")
@click.option("--end-with", type=int, hidden=True, help="End with this process, our parent.")
def cli(end_with: int | None) -> None:
    """A selfie goes in; a score from 0 to 9 and its best crop come back."""
    if end_with is not None:
        from bot import tether

        tether.end_with(end_with)


def main() -> None:
    """Run the command line. What an operator can put right is said in one line, with exit status 1."""
    try:
        code = cli.main(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OperatorError as error:
        click.secho(f"selfai: {error}", fg="red", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


class _HandedOver(click.Command):
    """Takes its arguments as they come; click itself would swallow a `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hand all on as one parameter, `arguments`."""
        ctx.params["arguments"] = tuple(args)
        return []


def _stand_in(module: str, name: str, short_help: str) -> click.Command:
    """Hands its arguments, --help included, to the module's command of that name."""

    def call(arguments: tuple[str, ...]) -> Any:
        real = getattr(importlib.import_module(module), name)
        return real.main(list(arguments), prog_name=f"selfai {name}", standalone_mode=False, **CONTEXT)

    return _HandedOver(name, callback=call, short_help=short_help, add_help_option=False)


for command in commands.ALL:
    cli.add_command(command)
for command_name, command_help in WORKER_COMMANDS.items():
    cli.add_command(_stand_in("worker.__main__", command_name, command_help))
for command_name, command_help in MODEL_COMMANDS.items():
    cli.add_command(_stand_in("model.__main__", command_name, command_help))

if __name__ == "__main__":
    main()
