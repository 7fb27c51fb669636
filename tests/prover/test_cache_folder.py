"""Where machine-made files go, and where when that place cannot be written."""

import logging
import stat
import tempfile
from pathlib import Path

import pytest

from prover.cache_folder import cache_folder, cached_file


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_variable_overrides_the_platform(tmp_path, monkeypatch):
    monkeypatch.setenv("PLASMAPERPS_CACHE", str(tmp_path / "mine"))
    assert cache_folder("srs") == tmp_path / "mine" / "srs"
    assert (tmp_path / "mine" / "srs").is_dir()


def test_the_platform_folder_is_the_default(tmp_path, monkeypatch):
    monkeypatch.delenv("PLASMAPERPS_CACHE", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder("srs") == tmp_path / "cache" / "plasmaperps" / "srs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache_folder("srs") == tmp_path / "home" / ".cache" / "plasmaperps" / "srs"


def test_an_unwritable_folder_falls_back_with_one_message(tmp_path, monkeypatch, caplog):
    # A file where the folder should be: unwritable for every user, root included.
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("PLASMAPERPS_CACHE", str(tmp_path / "taken"))
    with caplog.at_level(logging.WARNING):
        folder = cache_folder("srs")
        assert cache_folder("kernels").parent == folder.parent
    assert folder.is_dir()
    assert folder.parent.parent == tmp_path
    (record,) = caplog.records
    assert record.getMessage() == (
        f"cache folder {tmp_path / 'taken'} cannot be written, using {folder}: "
        "set PLASMAPERPS_CACHE to a folder that can"
    )
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    for name in ("srs", "kernels"):
        (folder.parent / name).rmdir()
    folder.parent.rmdir()
    folder.parent.write_text("")
    assert cache_folder("srs").is_dir()


def test_a_fallback_that_others_may_write_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("PLASMAPERPS_CACHE", str(tmp_path / "taken"))
    shared = cache_folder("kernels").parent
    shared.chmod(0o777)
    assert cache_folder("kernels").parent != shared


def test_a_file_is_found_in_a_cache_that_can_only_be_read(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    (cache / "srs").mkdir(parents=True)
    (cache / "srs" / "kept").write_text("")
    monkeypatch.setenv("PLASMAPERPS_CACHE", str(cache))
    monkeypatch.setattr("prover.cache_folder._is_writable", lambda folder: cache != folder.parent)
    assert cached_file("srs", "kept") == cache / "srs" / "kept"
    assert cached_file("srs", "other").parent != cache / "srs"
