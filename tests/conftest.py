"""What every test shares: a home of its own, and none of the developer's settings."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from edge.library.folder import CLINIC, EMBEDDED
from edge.locks import hold
from edge.settings import Settings
from postgres import Server, has_postgres, server

ROOT = Path(__file__).parent.parent

# How long an example takes says how busy the machine is, not whether the code is right.
examples.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files with long tests come first, so that at the end no worker is alone with one of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        long = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -long[item.path])


@pytest.fixture(scope="session", autouse=True)
def index_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The index of the packs that ship takes seconds to make: a run makes it once, whoever needs one gets a copy."""
    from edge.library import index
    from edge.library.meaning import Meaning

    own, build = tmp_path_factory.getbasetemp(), index.build
    shelf = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own  # one for all workers

    def copy(folders: Iterable[Path], path: Path, meaning: Meaning) -> None:
        folders, kept = list(folders), shelf / path.name
        if not all(folder.parent in (EMBEDDED, CLINIC) for folder in folders):
            build(folders, path, meaning)
            return
        with kept.with_suffix(".lock").open("wb") as lock:
            hold(lock.fileno())
            if not kept.exists():
                build(folders, kept, meaning)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, fresh := path.with_suffix(f".{os.getpid()}"))
        fresh.replace(path)

    index.build = copy
    yield
    index.build = build


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
    """A folder with the index of the embedded packs; a home whose `index` is a link to it has it from the start."""
    from edge.library.library import Library

    folder = tmp_path_factory.mktemp("index")
    Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], folder).close()
    return folder
