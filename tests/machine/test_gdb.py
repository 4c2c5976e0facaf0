"""GDB's remote protocol: registers, memory, steps both ways, stops; what is wrong in a packet harms nothing."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from helpers.emulated import SMALL, stepper

from simvirt.emulation.debugging.gdb import PACKETS, Server, listening, packed, serve
from simvirt.errors import UsageError


def number(text: str) -> int:
    """A register of an answer."""
    return int.from_bytes(bytes.fromhex(text), "little")


def test_registers_and_memory_are_the_guests() -> None:
    server = Server(stepper())
    assert server.answer("?") == "S05"
    assert number(str(server.answer("p20"))) == SMALL.base
    assert len(str(server.answer("g"))) == 33 * 16
    assert bytes.fromhex(str(server.answer(f"m{SMALL.base:x},4"))) == bytes(server.stepper.emulator.ram[:4])
    assert server.answer("m10,4") == "E01" and server.answer("p21") == "E01"
    assert server.answer("Pa=0500000000000000") == "OK" and number(str(server.answer("pa"))) == 5
    assert server.answer(f"M{SMALL.base + 64:x},2:abcd") == "OK" and server.answer(f"m{SMALL.base + 64:x},2") == "abcd"
    assert server.answer("M10,2:abcd") == "E01"


def test_steps_forwards_and_backwards() -> None:
    server = Server(stepper())
    places = []
    for _ in range(20):
        places.append(str(server.answer("p20")))
        assert server.answer("s") == "S05"
    for place in reversed(places):
        assert server.answer("bs") == "S05"
        assert server.answer("p20") == place
    assert server.answer("bs") == "T05replaylog:begin;"


def test_stops_and_the_end() -> None:
    server = Server(stepper())
    at = server.stepper.emulator.labels["supervisor_trap"]
    assert server.answer(f"Z0,{at:x},4") == "OK"
    assert server.answer("c") == "S05" and number(str(server.answer("p20"))) == at
    first = server.stepper.at
    assert server.answer("c") == "S05" and server.stepper.at > first
    assert server.answer("bc") == "S05" and server.stepper.at == first
    assert server.answer(f"z0,{at:x},4") == "OK"
    assert server.answer("c") == "W00"
    assert server.answer("Z2,0,4") == "" and server.answer("vMustReplyEmpty") == ""


def test_no_packet_breaks_it() -> None:
    draw, server = random.Random(5), Server(stepper())
    begins = [begin for begin in PACKETS if begin not in ("c", "bc")]
    for _ in range(500):
        text = draw.choice(begins) + "".join(draw.choice("0123456789abcdef,:;=$#\xff-") for _ in range(draw.randrange(12)))
        if not text.startswith(("c", "bc")):
            answer = server.answer(text)
            assert answer is None or isinstance(answer, str)


def talk(link: socket.socket, data: bytes) -> bytes:
    """What comes for some bytes: the sign of receipt, and the answer."""
    link.sendall(data)
    found = b""
    while found[:1] != b"-" and (b"#" not in found or len(found) < found.index(b"#") + 3):
        found += link.recv(4096)
    return found


def test_over_a_socket() -> None:
    """A packet whose sum is wrong is asked for again; with the debugger gone the server ends."""
    with listening(0) as waiting:
        thread = threading.Thread(target=serve, args=(stepper(), waiting))
        thread.start()
        with socket.create_connection(waiting.getsockname()) as link:
            assert talk(link, packed("?")) == b"+" + packed("S05")
            assert talk(link, b"$?#00") == b"-"
            first = talk(link, packed("qXfer:features:read:target.xml:0,40"))
            assert first.startswith(b"+$m<?xml")
            talk(link, packed("D"))
        thread.join(10)
        assert not thread.is_alive()


def test_a_port_that_is_taken_is_refused() -> None:
    with listening(0) as waiting, pytest.raises(UsageError, match="cannot be listened at"):
        listening(waiting.getsockname()[1])


GDB = shutil.which("gdb-multiarch")


@pytest.mark.skipif(GDB is None, reason="needs gdb-multiarch")
def test_gdb_attaches_and_steps(tmp_path: Path) -> None:
    assert GDB is not None
    with listening(0) as waiting:
        thread = threading.Thread(target=serve, args=(stepper(), waiting))
        thread.start()
        port = waiting.getsockname()[1]
        lines = (f"target remote 127.0.0.1:{port}", "stepi", "stepi", "printf \"at %lx\\n\", $pc", "reverse-stepi", "printf \"back %lx\\n\", $pc", "x/2i $pc", "detach")
        asked = [word for line in lines for word in ("-ex", line)]
        done = subprocess.run([GDB, "-batch", "-nx", *asked], capture_output=True, text=True, timeout=60, cwd=tmp_path)
        thread.join(10)
    assert "at 80000008" in done.stdout and "back 80000004" in done.stdout, done.stdout + done.stderr
    assert "sp,sp,336" in done.stdout, done.stdout
