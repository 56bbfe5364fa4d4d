"""What every test shares: a home of its own, and none of the developer's settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from edge.settings import Settings
from postgres import Server, has_postgres, server

ROOT = Path(__file__).parent.parent

# How long an example takes says how busy the machine is, not whether the code is right.
examples.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Amauta folder; no other AMAUTA_* variable reaches a test."""
    for name in list(os.environ):
        if name.startswith("AMAUTA_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("AMAUTA_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for all tests that survive nothing: it does not wait for the disk."""
    if not has_postgres():
        pytest.skip("needs PostgreSQL (apt install postgresql)")
    with server("fsync=off", "max_connections=60", "shared_buffers=32MB") as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def hub_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Gives the address of an empty database for a hub, as `create` and `Hub.made` take it; a test runs on both kinds."""
    if request.param == "sqlite":
        return str
    found: Server = request.getfixturevalue("postgres")
    return found.database


@pytest.fixture
def settings(home: Path) -> Settings:
    """The settings of that home, in Spanish."""
    return Settings(home, lang="es")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens were given to the model, reading by reading."""
    from edge.llama.reading import Reading

    counts: list[int] = []
    plain = Reading.read

    def read(self: Reading, tokens: list[int], *args: object, **named: object) -> bool:
        counts.append(len(tokens))
        return plain(self, tokens, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Reading, "read", read)
    return counts


@pytest.fixture(scope="session")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the index of the embedded packs, built once for all tests."""
    return tmp_path_factory.mktemp("index")
