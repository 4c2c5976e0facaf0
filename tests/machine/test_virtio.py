"""Virtio devices: what a driver is given, what it is refused, and that nothing it does reaches beyond the memory and the copy of the disk."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from simvirt import machine
from simvirt.emulation.cards import Cards
from simvirt.emulation.emulator import Console
from simvirt.errors import UsageError
from simvirt.machine.devices import rings
from simvirt.machine.devices.rings import EVENT_IDX, INDIRECT, NEXT, VERSION_1, WRITABLE
from helpers.virtio_driver import AVAILABLE, BOTH, DATA, RING, STATUS, USED, Driver

ROOT = Path(__file__).resolve().parents[2]
SECTORS = 64
OK, IO_ERROR, UNSUPPORTED = 0, 1, 2
READ, WRITE, FLUSH, NAME = 0, 1, 4, 8
SEEDS = [*range(12), *(pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.verification]) for seed in range(12, 500))]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A disk whose sectors hold their numbers."""
    path = tmp_path / "disk.img"
    path.write_bytes(b"".join(bytes([k]) * 512 for k in range(SECTORS)) + b"rest")
    return path


def disk(path: Path, read_only: bool = False, features: int = VERSION_1) -> Driver:
    """A disk that is ready."""
    cards = Cards()
    cards.add_disk(path, read_only)
    driver = Driver(cards)
    driver.start(features)
    return driver


def with_device(text: str, queues: int, console: Console | None = None) -> Driver:
    """Another device that is ready."""
    cards = Cards()
    cards.add(text)
    driver = Driver(cards, console=console or Console())
    driver.start(queues=queues)
    return driver


def test_registers_say_what_is_there(image: Path) -> None:
    driver = disk(image)
    assert [driver.read(at) for at in (0x0, 0x4, 0x8)] == [0x74726976, 2, 2]
    assert [driver.read(at) for at in (0x100, 0x104, 0x10C)] == [SECTORS, 0, 254]
    assert driver.read(STATUS) == 15
    driver.slot = 1
    assert [driver.read(at) for at in (0x0, 0x4, 0x8, 0x34, STATUS)] == [0x74726976, 2, 0, 0, 0]


def test_a_disk_reads_what_the_file_has_and_keeps_what_is_written(image: Path) -> None:
    before = image.read_bytes()
    driver = disk(image)
    assert driver.block(READ, 5, wanted=1024) == (OK, bytes([5]) * 512 + bytes([6]) * 512)
    assert driver.block(WRITE, 6, b"x" * 512)[0] == OK
    assert driver.block(READ, 5, wanted=1024) == (OK, bytes([5]) * 512 + b"x" * 512)
    assert driver.block(FLUSH, 0)[0] == OK
    assert driver.block(NAME, 0, wanted=20) == (OK, b"simvirt".ljust(20, b"\0"))
    assert image.read_bytes() == before
    assert driver.used() == driver.count(rings.CHAINS) == driver.count(rings.KICKS) == 5
    assert driver.count(rings.DESCRIPTORS) == 10
    assert driver.count(rings.BYTES_READ) == 5 * 16 + 512
    assert driver.count(rings.BYTES_WRITTEN) == 5 + 2 * 1024 + 20
    assert [int(n) for n in driver.made.counts["sectors"]] == [4, 1]


REFUSED = [
    (READ, SECTORS, b"", 512, IO_ERROR), (READ, SECTORS - 1, b"", 1024, IO_ERROR), (READ, -1, b"", 512, IO_ERROR),
    (READ, (1 << 63) - 1, b"", 512, IO_ERROR), (READ, 0, b"", 100, IO_ERROR), (WRITE, SECTORS, b"x" * 512, 0, IO_ERROR),
    (WRITE, -1, b"x" * 512, 0, IO_ERROR), (NAME, 0, b"", 10, UNSUPPORTED), (77, 0, b"", 512, UNSUPPORTED),
]


@pytest.mark.parametrize(("kind", "sector", "data", "wanted", "status"), REFUSED)
def test_what_a_disk_has_not_is_an_error_for_the_guest(image: Path, kind: int, sector: int, data: bytes, wanted: int, status: int) -> None:
    driver = disk(image)
    assert driver.block(kind, sector, data, wanted)[0] == status
    assert driver.used() == 1 and not driver.broken


