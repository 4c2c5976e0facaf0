"""Refreshes the outputs in the documentation: `python docs/reprint.py [FILE...]`.

A ```console block holds commands after `$ ` and what they print on standard output. A ```yaml block that begins with `# name.yaml:` is a
file that later blocks of the same page may use. Everything runs in a temporary folder that holds a copy of `configs/`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w-]+\.(?:yaml|csv)):")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else the fence has, its text and its place in the page."""

    language: str
    options: str
    text: str
    start: int
    end: int


def pages() -> list[Path]:
    """All Markdown pages of the project."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in FENCE.finditer(page):
        yield Block(match[1], match[2].strip(), match[3], match.start(3), match.end(3))


def workplace(folder: Path) -> None:
    """What a reader who follows the documentation has in the current folder."""
    shutil.copytree(ROOT / "configs", folder / "configs")


def keep_file(block: Block, folder: Path) -> None:
    """Write a block that names a file."""
    named = FILE.match(block.text)
    if named:
        (folder / named[1]).write_text(block.text)


def commands(block: Block) -> list[str]:
    """The commands of a console block."""
    return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]


def output(command: str, folder: Path) -> tuple[str, int]:
    """Standard output and status of a command; `simvirt` is the one of this Python."""
    where = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": where, "COLUMNS": "80", "NO_COLOR": "1"}
    found = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return "\n".join(line.rstrip() for line in found.stdout.splitlines()) + "\n" if found.stdout else "", found.returncode


def printed(block: Block, folder: Path) -> str:
    """A console block with current outputs."""
    return "".join(f"$ {command}\n{output(command, folder)[0]}" for command in commands(block))


def reprint(path: Path) -> None:
    """Refresh the outputs of one page."""
    page = path.read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workplace(folder)
        parts, at = [], 0
        for block in blocks(page):
            keep_file(block, folder)
            if block.language == "console":
                parts += [page[at : block.start], printed(block, folder)]
                at = block.end
    path.write_text("".join(parts) + page[at:])


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or pages():
        reprint(path)
