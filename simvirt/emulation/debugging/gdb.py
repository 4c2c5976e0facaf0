"""The remote protocol of GDB: a debugger from outside reads, writes, steps forwards and backwards, and stops where it wants.

*Model.* One thread, stopped or running as `Stepper` has it. `bs` and `bc` go backwards.
*Ignores.* Watchpoints; writes to registers and memory last until a step back, which runs again from the begin.
*Source.* Debugging with GDB, appendix "GDB Remote Serial Protocol"; target features `org.gnu.gdb.riscv.cpu`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Final

from simvirt.emulation.debugging import views
from simvirt.emulation.debugging.stepper import Stepper
from simvirt.emulation.debugging.walks import walked
from simvirt.emulation.disassembler import ABI
from simvirt.errors import UsageError

STOPPED: Final = "S05"
"""Stopped by a trap of the debugger."""
OF_BEGIN: Final = "T05replaylog:begin;"
ENDED: Final = "W00"
REFUSED: Final = "E01"
REGISTERS: Final = 33  # and the program counter last
MOST: Final = 4096
"""Bytes of a packet, and of memory that one asks for."""
SLICE: Final = 1000
"""Steps between looks whether the debugger wants to interrupt."""
INTERRUPT: Final = b"\x03"
FEATURES: Final = (
    '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>riscv:rv64</architecture>'
    '<feature name="org.gnu.gdb.riscv.cpu">'
    + "".join(f'<reg name="{name}" bitsize="64" regnum="{k}"/>' for k, name in enumerate(ABI))
    + '<reg name="pc" bitsize="64" type="code_ptr" regnum="32"/></feature></target>'
)


class Server:
    """What answers the packets of a debugger."""

    def __init__(self, stepper: Stepper, wanted: Callable[[], bool] = lambda: False) -> None:
        self.stepper = stepper
        self.stops: set[int] = set()
        self.wanted = wanted  # whether the debugger wants to interrupt
        self.over = False

    def answer(self, packet: str) -> str | None:
        """The answer to a packet; None where there is none, empty where it is not understood."""
        for begin, function in PACKETS.items():
            if packet.startswith(begin):
                try:
                    return function(self, packet[len(begin) :])
                except (ValueError, IndexError):
                    return REFUSED
        return ""

    def register(self, number: int) -> str:
        """A register as the protocol writes it."""
        made = self.stepper.made
        value = int(made.registers["x"][number]) if number < REGISTERS - 1 else self.stepper.pc
        return (value & views.MASK).to_bytes(8, "little").hex()

    def set_register(self, number: int, text: str) -> str:
        """Write a register."""
        value = int.from_bytes(bytes.fromhex(text), "little", signed=True)
        made = self.stepper.made
        if number == REGISTERS - 1:
            made.hart["pc"][0] = value
        elif 0 < number < REGISTERS - 1:
            made.registers["x"][number] = value
        return "OK"

    def stopped(self) -> str:
        """What is said where the guest stands."""
        return ENDED if self.stepper.end is not None else STOPPED

    def step(self, _: str) -> str:
        """One instruction or trap."""
        self.stepper.step()
        return self.stopped()

    def go_on(self, _: str) -> str:
        """Up to a stop, the end, or an interrupt from the debugger."""
        while self.stepper.end is None:
            if self.stops:
                found = self.stepper.until(lambda happened: self.stepper.pc & views.MASK in self.stops, SLICE)
                if found is not None:
                    break
            else:
                self.stepper.to(self.stepper.at + 1000 * SLICE)
            if self.wanted():
                break
        return self.stopped()

    def back(self, _: str) -> str:
        """One step back."""
        if self.stepper.at == 0:
            return OF_BEGIN
        self.stepper.back(1)
        return STOPPED

    def go_back(self, _: str) -> str:
        """Back to the last stop before, or to the begin."""
        last, here = None, self.stepper.at
        self.stepper.restart()
        while self.stepper.at < here:
            if self.stepper.pc & views.MASK in self.stops:
                last = self.stepper.at
            self.stepper.step()
        self.stepper.to(last or 0)
        return OF_BEGIN if last is None else STOPPED

    def read(self, text: str) -> str:
        """Memory as the guest sees it."""
        at, count = (int(part, 16) for part in text.split(","))
        return views.read_virtual(self.stepper.made, signed(at), min(count, MOST)).hex() or REFUSED

    def write(self, text: str) -> str:
        """Write memory as the guest sees it, a byte after the other; what is not mapped is refused before anything is written."""
        where, _, data = text.partition(":")
        at, made = signed(int(where.split(",")[0], 16)), self.stepper.made
        places = [walked(made, at + k).physical for k in range(len(bytes.fromhex(data)))]
        if any(place is None or not views.bytes_at(made, place, 1) for place in places):
            return REFUSED
        for place, byte in zip(places, bytes.fromhex(data), strict=True):
            assert place is not None
            made.memory["ram"][place - made.size.base] = byte
        return "OK"

    def stop_at(self, text: str) -> str:
        """Stop at an address from now on; watchpoints are not understood."""
        kind, at, *_ = text.split(",")
        if kind not in ("0", "1"):
            return ""
        self.stops.add(int(at, 16))
        return "OK"

    def no_stop(self, text: str) -> str:
        """Stop there no more."""
        self.stops.discard(int(text.split(",")[1], 16))
        return "OK"

    def features(self, text: str) -> str:
        """A part of what the machine has."""
        first, count = (int(part, 16) for part in text.split(","))
        part = FEATURES[first : first + count]
        return ("m" if first + count < len(FEATURES) else "l") + part

    def end(self, _: str) -> str:
        """The debugger goes."""
        self.over = True
        return "OK"

    def leave(self, _: str) -> None:
        """The debugger goes, and wants no answer."""
        self.over = True


def signed(a: int) -> int:
    """An address as the machine has it."""
    return (a + (1 << 63) & views.MASK) - (1 << 63)


PACKETS: Final[dict[str, Callable[[Server, str], str | None]]] = {
    "qSupported": lambda server, _: f"PacketSize={MOST:x};qXfer:features:read+;ReverseStep+;ReverseContinue+;hwbreak+",
    "qXfer:features:read:target.xml:": Server.features,
    "qAttached": lambda server, _: "1",
    "qC": lambda server, _: "QC1",
    "qfThreadInfo": lambda server, _: "m1",
    "qsThreadInfo": lambda server, _: "l",
    "vCont?": lambda server, _: "",
    "H": lambda server, _: "OK",
    "?": lambda server, _: server.stopped(),
    "g": lambda server, _: "".join(server.register(k) for k in range(REGISTERS)),
    "G": lambda server, text: [server.set_register(k, text[16 * k : 16 * k + 16]) for k in range(REGISTERS)][-1],
    "p": lambda server, text: server.register(int(text, 16)) if int(text, 16) < REGISTERS else REFUSED,
    "P": lambda server, text: server.set_register(int(text.split("=")[0], 16), text.split("=")[1]),
    "m": Server.read,
    "M": Server.write,
    "bs": Server.back,
    "bc": Server.go_back,
    "s": Server.step,
    "c": Server.go_on,
    "Z": Server.stop_at,
    "z": Server.no_stop,
    "D": Server.end,
    "k": Server.leave,
}
"""Begin of a packet -> what answers it; longer ones before those that they begin with."""


def packed(text: str) -> bytes:
    """A packet with its sum."""
    data = text.encode("latin-1")
    return b"$" + data + b"#" + f"{sum(data) & 255:02x}".encode()


def packets(link: socket.socket) -> Iterator[str]:
    """Packets that come, each acknowledged; one whose sum is wrong is asked for again."""
    data = b""
    while part := link.recv(MOST):
        data += part
        while (begin := data.find(b"$")) >= 0 and (end := data.find(b"#", begin)) >= 0 and len(data) >= end + 3:
            body, given = data[begin + 1 : end], data[end + 1 : end + 3]
            data = data[end + 3 :]
            right = given.lower() == f"{sum(body) & 255:02x}".encode()
            link.sendall(b"+" if right else b"-")
            if right:
                yield body.decode("latin-1")


def interrupted(link: socket.socket) -> bool:
    """Whether the debugger has sent an interrupt, which is taken; what else has come stays."""
    link.setblocking(False)
    try:
        found = link.recv(1, socket.MSG_PEEK) == INTERRUPT
        if found:
            link.recv(1)
    except BlockingIOError:
        return False
    finally:
        link.setblocking(True)
    return found


def listening(port: int) -> socket.socket:
    """A socket of this machine alone; UsageError where the port cannot be had."""
    waiting = socket.socket()
    waiting.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        waiting.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        waiting.close()
        raise UsageError(f"--gdb {port}: cannot be listened at: {error}; expected a free port, for example 1234, or 0 for any") from None
    waiting.listen(1)
    return waiting


def serve(stepper: Stepper, waiting: socket.socket) -> None:
    """Serve one debugger until it goes."""
    link, _ = waiting.accept()
    with link:
        server = Server(stepper, lambda: interrupted(link))
        for packet in packets(link):
            answer = server.answer(packet)
            if answer is not None:
                link.sendall(packed(answer))
            if server.over:
                return
