"""Results on disk: whole files, or none."""

import os
import stat

import pytest

from simvirt.errors import UsageError
from simvirt.report import store


def test_store_writes_whole_files_with_ordinary_rights(tmp_path):
    folder = store.folder_of(tmp_path / "results", "a shop/../x", "0123456789abcdef")
    assert folder.name == "a-shop-..-x-01234567"
    with store.prepared(folder):
        store.save(folder, {"result.json": "{}\n"})
    assert [f.name for f in folder.iterdir()] == ["result.json"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((folder / "result.json").stat().st_mode) == 0o666 & ~umask


def test_store_leaves_no_empty_folder_behind_and_keeps_what_was_there(tmp_path):
    with pytest.raises(KeyboardInterrupt), store.prepared(tmp_path / "results" / "x-1"):
        raise KeyboardInterrupt
    assert not (tmp_path / "results").exists()
    (tmp_path / "results").mkdir()
    with store.prepared(tmp_path / "results" / "x-1"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "results"]


def test_store_keeps_the_old_file_when_writing_fails(tmp_path, monkeypatch):
    store.save(tmp_path, {"result.json": "old"})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        store.save(tmp_path, {"result.json": "new"})
    assert (tmp_path / "result.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_store_says_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write results here: .*--out"), store.prepared(tmp_path / "file" / "x-1"):
        pass