def test_a_disk_that_is_read_only_refuses_writes_and_says_so(image: Path) -> None:
    driver = disk(image, read_only=True)
    assert driver.block(WRITE, 6, b"x" * 512)[0] == IO_ERROR
    assert driver.block(READ, 6, wanted=512) == (OK, bytes([6]) * 512)
    driver.write(0x14, 0)
    assert driver.read(0x10) & 0x20


WRONG = {
    "an index beyond the queue": lambda driver: driver.offer(0, 8),
    "a loop": lambda driver: [driver.describe(0, 0, driver.base, 1, NEXT, 0), driver.offer(0, 0)],
    "an address below the memory": lambda driver: [driver.describe(0, 0, driver.base - 1, 16, 0), driver.offer(0, 0)],
    "an address beyond the memory": lambda driver: [driver.describe(0, 0, driver.base + (4 << 20) - 15, 16, 0), driver.offer(0, 0)],
    "an address of 64 bits": lambda driver: [driver.describe(0, 0, -8, 16, 0), driver.offer(0, 0)],
    "a table of descriptors": lambda driver: [driver.describe(0, 0, driver.base, 16, INDIRECT), driver.offer(0, 0)],
    "what is read behind what is written": lambda driver: [
        driver.describe(0, 0, driver.base, 16, WRITABLE | NEXT, 1), driver.describe(0, 1, driver.base, 16, 0), driver.offer(0, 0),
    ],
    "no room for the status": lambda driver: driver.chain(0, bytes(16), 0),
    "half a header": lambda driver: driver.chain(0, bytes(8), 513),
    "more chains than there are": lambda driver: [struct.pack_into("<H", driver.ram, RING + AVAILABLE + 2, 9), driver.write(0x50, 0)],
    "rings that are moved": lambda driver: driver.write(0x80, 0),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_driver_must_not_do_breaks_the_device_until_it_is_reset(image: Path, what: str) -> None:
    driver = disk(image)
    WRONG[what](driver)
    assert driver.broken and driver.count(rings.ERRORS) == 1
    assert driver.read(0x60) & 2
    assert driver.used() == 0
    driver.chain(0, bytes(16), 513)
    assert driver.used() == 0  # it does nothing more
    driver.start()
    assert driver.block(READ, 1, wanted=512) == (OK, bytes([1]) * 512)


@pytest.mark.parametrize("size", [0, 3, 512])
@pytest.mark.parametrize("register", [0x80, 0x90, 0xA0])
def test_rings_outside_of_the_memory_are_not_used(image: Path, register: int, size: int) -> None:
    driver = disk(image)
    driver.write(STATUS, 0)
    driver.size = size
    driver.start()
    assert driver.broken and not driver.read(0x44)
    driver.size = 8
    driver.write(STATUS, 0)
    driver.set_up(0)
    driver.write(0x44, 0)
    driver.write(register + 4, 0xFFFFFFFF)
    driver.write(0x44, 1)
    assert driver.broken and not driver.read(0x44)


def test_features_that_are_not_offered_are_not_accepted(image: Path) -> None:
    for features in (0, VERSION_1 | 1 << 28, VERSION_1 | 1 << 40):
        assert not disk(image, features=features).read(STATUS) & 8


def test_interrupts_are_raised_acknowledged_and_held_off_by_the_flag(image: Path) -> None:
    driver = disk(image)
    driver.block(READ, 0, wanted=512)
    assert driver.read(0x60) == 1 and int(driver.made.plic["level"][1]) == 1
    driver.write(0x64, 1)
    assert driver.read(0x60) == 0 and int(driver.made.plic["level"][1]) == 0
    struct.pack_into("<H", driver.ram, RING + AVAILABLE, 1)
    driver.block(READ, 0, wanted=512)
    assert driver.read(0x60) == 0
    assert (driver.count(rings.INTERRUPTS), driver.count(rings.SUPPRESSED)) == (1, 1)


def test_interrupts_come_when_the_index_is_reached_that_the_driver_names(image: Path) -> None:
    """EVENT_IDX: of six requests, the driver wants to be told of the third and of the sixth."""
    driver = disk(image, features=BOTH)
    told = []
    for k, event in enumerate((2, 2, 2, 5, 5, 5)):
        struct.pack_into("<H", driver.ram, RING + AVAILABLE + 4 + 2 * driver.size, event)
        driver.block(READ, 0, wanted=512)
        told.append(driver.read(0x60))
        driver.write(0x64, 1)
        assert struct.unpack_from("<H", driver.ram, RING + USED + 4 + 8 * driver.size)[0] == k + 1
    assert told == [0, 0, 1, 0, 0, 1]
    assert (driver.count(rings.INTERRUPTS), driver.count(rings.SUPPRESSED)) == (2, 4)


def test_requests_that_wait_are_served_by_one_kick(image: Path) -> None:
    driver = disk(image)
    for _ in range(3):
        driver.chain(0, struct.pack("<IIQ", READ, 0, 1), 513, kick=False)
    assert driver.used() == 0
    driver.write(0x50, 0)
    assert (driver.used(), driver.count(rings.KICKS), driver.count(rings.INTERRUPTS)) == (3, 1, 1)


def test_data_goes_through_descriptors_of_any_length(image: Path) -> None:
    driver = disk(image)
    driver.ram[DATA : DATA + 16] = struct.pack("<IIQ", READ, 0, 7)
    parts = [(DATA, 5, 0), (DATA + 5, 11, 0), (DATA + 100, 1, WRITABLE), (DATA + 200, 0, WRITABLE), (DATA + 300, 511, WRITABLE), (DATA + 900, 1, WRITABLE)]
    for k, (place, count, flags) in enumerate(parts):
        driver.describe(0, k, driver.base + place, count, flags | (NEXT if k < len(parts) - 1 else 0), k + 1)
    driver.offer(0, 0)
    assert driver.ram[DATA + 100] == 7 and bytes(driver.ram[DATA + 300 : DATA + 811]) == bytes([7]) * 511
    assert struct.unpack_from("<II", driver.ram, RING + USED + 4) == (0, 513)


def test_code_that_a_disk_overwrites_is_what_runs(image: Path) -> None:
    driver = disk(image)
    driver.describe(0, 0, driver.base + DATA, 16, NEXT, 1)
    driver.describe(0, 1, driver.base, 512, NEXT | WRITABLE, 2)
    driver.describe(0, 2, driver.base + DATA + 64, 1, WRITABLE)
    driver.ram[DATA : DATA + 16] = struct.pack("<IIQ", READ, 0, 0)
    driver.offer(0, 0)
    assert int(driver.made.cache["dropped"][0]) >= 1
    driver.made.hart["pc"][0] = driver.base
    driver.made.advance(driver.emulator.work + 1)
    assert int(driver.made.registers["csr"][0x342]) == 2  # zeros are no instruction


def test_random_numbers_are_those_of_the_seed() -> None:
    """The first of SplitMix64 from zero, as its authors' test has it."""
    found = [with_device(text, 1).chain(0, b"", 16)[:8] for text in ("entropy", "entropy:0", "entropy:1")]
    driver = with_device("entropy", 1)
    driver.chain(0, b"", 16)
    first = bytes(driver.ram[DATA + 0x80000 : DATA + 0x80008])
    assert int.from_bytes(first, "little") == 0xE220A8397B1DCDAF
    assert found[0] == found[1] == first != found[2]


def test_what_is_said_on_the_console_is_what_the_emulator_hears() -> None:
    driver = with_device("console", 2)
    driver.chain(1, b"hello", 0)
    assert driver.emulator.drained() == b"hello"
    for _ in range(3):
        driver.chain(1, b"x" * 65536, 0)
    assert len(driver.emulator.drained()) == 2 * 65536  # the third waits for room
    driver.made.advance(driver.emulator.work + 1)
    assert driver.emulator.drained() == b"x" * 65536 and driver.used(1) == 4
    driver.chain(1, b"x" * 65537, 0)
    assert driver.broken


def test_what_is_typed_goes_to_the_console_that_has_room() -> None:
    driver = with_device("console", 2)
    driver.chain(0, b"", 4)
    assert driver.used(0) == 0
    for letter in b"typed":
        driver.made.type_in(letter)
    driver.made.advance(driver.emulator.work + 1)
    assert driver.used(0) == 1 and bytes(driver.ram[DATA + 0x80000 : DATA + 0x80004]) == b"type"
    assert driver.chain(0, b"", 4)[:1] == b"d"


def test_frames_come_back_by_an_echo_and_end_in_a_sink() -> None:
    frame = bytes(range(60))
    echo = with_device("net:echo", 2)
    echo.chain(1, bytes(12) + frame, 0)
    came = echo.chain(0, b"", 2000)
    assert came[:12] == bytes(10) + b"\1\0" and came[12:72] == frame
    for _ in range(66):
        echo.chain(1, bytes(12) + frame, 0)
    echo.chain(1, bytes(12 + 2049), 0)
    assert [int(n) for n in echo.made.counts["frames"]] == [1, 65] and echo.count(rings.DROPPED) == 3
    echo.chain(0, b"", 20)  # too little room
    assert echo.count(rings.DROPPED) >= 4
    sink = with_device("net", 2)
    sink.chain(1, bytes(12) + frame, 0)
    assert [int(n) for n in sink.made.counts["frames"]] == [0, 1]
    sink.chain(1, bytes(11), 0)
    assert sink.broken


@pytest.mark.parametrize("text", ["disk", "net:x", "console:1", "entropy:x", "entropy:-1", ""])
def test_devices_that_there_are_not_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"^--device {text}: "):
        Cards().add(text)
    cards = Cards()
    cards.add("net")
    with pytest.raises(UsageError, match="there is one net already"):
        cards.add("net:echo")


