"""The server does what its description says, whatever is asked of it: no answer is a failure of the server."""

from __future__ import annotations

import json
import random
from pathlib import Path
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from starlette.testclient import TestClient

from edge.hub.serve.app import build
from edge.hub.serve.openapi import description
from edge.sync.ledger import Ledger
from edge.sync.wire.authorization import authorizer
from served import TOKEN, District, enter

ROOT = Path(__file__).resolve().parents[2]
ODD = (
    "",
    "x",
    "0",
    "-1",
    "9" * 40,
    "ñ",
    "\x00",
    "../..",
    "2026-13",
    "2026-02-31",
    "%s",
    "'; DROP TABLE audit; --",
    "<b>",
)

schema = schemathesis.openapi.from_dict(description())


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    return District.made(tmp_path_factory.mktemp("district"))


def test_the_description_that_is_published_is_the_one_that_is_served() -> None:
    assert json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")) == description()


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_asked_of_the_devices_way_makes_the_server_fail(case: schemathesis.Case, district: District) -> None:
    app = build(district.site)
    # Another minute: the limits of the one before would answer instead of the server.
    district.clock.turn(minutes=2)
    case.call_and_validate(app=app, base_url="http://hub", checks=[not_a_server_error])
    with Ledger(district.device.path) as ledger:
        header = authorizer(district.device.papers(ledger))(case.method, unquote(case.formatted_path))
    case.call_and_validate(
        app=app, base_url="http://hub", headers={"Authorization": header}, checks=[not_a_server_error]
    )


def test_nothing_asked_of_a_page_makes_the_server_fail(district: District) -> None:
    client = TestClient(build(district.site), raise_server_exceptions=False, follow_redirects=False)
    assert enter(client, "Maria", TOKEN).status_code == 303
    chance, seen = random.Random(2), set()
    for route in build(district.site).routes:
        path = route.path.replace("{version:int}", "2").replace("{rest:path}", "x")  # type: ignore[attr-defined]
        for _ in range(4):
            filled = "/".join(
                chance.choice(("x", "..", "ñ", "0" * 300)) if "{" in part else part for part in path.split("/")
            )
            query = {name: chance.choice(ODD) for name in ("from", "to", "school", "what", "page", "next", "lang")}
            answer = client.get(filled, params=query)
            seen.add(answer.status_code)
            assert answer.status_code < 500, (filled, query, answer.text[:200])
    assert 200 in seen
