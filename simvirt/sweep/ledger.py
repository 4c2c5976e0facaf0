"""The ledger of a sweep: one SQLite file that keeps each cell in a transaction of its own, so that nothing that was kept is ever lost.

*Model*: one writer, the coordinator. A rollback journal that is synced (`DELETE`, `FULL`): the file is whole after a kill at any instant
    and may be copied on its own. The file stays locked while its sweep runs, by SQLite's own lock, which ends with the process.
*Ignores*: disks that say they have written what they have not.
*Source*: SQLite, "Atomic Commit In SQLite" and "PRAGMA synchronous".
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from simvirt.errors import SimulationError, UsageError

APPLICATION: Final = 0x73_76_73_77  # "svsw"
FORM: Final = 2
Status = Literal["done", "failed"]
TABLES: Final = (
    "CREATE TABLE sweep (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE cells (number INTEGER PRIMARY KEY, status TEXT NOT NULL, content BLOB NOT NULL, rows BLOB NOT NULL, "
    "checksum INTEGER NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a ledger keeps of a cell, packed: the result as JSON and the rows that are made of it, or in words why there is none.

    `wall_s` is how long a cell took that has just ended [s]; it is not kept.
    """

    number: int
    status: Status
    content: bytes
    rows: bytes = b""
    wall_s: float = 0.0

    @property
    def checksum(self) -> int:
        """What tells whether anything of it has changed."""
        return zlib.crc32(self.rows, zlib.crc32(self.content))


class Ledger:
    """An open ledger; UsageError where the file is none, belongs to another sweep, or is in use."""

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5)
            self._prepare(identity)
        except sqlite3.DatabaseError as error:
            raise UsageError(_refused(path, error)) from None

    def _prepare(self, identity: Mapping[str, str]) -> None:
        """Takes the lock; makes the tables of a new file, checks those of an old one."""
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=DELETE", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._db.execute("BEGIN EXCLUSIVE")
        if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in (*TABLES, f"PRAGMA application_id={APPLICATION}", f"PRAGMA user_version={FORM}"):
                self._db.execute(statement)
            self._db.executemany("INSERT INTO sweep VALUES (?, ?)", sorted(identity.items()))
        self._db.execute("COMMIT")
        if self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise UsageError(f"{self.path}: not the ledger of a sweep; name another folder with --out")
        self._compare(identity)

    def _compare(self, identity: Mapping[str, str]) -> None:
        """UsageError where results of this program could not stand beside those that are there."""
        there = dict(self._db.execute("SELECT name, value FROM sweep"))
        for name, value in identity.items():
            if there.get(name) != value:
                raise UsageError(
                    f"{self.path}: it was begun with another {name} ({there.get(name)}; now {value}); "
                    "begin anew with --fresh, or name another folder with --out"
                )

    def statuses(self) -> dict[int, Status]:
        """The cells that are kept."""
        return dict(self._db.execute("SELECT number, status FROM cells ORDER BY number"))

    def keep(self, kept: Kept) -> None:
        """Keeps a cell for good; SimulationError where the disk takes no more."""
        row = (kept.number, kept.status, kept.content, kept.rows, kept.checksum)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?)", row)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise SimulationError(f"{self.path}: cannot be written: {error}; cells kept so far are safe: go on with --resume") from None

    def forget(self, status: Status) -> None:
        """Takes out cells that ended so."""
        self._db.execute("DELETE FROM cells WHERE status = ?", (status,))

    def cells(self) -> Iterator[Kept]:
        """What is kept, in the order of cells; SimulationError where a cell is not what was written."""
        for number, status, content, rows, checksum in self._db.execute("SELECT * FROM cells ORDER BY number"):
            kept = Kept(number, status, content, rows)
            if kept.checksum != checksum:
                raise SimulationError(f"{self.path}: cell {number} is damaged; take it out with --fresh")
            yield kept

    def close(self) -> None:
        """Gives up the file and its lock."""
        self._db.close()


@contextmanager
def opened(path: Path, identity: Mapping[str, str]) -> Iterator[Ledger]:
    """A ledger for the length of a block."""
    with closing(Ledger(path, identity)) as ledger:
        yield ledger


def identity_of(digest: str, version: str, kernel: str) -> dict[str, str]:
    """What all cells of a ledger have in common."""
    return {"sweep": digest, "version": version, "kernel": kernel}


def packed(what: Any) -> bytes:
    """What JSON can say, as a ledger keeps it."""
    return zlib.compress(json.dumps(what, separators=(",", ":"), ensure_ascii=False).encode(), 6)


def unpacked(content: bytes) -> Any:
    """What was packed."""
    return json.loads(zlib.decompress(content))


def _refused(path: Path, error: sqlite3.DatabaseError) -> str:
    """Why a file cannot be used."""
    if "locked" in str(error):
        return f"{path}: another sweep is writing here; wait for it, or name another folder with --out"
    return f"{path}: cannot be used: {error}; begin anew with --fresh, or name another folder with --out"
