"""The hub's pages: who sees what, and how they look and work in a real browser."""

from __future__ import annotations

import io
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from openpyxl import load_workbook

from district import ITEM, NOW, ODD, SCHOOLS, made
from edge.hub.database import open_database
from edge.hub.pages import view
from edge.hub.place import Place, load
from edge.hub.reports.build import NAMES
from edge.hub.reports.memory import MOST, Memory
from edge.hub.reports.sums import catch_up
from edge.hub.serve import people, sessions
from edge.hub.serve.app import build
from edge.hub.serve.site import Site
from edge.sync.facts import Answer, Stream

TODAY = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOKEN = "abcd-efgh"
OWN = "escuela-24"
OTHERS = [*(set(SCHOOLS) - {OWN}), "sin-noticias"]
PAGES = ["/", "/lessons", "/mistakes", "/devices", "/versions", "/deliveries", "/downloads"]
LESSONS = ["exercise/add-1", "exercise/add-2", ITEM, ODD, "=HYPERLINK(1)", "", "nada"]
FILES = [f"/downloads/{name}.{kind}" for name in NAMES for kind in ("csv", "xlsx")] + ["/downloads/all.xlsx"]
EVERYTHING = [
    *PAGES,
    *(f"/schools/{code}" for code in (OWN, *OTHERS, "nada", "..%2f")),
    *(f"/lesson?id={quote(lesson)}" for lesson in LESSONS),
    *FILES,
    "/downloads/nada.csv",
    "/downloads/schools.pdf",
]


@dataclass(frozen=True)
class Served:
    place: Place
    base: str

    def client(self, person: str) -> httpx.Client:
        return httpx.Client(base_url=self.base, cookies={"amauta_session": person * 32, "lang": "es"})


