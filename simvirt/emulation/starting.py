"""What a machine starts with: a guest, a kernel, the firmware below it, what is plugged in. Whatever does not go together is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from simvirt.emulation.cards import Cards
from simvirt.emulation.emulator import KERNEL_AT
from simvirt.emulation.images import Image, load, read_file
from simvirt.emulation.loading import guest, settings_of
from simvirt.errors import UsageError
from simvirt.machine.devices.virtio_net import WIRE

Loaded = tuple[Image, Image | None, bytes, str]
"""What runs first, the kernel that it goes to, the file system and the command line of that."""


@dataclass(frozen=True)
class Start:
    """What a command line names."""

    guest: str = ""
    kernel: Path | None = None
    firmware: Path | None = None
    initrd: Path | None = None
    append: str = ""
    settings: Sequence[str] = ()
    disk: Path | None = None
    read_only: bool = False
    devices: Sequence[str] = ()
    wired: int | None = None  # a network that goes to another machine: which of the two this is

    @property
    def name(self) -> str:
        """What the run is called."""
        return Path(self.guest or self.kernel or "").name

    def cards(self) -> Cards:
        """What is plugged in; a disk anew for each run, so that none sees what another has written."""
        cards = Cards()
        if self.disk is not None:
            cards.add_disk(self.disk, self.read_only)
        elif self.read_only:
            raise UsageError("--read-only: there is no disk; expected --disk FILE too, for example --disk image.raw --read-only")
        if self.wired is not None:
            cards.add_net(WIRE, self.wired)
        for device in self.devices:
            cards.add(device)
        return cards

    def load(self, base: int) -> Loaded:
        """Read it all."""
        first, kernel = self.images(base)
        initrd = read_file(self.initrd, "initial file system") if self.initrd else b""
        return first, kernel, initrd, self.append

    def images(self, base: int) -> tuple[Image, Image | None]:
        """What runs first, and the kernel that it goes to; a kernel alone runs above the firmware that is built in."""
        if self.guest and self.firmware:
            wanted = f"--kernel {self.guest} --firmware {self.firmware}"
            raise UsageError(f"{self.guest}: a guest runs first, and so does --firmware; expected {wanted}")
        if self.firmware and not self.kernel:
            raise UsageError(f"--firmware {self.firmware}: expected --kernel too, the image that the firmware goes to")
        if not self.guest and not self.kernel:
            raise UsageError("no guest; expected one, or a --kernel, for example simvirt emulate hello (--list names those of simvirt)")
        kernel = load(self.kernel, base + KERNEL_AT, "kernel") if self.kernel else None
        if self.firmware:
            return load(self.firmware, base, "firmware"), kernel
        if self.guest:
            return guest(self.guest, base, settings_of(self.settings), base + KERNEL_AT), kernel
        if self.settings:
            raise UsageError(f"--set {self.settings[0]}: a kernel has no parameters; expected a guest that has, for example operations")
        assert kernel is not None
        return replace(kernel, supervisor=True), None


def beside(text: str) -> Start:
    """The guest of a second machine, with what is set of it behind its name."""
    if not text.strip():
        raise UsageError("--beside: expected a guest and what is set of it, for example --beside 'packets answers=1'")
    name, *settings = text.split()
    return Start(guest=name, settings=settings, wired=1)
