"""What needs more rights, or a device: counters of the processor, quotas of cgroups, exits of KVM."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from simvirt.calibrate.cpu_probes import forked, spun
from simvirt.calibrate.sample import timed

PERF: Final = {"x86_64": 298, "aarch64": 241}
"""Number of perf_event_open. Source: Linux arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h."""
EXITS: Final = 50_000
BUSY_S: Final = 2.0
"""How long a process is busy under a quota, many periods of it [s]."""
CLEARLY: Final = 3.0
"""Times that a guest of exits takes as long as one without, where exits are what it does."""
CREATE_VM, CREATE_VCPU, VCPU_SIZE, RUN = 0xAE01, 0xAE41, 0xAE04, 0xAE80
SET_MEMORY, SET_REGS, GET_SREGS, SET_SREGS = 0x4020AE46, 0x4090AE82, 0x8138AE83, 0x4138AE84
"""Requests of KVM. Source: Linux include/uapi/linux/kvm.h."""


def cycles() -> Iterator[float]:
    """Cycles per second of a busy CPU, by its counter; OSError where the kernel or the hypervisor forbids it."""
    attributes = struct.pack("IIQQQQQ", 0, 112, 0, 0, 0, 0, 1 << 5 | 1 << 6).ljust(112, b"\0")  # cycles, without kernel and hypervisor
    libc = ctypes.CDLL(None, use_errno=True)
    number = PERF.get(platform.machine())
    if number is None:
        raise OSError(f"the counters of {platform.machine()} are not known")
    descriptor = libc.syscall(number, ctypes.c_char_p(attributes), 0, -1, -1, 0)
    if descriptor < 0:
        hidden = ctypes.get_errno() in (errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV)
        raise OSError("no counters are there, as in virtual machines whose hypervisor hides them" if hidden
                      else f"the kernel forbids counters ({os.strerror(ctypes.get_errno())}; kernel.perf_event_paranoid)")
    try:
        for _ in range(5):
            before, start = _counted(descriptor), time.process_time()
            spun(0.1)
            yield (_counted(descriptor) - before) / (time.process_time() - start)
    finally:
        os.close(descriptor)


def _counted(descriptor: int) -> int:
    return int.from_bytes(os.read(descriptor, 8), "little")


def throttled(quota: float, root: Path = Path("/sys/fs/cgroup")) -> Iterator[float]:
    """The share of a CPU that a busy process gets under a quota; OSError where cgroups may not be made."""
    version_2 = (root / "cgroup.controllers").exists()
    group = (root if version_2 else root / "cpu") / f"simvirt-calibrate-{os.getpid()}"
    group.mkdir()
    try:
        if version_2:
            (group / "cpu.max").write_text(f"{round(quota * 100_000)} 100000")
        else:
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text(f"{round(quota * 100_000)}")
        yield share(group / "cgroup.procs")
    finally:
        group.rmdir()


def share(procs: Path | None) -> float:
    """CPU time over time of a child that is in a group, or in none of its own, and busy for some time."""
    read, write = os.pipe()
    child = forked()
    if child == 0:
        try:
            if procs is not None:
                procs.write_text(str(os.getpid()))
            spun(BUSY_S / 5)
            start, used = time.perf_counter(), time.process_time()
            spun(BUSY_S)
            os.write(write, struct.pack("d", (time.process_time() - used) / (time.perf_counter() - start)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    said = os.read(read, 8)
    os.close(read)
    if len(said) < 8:
        raise OSError("a process may not be put into a cgroup")
    return float(struct.unpack("d", said)[0])


def exits() -> Iterator[float]:
    """An exit of a VM for CPUID and back: a guest that does nothing else, less one that does nothing [s]; OSError without KVM."""
    if platform.machine() != "x86_64":
        raise OSError("exits are measured on x86-64 only")
    for _ in range(5):
        often, never = _guest(b"\x0f\xa2"), _guest(b"\x90\x90")
        if often < CLEARLY * never:
            raise OSError("a guest without exits takes about as long: this KVM interprets it")
        yield (often - never) / EXITS


def _guest(instruction: bytes) -> float:
    """The time of a guest in real mode that executes an instruction so often, and halts [s]."""
    code = b"\xbe" + struct.pack("<H", EXITS) + instruction + b"\x4e\x75\xfb\xf4"  # mov si, n; again: ...; dec si; jnz again; hlt
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    opened = [kvm]
    try:
        opened.append(vm := fcntl.ioctl(kvm, CREATE_VM, 0))
        with mmap.mmap(-1, mmap.PAGESIZE) as memory:
            memory[: len(code)] = code
            place = ctypes.c_char.from_buffer(memory)
            fcntl.ioctl(vm, SET_MEMORY, struct.pack("IIQQQ", 0, 0, 0, mmap.PAGESIZE, ctypes.addressof(place)))
            opened.append(vcpu := fcntl.ioctl(vm, CREATE_VCPU, 0))
            _at_zero(vcpu)
            took = timed(lambda: fcntl.ioctl(vcpu, RUN, 0))
            for descriptor in opened[::-1]:
                os.close(descriptor)
            opened = []
            del place
        return took
    finally:
        for descriptor in opened[::-1]:
            os.close(descriptor)


def _at_zero(vcpu: int) -> None:
    """A vCPU that begins at address 0."""
    sregs = bytearray(312)
    fcntl.ioctl(vcpu, GET_SREGS, sregs)
    sregs[0:8] = bytes(8)  # the base of the code segment ...
    sregs[12:14] = bytes(2)  # ... and its selector
    fcntl.ioctl(vcpu, SET_SREGS, bytes(sregs))
    fcntl.ioctl(vcpu, SET_REGS, struct.pack("18Q", *[0] * 16, 0, 2))
