"""The command as a process: its environment, and how it takes Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
"""What a terminal does not show: colours, and the moves of progress lines."""
PATIENCE_S = 300
"""After which a process that does not end is killed, so that its test fails rather than waits."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that finds the same packages."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | more


def command(*arguments: str) -> list[str]:
    """The command line of `simvirt` with the Python in use."""
    return [sys.executable, "-m", "simvirt", *arguments]


def interrupted(cue: str, *arguments: str, folder: Path) -> tuple[int, str]:
    """The status of a command that gets Ctrl-C as soon as its progress on standard error shows the cue, and the last line it says there."""
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(FORCE_COLOR="1", COLUMNS="100"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    guard = threading.Timer(PATIENCE_S, process.kill)
    guard.start()
    said = until(cue, process)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    guard.cancel()
    return process.returncode, visible(said + rest).rstrip("\n").splitlines()[-1].rpartition("\r")[2]


def until(cue: str, process: subprocess.Popen[bytes]) -> bytes:
    """What a process says on standard error until that shows the cue."""
    assert process.stderr is not None
    said = b""
    while not re.search(cue, visible(said)):
        part = os.read(process.stderr.fileno(), 4096)
        assert part, f"ended before it showed {cue!r}: {visible(said)}"
        said += part
    return said


def visible(said: bytes) -> str:
    """What a terminal shows of something printed."""
    return ESCAPE.sub("", said.decode())
