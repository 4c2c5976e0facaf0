"""The command `simvirt`: its commands, its version, and what it ends with."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Annotated

import typer

from simvirt.cli import output
from simvirt.cli.calibrate import calibrate
from simvirt.cli.check import check
from simvirt.cli.command import FAILED, INTERRUPTED, with_settings
from simvirt.cli.compare import compare
from simvirt.cli.density import density
from simvirt.cli.deploy import deploy
from simvirt.cli.emulate import emulate
from simvirt.cli.explain import explain
from simvirt.cli.fit import fit
from simvirt.cli.import_ import app as import_
from simvirt.cli.init import init
from simvirt.cli.knee import knee
from simvirt.cli.lab import lab
from simvirt.cli.list import list_
from simvirt.cli.plan import plan
from simvirt.cli.report import report
from simvirt.cli.run import run
from simvirt.cli.schema import schema
from simvirt.cli.sweep import sweep
from simvirt.cli.validate import validate

DEBUG = "SIMVIRT_DEBUG"  # set to anything: errors come with their traceback
WRONG_USE = 2

app = typer.Typer(
    name="simvirt",
    help="Simulate virtualized hosts: what does each platform cost, where does the time go, what is the bottleneck?",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init)
app.add_typer(import_)
app.command("run")(with_settings(run))
app.command("check")(check)
app.command("deploy")(with_settings(deploy))
app.command("density")(with_settings(density))
app.command("knee")(with_settings(knee))
app.command("plan")(with_settings(plan))
app.command("sweep")(with_settings(sweep))
app.command("compare")(with_settings(compare))
app.command("fit")(with_settings(fit))
app.command("calibrate")(calibrate)
app.command("report")(report)
app.command("emulate")(emulate)
app.command("lab")(lab)
app.command("schema")(schema)
app.command("list")(list_)
app.command("explain")(explain)
app.command("validate")(with_settings(validate))


def main(args: Sequence[str] | None = None) -> int:
    """Runs a command; 0 done, 1 objective not met, 2 wrong input or usage, 3 failed or not kept, 130 interrupted. Never a traceback."""
    _print_any_character()
    try:
        status = app(args=None if args is None else list(args), prog_name="simvirt", standalone_mode=False)
        output.write("", to_the_end=True)
        return int(status or 0)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted: nothing was kept", INTERRUPTED)
    except BrokenPipeError:
        return _stop_writing()
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError) and error.filename == output.STANDARD_OUTPUT:
            _stop_writing()
            return _fail(f"{error.filename}: cannot be written: {error.strerror or error}; what was kept is complete", FAILED)
        if _wants_json(sys.argv[1:] if args is None else args):
            _print_mistakes(error)
        return _fail(_sentence(error), _status(error))


def _wants_json(args: Sequence[str]) -> bool:
    """Whether a program reads standard output."""
    return "--format=json" in args or ("--format", "json") in pairwise(args)


def _print_mistakes(error: Exception) -> None:
    """The error as a program reads it, as `simvirt check` prints it."""
    from simvirt.result.mistakes import mistakes_of

    with suppress(MemoryError):
        output.json(mistakes_of(error, _sentence(error)).document())


def _sentence(error: Exception) -> str:
    """What is reported to the user about an error: a line for each mistake."""
    if hasattr(error, "exit_status"):
        return str(error)
    if hasattr(error, "format_message"):  # the parser's own: a wrong option or argument
        return f"simvirt: {error.format_message().rstrip('.')}; see `simvirt --help`"
    if isinstance(error, MemoryError):
        return "simvirt: out of memory"
    if isinstance(error, OSError):
        return f"simvirt: {error}"
    return f"simvirt: internal error: {type(error).__name__}: {error} (set {DEBUG}=1 to see where)".replace("\n", " ")


def _status(error: Exception) -> int:
    """The exit status of an error."""
    return int(getattr(error, "exit_status", WRONG_USE if hasattr(error, "format_message") else FAILED))


def _fail(text: str, status: int) -> int:
    sys.stderr.write(f"{text}\n")
    return status


def _stop_writing() -> int:
    """The reader of standard output is gone: nothing more is written there, not even at exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _print_any_character() -> None:
    """Characters that a terminal cannot show become `?` rather than an error."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def _version(wanted: bool) -> None:
    """Prints version and kernel, and ends."""
    if wanted:
        from simvirt.version import __version__

        sys.stdout.write(f"simvirt {__version__} ({_kernel()} kernel)\n")
        raise typer.Exit


def _kernel() -> str:
    """Whether the kernel is compiled or plain."""
    try:
        from simvirt.kernel import MODE
    except (ImportError, RuntimeError) as error:
        return f"no usable: {error}"
    return str(MODE)


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print version and kernel.")]


@app.callback(invoke_without_command=True)
def simvirt(context: typer.Context, version: Version = False) -> None:
    """Simulate virtualized hosts: what does each platform cost, where does the time go, what is the bottleneck?"""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
