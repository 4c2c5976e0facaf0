"""`simvirt lab`: the what-if page on this machine."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from simvirt.cli import output
from simvirt.cli.options import Sets

Asked = Annotated[
    Path, typer.Argument(metavar="[SCENARIO]", help="A scenario, a sweep, whose axes become the sliders, or the folder of either.")
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary", metavar="PATH=VALUES", show_default=False,
        help="A slider: services.web.deploy.replicas=1..16, run.seed=1,2,3. May be repeated.",
    ),
]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it listens, on 127.0.0.1 only.")]
Headless = Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")]
MISSING = "the lab needs marimo: pip install 'simvirt[lab]'"


def lab(
    scenario: Asked = Path("configs/web.yaml"), vary: Vary = None, sets: Sets = None, port: Port = 2718, headless: Headless = False
) -> int:
    """Open a page with sliders, platforms side by side, and answers while the sliders move. Ctrl-C ends it."""
    from importlib.util import find_spec

    from simvirt.errors import UsageError
    from simvirt.lab.lab import opened

    opened(scenario, vary or (), sets or ())
    if find_spec("marimo") is None:
        raise UsageError(MISSING)
    if not _is_free(port):
        raise UsageError(f"--port {port}: something else listens there; name another, for example --port {2719 if port != 2719 else 2720}")
    output.note(f"http://127.0.0.1:{port} has the lab of {scenario}; Ctrl-C ends it")
    return _served(_command(scenario, vary or [], sets or [], port, headless))


def _is_free(port: int) -> bool:
    """Whether nothing listens there."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _command(scenario: Path, vary: list[str], sets: list[str], port: int, headless: bool) -> list[str]:
    """What serves the page."""
    import simvirt.lab

    notebook = Path(simvirt.lab.__file__).with_name("notebook.py")
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-token", "--skew-protection", *(["--headless"] if headless else [])]
    options_of = {"--vary": vary, "--set": sets}
    asked = ["--file", str(scenario.resolve()), *(part for name, given in options_of.items() for one in given for part in (name, one))]
    return [sys.executable, "-m", "marimo", "--quiet", "run", str(notebook), *options, "--", *asked]


def _served(command: list[str]) -> int:
    """Serves the page until it is interrupted."""
    with subprocess.Popen(command) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            server.terminate()
            return 0
