"""A real PostgreSQL server for tests: Debian's, in a temporary folder, heard by nobody else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

LOCKED_OUT = "maria"
"""A user who needs a password, if somebody makes her."""


def programs() -> Path | None:
    """Return where PostgreSQL's programs are; Debian keeps them beside the path."""
    found = shutil.which("initdb")
    places = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    return next((place for place in places if (place / "initdb").exists()), None)


def has_postgres() -> bool:
    """Tell whether a server can be started here; it refuses to run as root."""
    if os.name != "posix" or programs() is None:
        return False
    if os.geteuid() != 0:
        return True
    known = subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode == 0
    return known and shutil.which("runuser") is not None


@dataclass(slots=True)
class Server:
    """One server."""

    data: Path
    socket: Path
    """The folder with its socket and its log."""

    options: tuple[str, ...] = ()
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def first(self) -> Path:
        """Its data before its first start."""
        return self.socket / "first"

    def address(self) -> str:
        """Return the address of its database; everybody who reaches the socket may enter."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket), safe='')}"

    def database(self) -> str:
        """Return the address of an empty database: a schema, which is made faster than a database."""
        import psycopg

        name = f"hub{next(self._numbers)}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.address()}&options=-csearch_path%3D{name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["listen_addresses=", f"unix_socket_directories={self.socket}", *self.options]
        said = " ".join(f"-c {option}" for option in options)
        log = str(self.socket / "log")
        _as_postgres("pg_ctl", "-D", str(self.data), "-w", "-s", "-l", log, "-o", said, "start")

    def stop(self) -> None:
        """Stop it without tidying up."""
        _as_postgres("pg_ctl", "-D", str(self.data), "-w", "-s", "-m", "immediate", "stop", check=False)

    def answers(self) -> bool:
        """Tell whether it lets anybody in."""
        import psycopg

        try:
            psycopg.connect(self.address(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def process(self) -> int:
        """Return the number of its first process."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def server(*options: str, like: Server | None = None, disk: Path | None = None) -> Iterator[Server]:
    """Make, start and end a server: a new one, or one `like` another was at its start; its data may be on a `disk`.

    The folder's name is short, because the name of a socket must be.
    """
    with TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        made = Server((disk or Path(name)) / "data", Path(name), options)
        for folder in {made.socket, made.data.parent}:
            _give_away(folder)
        if like is None:
            more = ("-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
            _as_postgres("initdb", "-D", str(made.first), *more)
            doors = made.first / "pg_hba.conf"
            doors.write_text(f"local all {LOCKED_OUT} scram-sha-256\n{doors.read_text()}")
        _copy(like.first if like else made.first, made.data)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")


def _as_postgres(program: str, *arguments: str, check: bool = True) -> None:
    found = programs()
    assert found is not None
    command = [str(found / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # Its words go to its log: a pipe would stay open as long as the server runs.
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=check, cwd="/", **quiet)  # type: ignore[call-overload]
