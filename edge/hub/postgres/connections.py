"""Connections to the PostgreSQL server: opened, checked at the first time, kept while a server runs.

The tables are made by whoever opens the database first; others wait.
"""

from __future__ import annotations

from contextlib import suppress
from threading import BoundedSemaphore, Lock

import psycopg
from psycopg.pq import TransactionStatus

from edge.hub import schema
from edge.hub.errors import HubError
from edge.hub.postgres.address import shown
from edge.hub.postgres.errors import plain_errors
from edge.hub.postgres.partitions import Partition

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
MAKING = 0x616D61757461
"""The advisory lock of whoever makes tables or partitions."""

Connection = psycopg.Connection[tuple[object, ...]]


class Connections:
    """Gives connections to one database and takes them back; may be used by several threads."""

    def __init__(self, address: str, hub: str, *, most: int = 1) -> None:
        self.address, self._hub = address, hub
        self._free: list[Connection] = []
        self._lock, self._turns = Lock(), BoundedSemaphore(most)
        self._ready = False
        self.made: set[Partition] = set()
        """Partitions that are known to be there."""

    def take(self) -> Connection:
        """Return a connection whose server answers."""
        if not self._turns.acquire(timeout=BUSY_SECONDS):
            raise HubError("hub-busy", path=shown(self.address))
        try:
            return self._kept() or self._new()
        except BaseException:
            self._turns.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next, unless something is wrong with it."""
        whole = not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE
        with self._lock:
            if whole and self._ready:
                self._free.append(connection)
            else:
                connection.close()
        self._turns.release()

    def close(self) -> None:
        """Close what nobody uses now; what is in use closes when it is given back."""
        with self._lock:
            self._ready = False
            while self._free:
                self._free.pop().close()

    def open(self) -> Connection:
        """Return a new connection that whoever asked closes."""
        with plain_errors(self.address):
            connection = psycopg.connect(
                self.address,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                client_encoding="utf8",
                application_name="amauta",
            )
            try:
                connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'".encode())
                # Never weaker than what an acknowledgement promises, whatever the server's default is.
                connection.execute(
                    b"SELECT set_config('synchronous_commit', 'on', false) "
                    b"WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
                )
            except BaseException:
                connection.close()
                raise
            return connection

    def check(self) -> None:
        """See that a hub may be made here: the server answers, and tables may be made or are this hub's."""
        connection = self.open()
        try:
            with plain_errors(self.address):
                if found := _about(connection):
                    self._judge(*found)
                sql = b"SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
                if not connection.execute(sql).fetchall()[0][0]:
                    raise HubError("database-rights", path=shown(self.address), reason="CREATE")
                self._judge_encoding(connection)
        finally:
            connection.close()

    def _kept(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._free:
                    return None
                connection = self._free.pop()
            # The server may have been started anew meanwhile.
            with suppress(psycopg.Error):
                connection.execute(b"SELECT 1")
                return connection
            connection.close()

    def _new(self) -> Connection:
        connection = self.open()
        try:
            if not self._ready:
                with plain_errors(self.address):
                    self._prepare(connection)
                self._ready = True
            return connection
        except BaseException:
            connection.close()
            raise

    def _prepare(self, connection: Connection) -> None:
        """Make the tables, or bring them up to date, if nobody did; see that they are this hub's and not newer than we are."""
        if (found := _about(connection)) and found[0] == schema.VERSION:
            self._judge(*found)
            return
        self._judge_encoding(connection)
        with connection.transaction():
            connection.execute(b"SELECT pg_advisory_xact_lock(%s)", [MAKING])
            if found := _about(connection):
                self._judge(*found)
                if found[0] < schema.VERSION:
                    connection.execute(schema.postgres_changes(found[0]).encode())
                    connection.execute(b"UPDATE amauta SET version = %s", [schema.VERSION])
                return
            connection.execute(schema.postgres_tables().encode())
            connection.execute(b"INSERT INTO amauta (version, hub) VALUES (%s, %s)", [schema.VERSION, self._hub])

    def _judge_encoding(self, connection: Connection) -> None:
        encoding = connection.execute(b"SHOW server_encoding").fetchall()[0][0]
        if encoding != "UTF8":
            raise HubError("database-encoding", path=shown(self.address), encoding=str(encoding))

    def _judge(self, version: int, hub: str) -> None:
        if version > schema.VERSION:
            raise HubError("hub-newer", path=shown(self.address))
        if hub != self._hub:
            raise HubError("database-other-hub", path=shown(self.address), hub=hub)


def _about(connection: Connection) -> tuple[int, str] | None:
    """Return version and hub of the tables, if there are any."""
    if not is_there(connection, "amauta"):
        return None
    version, hub = connection.execute(b"SELECT version, hub FROM amauta").fetchall()[0]
    return int(str(version)), str(hub)


def is_there(connection: Connection, table: str) -> bool:
    """Tell whether a table was made, also by somebody else a moment ago: `to_regclass` may remember that it was not."""
    sql = b"SELECT 1 FROM pg_class WHERE relname = %s AND pg_table_is_visible(oid)"
    return bool(connection.execute(sql, [table]).fetchall())
