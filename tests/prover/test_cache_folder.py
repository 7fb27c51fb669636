"""Where machine-made files go, and where when that place cannot be written."""

import logging
import tempfile
from pathlib import Path

import pytest

from prover.cache_folder import cache_folder


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


def test_an_unwritable_folder_falls_back_with_a_message(tmp_path, monkeypatch, caplog):
    # A file where the folder should be: unwritable for every user, root included.
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("PLASMAPERPS_CACHE", str(tmp_path / "taken"))
    with caplog.at_level(logging.WARNING):
        folder = cache_folder("srs")
    assert folder.is_dir()
    assert folder.parent.parent == tmp_path
    assert f"cache folder {tmp_path / 'taken' / 'srs'} cannot be written" in caplog.text
    for each in tmp_path.glob("plasmaperps-*"):
        (each / "srs").rmdir()
        each.rmdir()
        each.write_text("")
    assert cache_folder("srs").is_dir()