def test_files_that_are_no_disk_are_refused(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"x" * 511)
    for path, message in ((short, "511 bytes"), (tmp_path, "no file"), (Path("/dev/zero"), "no file"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(UsageError, match=message):
            Cards().add_disk(path)


def fuzzed(seed: int, path: Path) -> str:
    """Random registers, rings and descriptors, most of them nearly right; the state at the end."""
    draw = random.Random(seed)
    cards = Cards()
    cards.add_disk(path, draw.random() < 0.3)
    for text in ("console", f"entropy:{seed}", draw.choice(("net", "net:echo"))):
        cards.add(text)
    driver = Driver(cards, console=Console())
    places = (0, driver.base, driver.base + RING, driver.base + DATA, driver.base + (4 << 20) - 8, -1, 1 << 63)
    for _ in range(6):
        driver.slot, driver.size = draw.randrange(4), draw.choice((1, 2, 8, 8, 8, 256))
        driver.start(draw.choice((VERSION_1, BOTH, EVENT_IDX)), 2)
        for _ in range(12):
            queue = draw.randrange(2)
            for number in range(4):
                at, count = draw.choice(places) + draw.choice((0, 8, 4096)), draw.choice((0, 1, 16, 513, 5000, draw.getrandbits(32)))
                driver.describe(queue, number, at, count, draw.choice((0, 1, 1, 2, 3, 3, 7)), draw.choice((number + 1, draw.randrange(8))))
            driver.offer(queue, draw.choice((0, 1, 2, draw.randrange(300))), draw.random() < 0.7)
            if draw.random() < 0.3:
                driver.write(draw.choice((0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70, 0x80, 0x94, draw.randrange(0, 0x1000, 4))), draw.getrandbits(32))
            driver.made.type_in(65)
            if draw.random() < 0.2:
                driver.chain(0, struct.pack("<IIQ", draw.randrange(5), 0, draw.randrange(70)) + bytes(512 * draw.randrange(2)), 513)
    driver.emulator.drained()
    return driver.emulator.digest()


@pytest.mark.parametrize("seed", SEEDS)
def test_random_drivers_do_no_harm(image: Path, seed: int) -> None:
    before = image.read_bytes()
    assert fuzzed(seed, image) == fuzzed(seed, image)
    assert image.read_bytes() == before


def test_the_same_compiled_and_plain(image: Path) -> None:
    program = f"from pathlib import Path\nfrom test_virtio import fuzzed\nprint([fuzzed(k, Path({str(image)!r})) for k in range(3)])"
    environment = os.environ | {"SIMVIRT_PLAIN": "1" if machine.MODE == "compiled" else "0", "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests/machine")))}
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert other.stdout.strip() == str([fuzzed(k, image) for k in range(3)]), other.stderr
