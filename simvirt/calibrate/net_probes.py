"""The loopback: what a connection and a message through the network stack take."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Final

from simvirt.calibrate.cpu_probes import REPEATS, TRIPS, alone, in_turn, pinned
from simvirt.calibrate.sample import worked

CONNECTIONS: Final = 500
HOST: Final = "127.0.0.1"


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection over the loopback."""
    with socket.create_server((HOST, 0)) as server:
        one = socket.create_connection(server.getsockname())
        two, _ = server.accept()
    for end in (one, two):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one, two


def own_message(one: socket.socket, two: socket.socket) -> float:
    """A byte from one end to the other, both of this process [s]."""
    return alone(lambda: two.recv(1), lambda: one.send(b"x"))


def echoed(one: socket.socket, two: socket.socket) -> float:
    """A byte to another process on the same CPU and back [s]."""
    return in_turn([(lambda: one.recv(1), lambda: one.send(b"x")), (lambda: two.recv(1), lambda: two.send(b"x"))])


def messages() -> Iterator[float]:
    """A message of TCP over the loopback, sent and received [s]."""
    for _ in range(REPEATS):
        one, two = tcp_pair()
        with one, two:
            yield own_message(one, two)


def connections() -> Iterator[float]:
    """Opening and closing a TCP connection, both ends [s]."""
    for _ in range(REPEATS):
        with socket.create_server((HOST, 0), backlog=16) as server, pinned():
            address = server.getsockname()
            start = time.process_time()
            for _ in range(CONNECTIONS):
                one = socket.create_connection(address)
                server.accept()[0].close()
                one.close()
            yield (time.process_time() - start) / CONNECTIONS


def streamed() -> Iterator[float]:
    """Bytes that one CPU sends and receives over the loopback in a second."""
    one, two = tcp_pair()
    block, buffer = b"x" * 65536, bytearray(65536)
    with one, two:
        for _ in range(3):
            def pass_on() -> None:
                for _ in range(TRIPS):
                    left = one.send(block)
                    while left:
                        left -= two.recv_into(buffer, left)

            yield TRIPS * len(block) / worked(pass_on)
