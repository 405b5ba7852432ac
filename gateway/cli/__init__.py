"""The `kouan` command: a menu whose dishes are cooked when ordered.

A command's module is imported when the command is called and not before, so
`kouan --help` answers at once.  Whatever is raised ends in one sentence on
stderr and one of the exit codes of `gateway.cli.talk`.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.talk import FAILED, INTERRUPTED, LOCKED, NOT_FOUND, Stop, say

# name -> (module in gateway.cli, what stands in it, what --help says)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("home", "init", "Make a home folder; with --demo one to try everything in."),
    "run": ("run", "run", "Open the doors: the daemon, in the foreground."),
    "demo": ("demo", "demo", "Show everything on loopback, from the first drop to the last receipt."),
    "simulate": ("simulate", "simulate", "Play an authority: a customs in a box, as its own process."),
    "check": ("check", "check", "Check messages and say everything that is wrong; touches no ledger."),
    "map": ("map", "map", "Turn a table (csv, xlsx …) into messages; check and write maps."),
    "sign": ("signature", "sign", "Sign a message by hand."),
    "verify": ("signature", "verify", "Verify the signature of a message."),
    "explain-signature": ("signature", "explain_signature", "Show what was signed, and the first thing that differs."),
    "submit": ("submit", "submit", "Hand a file in as a partner."),
    "queue": ("queue", "queue", "Show what waits, by authority and age."),
    "authority": ("authority", "authority", "See how each authority stands; pause, resume, probe it."),
    "trace": ("trace", "trace", "Show one life, stamp by stamp."),
    "dossier": ("dossier", "dossier", "Show one trade: its documents, what waits for what, who mends what."),
    "payments": ("payments", "payments", "Show what customs asked of payments, upload it again, file raw data."),
    "stats": ("stats", "stats", "Count documents, trades, refusals and mismatches."),
    "hold": ("verbs", "hold", "Hold documents back, with a reason."),
    "release": ("verbs", "release", "Let held documents go on."),
    "refuse": ("verbs", "refuse", "Give documents back to their partner, with a reason."),
    "replay": ("verbs", "replay", "Take stored evidence in again."),
    "spec": ("spec", "spec", "List and show the message specs; print their XSD."),
    "partner": ("partner", "partner", "Add, list, suspend partners."),
    "key": ("key", "key", "Make and list signing keys."),
    "config": ("config", "config", "Check and show the configuration."),
    "rates": ("rates", "rates", "Load and list the rate table of taxes on retail import."),
    "goods": ("goods", "goods", "Load and list the goods that declaring enterprises have filed."),
    "query": ("query", "query", "Ask the ledger in SQL, read-only."),
    "doctor": ("doctor", "doctor", "Look for what is wrong with this machine and this home."),
    "bench": ("bench", "bench", "Measure the speed of this machine."),
}
CLOSED = 0o027
"""Names and numbers of people lie in what we write: none but our group may read it, none but us may write it."""

# What an error's class says about the exit code, by its name: the modules stay unimported.
ENDINGS = {
    "UnknownPartner": NOT_FOUND,
    "UnknownAuthority": NOT_FOUND,
    "NoHome": NOT_FOUND,
    "KeyMissing": NOT_FOUND,
    "UnknownMap": NOT_FOUND,
    "UnknownSession": NOT_FOUND,
    "LedgerLocked": LOCKED,
}


class Menu(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return every command, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Return the command, imported now; None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"gateway.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command called for; a near miss is answered with the likeliest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else " See kouan --help."
            ctx.fail(f'There is no command "{args[0]}".{hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """The menu is written without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, _, said) in COMMANDS.items()])


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"kouan {version('kouan')}")
        context.exit()


@click.command(cls=Menu, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The home folder, for any command; else KOUAN_HOME, else ./kouan-home.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
def menu(home: Path | None) -> None:
    """Kouan 口岸: customs messages, from a partner's folder to the authority and back.

    Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed or
    findings, 2 usage, 3 some failed, 4 not found, 5 locked, 6 daemon not reachable.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The command is done and the process ends with its exit code; what it made is closed to other users."""
    os.umask(os.umask(CLOSED) | CLOSED)
    sys.exit(ended(arguments))


def ended(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the command, with whatever it had to say said."""
    from spool.errors import ForOperator, Postpone

    try:
        answer: Any = menu.main(arguments, prog_name="kouan", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Stop as stop:
        say(f"kouan: {stop}")
        return stop.code
    except (ForOperator, Postpone) as error:
        say(f"kouan: {error}")
        return ENDINGS.get(type(error).__name__, FAILED)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our stdout went away (`| head`); nothing is to be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        say(f"kouan: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        return FAILED
    return answer if isinstance(answer, int) else 0
