"""Debian's Linux for riscv64 from an apt root of its own, and a file system with one program that is the first to run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from simvirt.emulation.assembler import assemble
from simvirt.emulation.images import HEADER, SEGMENT
from helpers.elf_files import IDENT

TOOLS: Final = ("apt-get", "apt-cache", "dpkg-deb")
KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR: Final = "http://deb.debian.org/debian"
PACKAGE: Final = "linux-image-riscv64"
FOLDERS: Final = ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg")
CALLS: Final = 10_000
INIT: Final = f"""
  li s0, {CALLS}
again:
  li a7, 172
  ecall
  addi s0, s0, -1
  bnez s0, again
  mv s1, a0
  la a1, text
  li a2, 27
  li a0, 1
  li a7, 64
  ecall
  li t0, 1
  bne s1, t0, off
  la a1, number
  li a2, 24
  li a0, 1
  ecall
off:
  li a0, 0xfee1dead
  li a1, 672274793
  li a2, 0x4321fedc
  li a3, 0
  li a7, 142
  ecall
here: j here
text: .asciz "init: first program called\\n"
number: .asciz "init: process number 1\\n"
"""
"""getpid, write, reboot: the calls of Linux by their numbers."""
PROGRAM_AT: Final = 0x10000
CHARACTER_DEVICE, FOLDER, EXECUTABLE = 0o20600, 0o40755, 0o100755


class Missing(Exception):
    """What cannot be had here."""


def ran(*command: str, root: Path, where: Path | None = None) -> str:
    """What a command prints; Missing where it fails."""
    done = subprocess.run(command, cwd=where or root, env={"APT_CONFIG": str(root / "apt.conf"), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise Missing(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def kernel(root: Path) -> Path:
    """Debian's kernel, fetched into a root that apt has to itself."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None] or [path for path in (KEYS,) if not path.exists()]
    if absent:
        raise Missing(f"{absent[0]} is not there")
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "etc/apt/sources.list").write_text(f"deb [arch=riscv64 signed-by={KEYS}] {MIRROR} stable main\n")
    (root / "apt.conf").write_text(f'Dir "{root}";\nAPT::Architecture "riscv64";\nAPT::Architectures "riscv64";\nAPT::Sandbox::User "root";\n'
                                   f'Dir::State::status "{root}/var/lib/dpkg/status";\nAcquire::Languages "none";\n')
    ran("apt-get", "update", root=root)
    depends = ran("apt-cache", "depends", PACKAGE, root=root).split()
    ran("apt-get", "download", depends[depends.index("Depends:") + 1], root=root)
    ran("dpkg-deb", "-x", str(next(root.glob("linux-image*.deb"))), "linux", root=root)
    return next(root.glob("linux/boot/vmlinu*"))


def first_program() -> bytes:
    """The program as a file that Linux starts."""
    code = assemble(INIT, "init", PROGRAM_AT + HEADER.size + SEGMENT.size).pieces[0][1]
    begin, size = HEADER.size + SEGMENT.size, HEADER.size + SEGMENT.size + len(code)
    head = HEADER.pack(IDENT, 2, 243, 1, PROGRAM_AT + begin, HEADER.size, 0, 0, HEADER.size, SEGMENT.size, 1, 0, 0, 0)
    return head + SEGMENT.pack(1, 5, 0, PROGRAM_AT, PROGRAM_AT, size, size, 4096) + code


def entry(number: int, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """A file of an archive as Linux unpacks it (cpio, newc)."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % value for value in fields) + name.encode() + b"\0"
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def file_system() -> bytes:
    """An initial file system: a console, and the program."""
    files = (("dev", FOLDER, b"", (0, 0)), ("dev/console", CHARACTER_DEVICE, b"", (5, 1)), ("init", EXECUTABLE, first_program(), (0, 0)))
    return b"".join(entry(k, *one) for k, one in enumerate((*files, ("TRAILER!!!", 0, b"", (0, 0)))))