@contextmanager
def serving(place: Place) -> Iterator[Served]:
    site = Site(place, "es", now=lambda: TODAY)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(site), log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Served(place, f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = made(tmp_path_factory.mktemp("pages") / "hub")
    with open_database(place) as database:
        people.add(database, "maria", "district", "", TOKEN, NOW)
        people.add(database, "rosa", "school", OWN, TOKEN, NOW)
        with database.step():
            for number, name in enumerate(("maria", "rosa"), start=1):
                sessions.begin(database, number, name[:2] * 32, TODAY)
    with serving(place) as found:
        yield found


def plain_text(answer: httpx.Response) -> str:
    if "spreadsheet" not in answer.headers.get("content-type", ""):
        return answer.text
    book = load_workbook(io.BytesIO(answer.content))
    return "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)


def test_without_a_login_no_page_answers(served: Served) -> None:
    with httpx.Client(base_url=served.base, timeout=60) as client:
        for path in (*EVERYTHING, "/language/pt", "/style.css", "/icon.svg"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"][:7]) == (303, "/login?"), path


def test_the_district_sees_every_page_and_file(served: Served) -> None:
    with served.client("ma") as client:
        missing = {path for path in EVERYTHING if client.get(path).status_code != 200}
        strange = {f"/lesson?id={quote(lesson)}" for lesson in ("=HYPERLINK(1)", "", "nada")}
        assert missing == strange | {"/schools/nada", "/schools/..%2f", "/downloads/nada.csv", "/downloads/schools.pdf"}
        assert all(code in client.get("/").text for code in SCHOOLS)
        assert "Escuelas pequeñas, juntas" in client.get("/lesson?id=exercise/add-2").text
        assert load_workbook(io.BytesIO(client.get("/downloads/all.xlsx").content))["Escuelas"]["B2"].value == 444


def test_somebody_of_a_school_sees_that_school_and_of_others_not_even_whether_they_exist(served: Served) -> None:
    devices = [f"{number:x}" * 16 for number in (1, 2, 3)]
    with served.client("ro") as client:
        answers = {path: client.get(path) for path in EVERYTHING}
        for path, answer in answers.items():
            text = plain_text(answer)
            assert not [word for word in (*OTHERS, *devices, "juntas", ODD) if word in text], path
        hidden = [f"/schools/{code}" for code in (*OTHERS, "nada")]
        hidden += [f"/lesson?id={quote(lesson)}" for lesson in (ODD, "=HYPERLINK(1)", "nada")]
        assert {answers[path].status_code for path in hidden} == {404}
        assert len({answers[path].text for path in hidden}) == 1
        assert answers["/downloads/refused.csv"].status_code == 403
        assert "Eso es solo para el distrito." in answers["/downloads/refused.xlsx"].text
        for path in (*PAGES, f"/schools/{OWN}", "/lesson?id=exercise/add-1", "/downloads/details.csv"):
            assert answers[path].status_code == 200, path
        assert OWN in answers["/"].text
        assert "rechazados" not in answers["/deliveries"].text
        # What was worked out for the district is not what the school gets.
        with served.client("ma") as officer:
            assert ";20;2;exercise/add-2;" in officer.get("/downloads/mistakes.csv").text
        assert ";10;exercise/add-2;" in client.get("/downloads/mistakes.csv").text
        # What an address asks for beyond its path changes nothing.
        for more in ("school=san-martin", "code=san-martin", "role=district"):
            assert "san-martin" not in client.get(f"/downloads/details.csv?{more}").text


def test_whatever_devices_call_things_is_text(served: Served) -> None:
    with served.client("ma") as client:
        text = client.get("/lessons").text
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "<script" not in client.get(f"/lesson?id={quote(ODD)}").text
        assert "style=" not in text
        assert client.get("/").headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")


def test_months_are_kept_from_page_to_page_and_what_is_no_month_is_said(served: Served) -> None:
    with served.client("ma") as client:
        text = client.get("/?from=2026-03&to=2026-03").text
        assert 'href="/lessons?from=2026-03&amp;to=2026-03"' in text
        assert "2026-04</th>" not in text
        assert "2026-03</th>" in text
        answer = client.get("/lessons?from=%22%3E%3Cb%3E")
        assert answer.status_code == 400
        assert "«&#34;&gt;&lt;b&gt;» no es una fecha." in answer.text
        assert client.get("/downloads/months.csv?from=2026-05&to=2026-06").text.count("\r\n") == 3


def test_the_language_is_chosen_and_stays(served: Served) -> None:
    with served.client("ma") as client:
        for lang, word in (("pt", "Resumo"), ("en", "Overview"), ("xx", "Overview"), ("es", "Resumen")):
            client.get(f"/language/{lang}")
            text = client.get("/").text
            assert f"<h1>{word}</h1>" in text
        assert '<html lang="es">' in text


def test_a_delivery_is_on_the_page_at_once(served: Served, tmp_path: Path) -> None:
    place = load(shutil.copytree(served.place.folder, tmp_path / "hub"))
    rows = tuple(Answer(n, n, "exercise/add-1", "exercise/add-1/1+1", "2", 1, 0, 9, 1793700000) for n in range(1, 6))
    stream = Stream("f" * 16, rows)
    with serving(place) as other, other.client("ma") as client, open_database(place) as database:
        assert ">444<" in client.get("/").text
        assert ">444<" in client.get("/").text
        with database.step([stream]):
            database.add(stream, database.stream(stream.device, database.school(OWN)))
            database.execute("INSERT INTO bundles (digest, device, facts, at) VALUES ('new', ?, 5, ?)", ["0" * 16, NOW])
        assert ">449<" in client.get("/").text


def test_a_page_does_not_wait_long_for_what_is_added_up_and_says_what_is_left(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = load(shutil.copytree(served.place.folder, tmp_path / "hub"))
    monkeypatch.setattr(view, "PATIENCE_S", 0.0)
    with serving(place) as other, other.client("ma") as client, open_database(place) as database:
        with database.step():
            database.execute("INSERT INTO stale (school, month) SELECT id, 24318 FROM schools WHERE id < 4")
        assert "escuelas que faltan: 3" in client.get("/lessons").text
        assert "Sumas 2" in client.get("/lessons").text
        catch_up(database)
        assert "que faltan" not in client.get("/lessons").text


def test_what_was_worked_out_is_kept_until_the_sums_change(tmp_path: Path) -> None:
    memory, calls = Memory(), []

    def work() -> int:
        calls.append(1)
        return len(calls)

    with open_database(made(tmp_path / "hub")) as database:
        assert [memory.get(database, "a", work), memory.get(database, "a", work), memory.get(database, "b", work)] == [
            1,
            1,
            2,
        ]
        catch_up(database)
        assert memory.get(database, "a", work) == 3
        for number in range(MOST):
            memory.get(database, number, work)
        assert memory.get(database, "a", work) == 4 + MOST


# In a real browser.


@dataclass
class Browsing:
    page: Any
    requests: list[str]
    complaints: list[str]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    if not (path := shutil.which("chromium")):
        pytest.skip("needs Chromium (apt install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browsing(chromium: Any, served: Served) -> Iterator[Browsing]:
    context = chromium.new_context(locale="es-PE", base_url=served.base, accept_downloads=True)
    found = Browsing(context.new_page(), [], [])
    found.page.on("request", lambda request: found.requests.append(request.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    yield found
    context.close()
    assert found.complaints == []
    assert all(url.startswith(served.base) for url in found.requests)


def focus(page: Any, name: str) -> None:
    """Press Tab until what has this name has the focus, and see that it shows."""
    for _ in range(80):
        page.keyboard.press("Tab")
        facts = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            "return [(e.getAttribute('aria-label') || e.textContent).trim(), s.outlineStyle, s.outlineWidth] }"
        )
        if facts[0] == name:
            assert facts[1:] == ["solid", "3px"], name
            return
    pytest.fail(f"the keyboard does not reach «{name}»")


def log_in(page: Any, name: str) -> None:
    page.goto("/")
    assert "/login" in page.url
    page.locator("input[name=name]").focus()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1")


def come_in(page: Any, served: Served, name: str) -> None:
    """Be logged in already."""
    page.context.add_cookies([{"name": "amauta_session", "value": name[:2] * 32, "url": served.base}])
    page.goto("/")


def test_an_officer_logs_in_and_walks_through_every_page_by_keyboard(browsing: Browsing) -> None:
    page = browsing.page
    log_in(page, "maria")
    assert page.locator("h1").inner_text() == "Resumen"
    for menu, words in (
        ("Lecciones", "Las fracciones"),
        ("Errores", "El denominador no se suma."),
        ("Equipos", "identidad copiada"),
        ("Versiones", "paquete primaria"),
        ("Entregas", "Un equipo de la escuela … entrega sin una inscripción de este centro."),
        ("Archivos", "Todos los informes en un archivo (XLSX)"),
        ("Resumen", "escuelas que nunca entregaron"),
    ):
        focus(page, menu)
        page.keyboard.press("Enter")
        page.wait_for_function("menu => document.querySelector('nav [aria-current]')?.textContent === menu", arg=menu)
        assert words in page.locator("main").inner_text()
    focus(page, "escuela-24")
    page.keyboard.press("Enter")
    page.wait_for_url("**/schools/escuela-24")
    assert page.locator("h1").inner_text() == "Escuela escuela-24"
    focus(page, "Salir")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login")
    page.goto("/devices")
    assert "/login" in page.url


def test_files_come_down_and_months_are_chosen_without_a_script(
    browsing: Browsing, served: Served, tmp_path: Path
) -> None:
    page = browsing.page
    come_in(page, served, "rosa")
    page.goto("/downloads")
    with page.expect_download() as coming:
        focus(page, "Lecciones, CSV")
        page.keyboard.press("Enter")
    coming.value.save_as(tmp_path / "lessons.csv")
    assert coming.value.suggested_filename == "lessons.csv"
    assert "Sumas 2" in (tmp_path / "lessons.csv").read_text("utf-8-sig")
    page.goto("/")
    page.get_by_label("Desde").select_option("2026-05")
    page.get_by_label("Hasta").select_option("2026-06")
    focus(page, "Mostrar")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=2026-05&to=2026-06")
    months = page.locator("#months tbody th").all_inner_texts()
    assert months == ["2026-05", "2026-06"]
    assert page.locator("script").count() == 0


CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c } return [255, 255, 255] };
  return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => { const s = getComputedStyle(e); const ink = rgb(e.namespaceURI.endsWith('svg') ? s.fill : s.color);
      const a = light(ink), b = light(behind(e)); return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.textContent.trim().slice(0, 30)] })
    .filter(([ratio]) => ratio < 4.5) }"""


@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_fits_can_be_read_and_is_named(browsing: Browsing, served: Served, width: int) -> None:
    page = browsing.page
    page.set_viewport_size({"width": width, "height": 800})
    come_in(page, served, "maria")
    for path in (*PAGES, f"/schools/{OWN}", "/lesson?id=exercise/add-2", f"/lesson?id={quote(ODD)}"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert page.evaluate(CONTRAST) == [], path
        assert page.locator("html").get_attribute("lang") == "es"
        assert page.locator("h1").count() == 1
        assert page.locator("th:not([scope])").count() == 0
        for control in page.locator("select, input:not([type=hidden])").all():
            assert page.locator(f"label[for={control.get_attribute('id')}]").count() == 1


def test_a_page_prints_with_its_numbers_and_without_its_menu(browsing: Browsing, served: Served) -> None:
    page = browsing.page
    come_in(page, served, "maria")
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".period").is_visible()
    assert page.locator("#schools").is_visible()
    content = page.pdf(format="A4")
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", content)) <= 3
