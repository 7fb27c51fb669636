"""Where machine-made files live: compiled kernels and structured reference strings."""

import logging
import os
import stat
import sys
import tempfile
from pathlib import Path

_VARIABLE = "PLASMAPERPS_CACHE"
_NAME = "plasmaperps"
_log = logging.getLogger(__name__)
_warned: set[Path] = set()


def cache_folder(part: str) -> Path:
    """Return the writable folder for `part`, made if absent.

    PLASMAPERPS_CACHE overrides the platform's cache folder. When that cannot be written, a folder
    below the system's temporary one is used, and a warning is logged once.
    """
    folder = preferred_folder() / part
    if _is_writable(folder):
        return folder
    fallback = Path(tempfile.gettempdir()) / f"{_NAME}-{_user()}" / part
    if not (_is_own(fallback.parent) and _is_writable(fallback)):
        fallback = Path(tempfile.mkdtemp(prefix=f"{_NAME}-{part}-"))
    if folder.parent not in _warned:
        _warned.add(folder.parent)
        _log.warning(
            "cache folder %s cannot be written, using %s: set %s to a folder that can",
            folder.parent, fallback, _VARIABLE,
        )  # fmt: skip
    return fallback


def cached_file(part: str, name: str) -> Path:
    """Where a file of the cache is: also in a cache that can be read but not written."""
    kept = preferred_folder() / part / name
    return kept if kept.is_file() else cache_folder(part) / name


def preferred_folder() -> Path:
    """The cache folder by environment and platform, whether it can be written or not."""
    override = os.environ.get(_VARIABLE)
    if override:
        return Path(override)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / _NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _NAME
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / _NAME


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A probe file, because access bits say nothing about read-only mounts.
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _is_own(folder: Path) -> bool:
    """Make the folder ours alone, or see that it is: compiled kernels in it are run as code."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):
        return True
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o22
