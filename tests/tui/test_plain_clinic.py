"""The health post in lines: tables question by question, the source, and saving as on the screen."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from edge.records.book import Book
from edge.records.vault import Vault
from edge.triage.parts import in_language
from fakes import FakeServices, learning
from tui.plain import run

PASSPHRASE = "lluvia cabra tornillo"
COUGH = ("8", "1", "14", "n", "n", "s")


@pytest.fixture
def post(home: Path) -> FakeServices:
    services = learning(home, name="Ana Flores")
    services.settings = replace(services.settings, place="clinic")
    Vault.create(services.desk.records.path, PASSPHRASE, cost=10)
    with Vault(services.desk.records.path, lambda: 0.0) as vault:
        vault.recovery_is("copied")
    return services


def talk(services: FakeServices, *typed: str) -> str:
    target = io.StringIO()
    assert run(services, io.StringIO("".join(f"{line}\n" for line in typed)), target) == 0
    return target.getvalue()


def number_of(said: str, text: str) -> str:
    """The number that stands before an option."""
    found = re.findall(rf"^ *(\d+)\. .*{re.escape(text)}", said, re.MULTILINE)
    assert found, text
    return str(found[-1])


def test_a_school_has_no_patients_in_its_menu(home: Path) -> None:
    assert "8 paciente" not in talk(learning(home))


def test_a_table_is_walked_with_its_source_a_step_back_and_what_to_do(post: FakeServices) -> None:
    said = talk(post, "paciente", "1", "70", "14", "fuente", "n", "volver", "D", "sí", "", "")
    assert "70 meses queda fuera" in said
    assert "World Health Organization" in said
    assert "Respondido antes: no" in said
    assert said.index("FALTA LA APROBACIÓN") < said.rindex("EMERGENCIA: actuar y referir ahora mismo")
    assert "1. Traslade URGENTE al hospital" in said


def test_the_row_that_held_is_said_on_request(post: FakeServices) -> None:
    said = talk(post, *COUGH)
    said = talk(post_again(post), *COUGH, number_of(said, "De dónde viene"), "")
    assert "Fila «severe» de la tabla" in said
    assert "¿Ha tenido convulsiones en esta enfermedad, o las tiene ahora? sí" in said


def post_again(services: FakeServices) -> FakeServices:
    fresh = FakeServices(services.settings)
    fresh.recall_learner()
    return fresh


def test_a_visit_is_saved_confirmed_handed_over_and_read(post: FakeServices, home: Path) -> None:
    save = number_of(talk(post, *COUGH), "Guardar esta consulta")
    said = talk(
        post_again(post), *COUGH, save, "no es esta", PASSPHRASE,
        "Marina Quispe", "1", "1", "Ccorca Alto", "",
        "2", "Referida en ambulancia", "5", "", "4", "Hospital de Cusco", "2", "1",
        "6", "Marina", "volver", "", "",
    )  # fmt: skip
    assert "La frase de paso no es esa" in said
    assert "mujer · 14 meses · Ccorca Alto" in said
    assert "Ahora: Ana Flores. Enter lo deja así" in said
    assert "Entregada a Hospital de Cusco" in said
    assert "No es ese nombre" in said
    assert "Hoja de referencia como texto\nHoja de referencia\nPaciente:\nMarina Quispe" in re.sub(
        r"\n +", "\n", re.sub(r"\n\n+", "\n", said)
    )
    with Vault(post.desk.records.path, lambda: 0.0) as vault:
        vault.unlock(PASSPHRASE)
        visit = Book(vault).visits()[0]
    assert (visit.state, visit.confirmed_by, visit.outcome) == ("handed-over", "Ana Flores", "Referida en ambulancia")
    files = [one.read_bytes() for one in home.rglob("*") if one.is_file()]
    assert not [name for name in (b"Marina", b"Ccorca", PASSPHRASE.encode()) if any(name in each for each in files)]


def test_a_draft_goes_on_where_the_input_ended(post: FakeServices) -> None:
    save = number_of(talk(post, *COUGH), "Guardar esta consulta")
    listed = talk(post_again(post), *COUGH, save, PASSPHRASE, "Marina Quispe", "1", "1", "", "", "1")
    thin = number_of(listed, "Desnutrición aguda")
    talk(post_again(post), *COUGH, save, PASSPHRASE, "Luz Choque", "1", "1", "", "", "1", thin, "n", "n")
    visits = number_of(talk(post_again(post), "8"), "Consultas guardadas")
    said = talk(post_again(post), "8", visits, PASSPHRASE, "luz", "1", "1", thin)
    assert "Quedó a medias: Desnutrición aguda" in said
    assert "Luz Choque · borrador" in said
    assert said.rstrip().rpartition("Pregunta ")[2].startswith("4")


def test_vaccines_are_looked_up_by_age(post: FakeServices) -> None:
    vaccines = number_of(talk(post, "8"), "Vacunas")
    said = talk(post_again(post), "8", vaccines, "3", "300", "4", "")
    assert "«300» no es una de ellas" in said
    assert "A los 4 meses" in said
    first = post.desk.schedule(post.desk.countries()[2]).at(4)[0]
    assert in_language(first.title, "es") in said
