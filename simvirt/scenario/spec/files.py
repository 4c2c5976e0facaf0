"""Operations on files: how many of each, on what paths, and how far caches have the answers."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from simvirt.scenario.fields import Bytes, Number, PositiveBytes, Ratio, Whole
from simvirt.scenario.spec.base import Spec, refuse

MOST_OPERATIONS: Final = 1000
Count = Annotated[float, Number(0, MOST_OPERATIONS, 2)]


class FilesSpec(Spec):
    """Operations on files, by name, and where the files lie."""

    example = "{open: 1, fstat: 1, read: 1, close: 1, size: 4KiB}"
    stat: Count = Field(default=0.0, description="files whose attributes are asked for, by path", examples=["2"])
    fstat: Count = Field(default=0.0, description="open files whose attributes are asked for", examples=["1"])
    open: Count = Field(default=0.0, description="files opened, by path", examples=["1"])
    read: Count = Field(default=0.0, description="reads of open files", examples=["1"])
    write: Count = Field(default=0.0, description="writes to open files, left to the page cache", examples=["1"])
    close: Count = Field(default=0.0, description="files closed", examples=["1"])
    create: Count = Field(default=0.0, description="files made and opened", examples=["1"])
    rename: Count = Field(default=0.0, description="files renamed", examples=["1"])
    unlink: Count = Field(default=0.0, description="files removed", examples=["1"])
    readdir: Count = Field(default=0.0, description="directories opened, listed and closed", examples=["1"])
    mmap: Count = Field(default=0.0, description="files mapped, touched and unmapped", examples=["1"])
    fsync: Count = Field(default=0.0, description="files made durable", examples=["1"])
    size: PositiveBytes = Field(default=4096, description="bytes of each read, write or mapping", examples=["16KiB"])
    depth: Annotated[int, Whole(1, 100, 3)] = Field(default=3, description="components of a path, all of them resolved", examples=["5"])
    layer: Annotated[int, Whole(1, 127, 4)] = Field(
        default=4, description="layer of an image in which the files lie, counted from the top; of union file systems", examples=["8"])
    copy_up: Bytes = Field(
        default=0, description="size of a file of a lower layer that is opened for its first write; union file systems copy it first",
        examples=["64KiB"])
    hit: Ratio = Field(default=1.0, description="ratio of the files that are in memory where their disk is", examples=["0.98"])
    cached: Ratio | None = Field(
        default=None, examples=["0.9"],
        description="ratio of the files that the kernel of the application has in its caches; as `hit` by default, and no more")
    place: Literal["disk", "tmpfs"] = Field(
        default="disk", description="where the files lie: on the platform's disk path, or in memory (tmpfs)", examples=["tmpfs"])

    @model_validator(mode="after")
    def _consistent(self) -> FilesSpec:
        if not any(getattr(self, name) for name in OPERATIONS) and not self.copy_up:
            refuse(f"expected an operation on files, for example {self.example}")
        if self.cached is not None and self.cached > self.hit:
            refuse("what is in the caches of the application's kernel is in memory; expected at most hit", "cached")
        return self

    @property
    def known(self) -> float:
        """Ratio of the files that the caches of the application's kernel have."""
        return self.hit if self.cached is None else self.cached

    @property
    def counts(self) -> dict[str, float]:
        """How often each operation happens that does."""
        return {name: count for name in OPERATIONS if (count := getattr(self, name)) > 0}

    @property
    def moves(self) -> float:
        """Reads, writes and mappings, of `size` bytes each."""
        return self.read + self.write + self.mmap

    @property
    def touched(self) -> float:
        """Files that are found by their paths; operations of one step are on the same files."""
        return max((count for name, count in self.counts.items() if name in ("stat", "open", "unlink", "rename", "readdir")), default=0.0)


OPERATIONS: Final = ("stat", "fstat", "open", "read", "write", "close", "create", "rename", "unlink", "readdir", "mmap", "fsync")
"""What a step may do with files."""
