"""What the screen tests share: a device where Rosa has been before, and her app."""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeServices, learning
from tui.app import AmautaApp


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test: pilots press keys in the loop of their app."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.fixture(autouse=True)
def colourful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own terminal does not reach a test."""
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def rosa(home: Path) -> Iterator[FakeServices]:
    """Services of a device where Rosa learns in Spanish."""
    services = learning(home)
    yield services
    services.close()


@pytest.fixture
def app(rosa: FakeServices) -> AmautaApp:
    """Her app, in full colour."""
    return AmautaApp(rosa, colours="full")
