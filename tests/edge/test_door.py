"""The door of the shared engine: who comes is heard, too many are not, and when it has closed nobody is left inside."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress

import pytest

from edge.shared import wire
from edge.shared.door import open_door


def echo(session: socket.socket) -> None:
    while said := session.recv(100):
        session.sendall(said)


def knock(port: int) -> socket.socket:
    return socket.create_connection((wire.HOST, port), 10)


def test_who_knocks_is_heard_and_who_comes_when_it_is_full_is_not() -> None:
    with open_door(echo, 1) as port, knock(port) as first:
        first.sendall(b"hola")
        assert first.recv(100) == b"hola"
        with knock(port) as second:
            assert second.recv(100) == b""
        first.sendall(b"otra vez")
        assert first.recv(100) == b"otra vez"


def test_when_it_has_closed_everybody_inside_is_cut_off_and_no_thread_works_on() -> None:
    before, came, ended = threading.active_count(), queue.SimpleQueue[str](), list[str]()

    def talk(session: socket.socket) -> None:
        try:
            came.put(session.recv(100).decode())
            session.recv(100)
        finally:
            ended.append("talk")

    with open_door(talk, 8) as port:
        guests = [knock(port) for _ in range(3)]
        for guest in guests:
            guest.sendall(b"hola")
            assert came.get(timeout=10) == "hola"
    assert ended == ["talk"] * 3
    assert threading.active_count() == before
    for guest in guests:
        with guest:
            assert guest.recv(100) == b""
    with pytest.raises(OSError):
        knock(port).close()


def test_a_talk_that_breaks_off_ends_that_talk_only() -> None:
    def talk(session: socket.socket) -> None:
        if session.recv(100) == b"bad":
            raise ConnectionResetError
        session.sendall(b"yes")

    def answer(said: bytes) -> bytes:
        with knock(port) as session, suppress(ConnectionError):  # as the system tells who is not let in
            session.sendall(said)
            return session.recv(100)
        return b""

    with open_door(talk, 1) as port:
        assert answer(b"bad") == b""
        until = time.monotonic() + 10
        while answer(b"good") != b"yes":
            assert time.monotonic() < until, "its place is never free again"
