"""Where machine-made files live: compiled kernels and structured reference strings."""

import logging
import os
import sys
import tempfile
from pathlib import Path

_VARIABLE = "PLASMAPERPS_CACHE"
_NAME = "plasmaperps"
_log = logging.getLogger(__name__)


def cache_folder(part: str) -> Path:
    """Return the writable folder for `part`, made if absent.

    PLASMAPERPS_CACHE overrides the platform's cache folder. When neither can be written, a folder
    below the system's temporary one is used and a warning is logged.
    """
    for base in (_preferred(), Path(tempfile.gettempdir()) / f"{_NAME}-{_user()}"):
        folder = base / part
        if _is_writable(folder):
            return folder
        _log.warning("cache folder %s cannot be written, trying another", folder)
    return Path(tempfile.mkdtemp(prefix=f"{_NAME}-{part}-"))


def _preferred() -> Path:
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
