"""What is plugged into the slots of virtio devices: a disk from a file, a console, a source of random numbers, a network."""

from __future__ import annotations

import mmap
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from simvirt.emulation.making import Made
from simvirt.errors import UsageError
from simvirt.machine.devices import rings
from simvirt.machine.devices.virtio import CONFIG_BYTES
from simvirt.machine.devices.virtio_block import BLOCK, NAME_BYTES, READ_ONLY, SECTOR
from simvirt.machine.devices.virtio_console import CONSOLE
from simvirt.machine.devices.virtio_entropy import ENTROPY
from simvirt.machine.devices.virtio_net import ECHO, NET, SINK

SEGMENTS_OF_DISK: Final = rings.LARGEST - 2  # of a request, beside its header and its status
SEG_MAX, FLUSH = 1 << 2, 1 << 9  # features of a disk
MAC, STATUS = 1 << 5, 1 << 16  # and of a network
LINK_UP: Final = 1
ADDRESS: Final = bytes((0x52, 0x54, 0x00, 0x12, 0x34, 0x56))
NAME: Final = b"simvirt"
COLUMNS, ROWS = 80, 25
WAYS: Final = {"sink": SINK, "echo": ECHO}
EXAMPLE: Final = "expected console, entropy or entropy:SEED, net:sink or net:echo, for example net:echo"


@dataclass(frozen=True)
class Card:
    """A device for a slot."""

    name: str
    kind: int
    features: int = 0
    config: bytes = b""
    seed: int = 0
    way: int = SINK


@dataclass
class Cards:
    """What is in the slots, from the first one on."""

    cards: list[Card] = field(default_factory=list)
    disk: mmap.mmap | bytearray | None = None

    def add_disk(self, path: Path, read_only: bool = False) -> None:
        """A disk that holds what a file does, which is never changed; writes are kept in memory, or refused."""
        self.disk = mapped(path)
        sectors = len(self.disk) // SECTOR
        features = SEG_MAX | FLUSH | (READ_ONLY if read_only else 0)
        self.cards.append(Card("disk", BLOCK, features, struct.pack("<QII", sectors, 0, SEGMENTS_OF_DISK)))

    def add(self, text: str) -> None:
        """A device by its name, and what follows that."""
        name, _, more = text.partition(":")
        if any(card.name == name for card in self.cards) or len(self.cards) == rings.SLOTS:
            raise UsageError(f"--device {text}: there is one {name} already; expected each once, for example --device console --device net")
        if name == "console" and not more:
            self.cards.append(Card(name, CONSOLE, config=struct.pack("<HHI", COLUMNS, ROWS, 1)))
        elif name == "entropy" and (more or "0").isdecimal() and len(more) < 19:
            self.cards.append(Card(name, ENTROPY, seed=int(more or "0")))
        elif name == "net" and (more or "sink") in WAYS:
            self.add_net(WAYS[more or "sink"])
        else:
            raise UsageError(f"--device {text}: {EXAMPLE}")

    def add_net(self, way: int, number: int = 0) -> None:
        """A network card; those of two machines have addresses of their own."""
        config = ADDRESS[:-1] + bytes((ADDRESS[-1] + number,)) + struct.pack("<H", LINK_UP)
        self.cards.append(Card("net", NET, MAC | STATUS, config, way=way))

    def plug(self, made: Made) -> None:
        """Put all into a machine."""
        for slot, card in enumerate(self.cards):
            made.virtio["kind"][slot] = card.kind
            made.virtio["offered"][slot] = card.features | rings.VERSION_1 | rings.EVENT_IDX
            at = slot * CONFIG_BYTES
            made.disk["config"][at : at + len(card.config)] = card.config
            if card.kind == ENTROPY:
                made.chain["random"][0] = card.seed
            if card.kind == NET:
                made.frames["goes"][0] = card.way
        if self.disk is not None:
            made.disk["data"], made.disk["sectors"][0] = self.disk, len(self.disk) // SECTOR
            made.disk["name"][:NAME_BYTES] = NAME.ljust(NAME_BYTES, b"\0")
            made.take_columns("disk")


def mapped(path: Path) -> mmap.mmap:
    """The bytes of a file, of which what is written to becomes a copy in memory."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UsageError(f"{path}: the disk is no file; expected an image of whole sectors of {SECTOR} bytes")
        if about.st_size < SECTOR:
            raise UsageError(f"{path}: the disk has {about.st_size} bytes; expected at least a sector of {SECTOR}")
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: the disk cannot be read: {getattr(error, 'strerror', None) or error}") from None
