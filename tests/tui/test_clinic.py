"""The health worker's screens: by keys alone, urgency in words, the source and the missing approval always there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge import settings as kept
from edge.triage.run import decide
from fakes import FakeServices, learning
from tests.tui.screen import keys_of, press, pressing, settle, words_of
from tui.app import AmautaApp
from tui.screens.clinic_question import MeasureBox

SIZE = (80, 24)

CLINIC = ("down", "enter")
"""From home to the list of problems."""

COUGH = (*CLINIC, "enter")
NO_SIX = ("n",) * 6

PENDING = "FALTA LA APROBACIÓN de la autoridad de salud local"


@pytest.fixture
def post(home: Path) -> Iterator[FakeServices]:
    """Services of a health post where Rosa works."""
    services = at_post(home)
    yield services
    services.close()


def at_post(home: Path, lang: str = "es") -> FakeServices:
    services = learning(home, lang=lang)
    services.settings = replace(services.settings, place="clinic")
    return services


@pytest.fixture
def app(post: FakeServices) -> AmautaApp:
    return AmautaApp(post, colours="full")


async def test_a_school_is_not_offered_the_clinic_and_settings_make_it_one(rosa: FakeServices) -> None:
    app = AmautaApp(rosa, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert "Atender a un paciente" not in words_of(app)
        await press(pilot, "f9", "down", "down", "down", "down", "right")
        assert "Puesto de salud" in words_of(app)
        assert kept.load({"AMAUTA_HOME": str(rosa.settings.home)}).place == "clinic"
        await press(pilot, "escape")
        assert "Atender a un paciente" in words_of(app)


async def test_a_danger_sign_ends_the_questions_and_says_what_to_do(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter")
        assert "SIGNO DE PELIGRO ¿No puede beber ni tomar el pecho? Ofrézcale agua" in words_of(app)
        await press(pilot, "s")
        said = words_of(app)
        assert said.index(PENDING) < said.index("EMERGENCIA: actuar y referir ahora mismo Neumonía grave")
        assert "1. Traslade URGENTE al hospital" in said
        assert "Por: ¿No puede beber ni tomar el pecho? sí" in words_of(app)
        assert "March 2014, ISBN 978-92-4-150682-3, World Health Organization, 2014" in words_of(app)


async def test_a_birth_date_may_be_typed_day_first(app: AmautaApp, post: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">5/1/2025", "enter", "s", "end")
        assert dict(post.desk.visit.findings[0].decision.because) == {"not_able_to_drink": "yes"}
        assert post.desk.visit.born is not None
        assert post.desk.visit.born.isoformat() == "2025-01-05"


IMPOSSIBLE = {
    "70": "Esta tabla es de 2 a 59 meses de edad; 70 meses queda fuera.",
    "31/2/2025": "La fecha «2025-02-31» no existe",
    "1/1/2031": "es posterior a la consulta",
    "mucho": "«mucho» no es un número",
}


async def test_an_impossible_age_is_refused_in_a_sentence(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH)
        for typed, sentence in IMPOSSIBLE.items():
            app.screen.query_one(MeasureBox).value = typed
            await press(pilot, "enter")
            assert sentence in words_of(app)
            assert "Pregunta 1" in words_of(app)
        assert "D" not in keys_of(app)


async def test_a_step_back_loses_no_answer(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", *NO_SIX, ">45", "enter")
        await press(pilot, "escape")
        assert "¿Cuántas respiraciones en un minuto entero?" in words_of(app)
        assert app.screen.query_one(MeasureBox).value == "45"
        await press(pilot, "escape", "escape", "escape")
        assert "Pregunta 5" in words_of(app)
        await press(pilot, *["enter"] * 4)
        assert "¿Cuánto marca el oxímetro?" in words_of(app)


async def test_a_dose_stands_with_its_row_and_a_wrong_weight_is_refused(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", *NO_SIX, ">45", "enter", "d", ">400", "enter")
        assert "400 no es posible" in words_of(app)
        assert "va de 2 a 29.9 kg" in words_of(app)
        await press(pilot, *["backspace"] * 3, ">9", "enter", "end")
        assert "250 mg en 5 ml: 1 tableta, o 5 ml" in words_of(app)
        assert "fila 1: 4 - <10 kg; Give an appropriate oral antibiotic, pág. 12" in words_of(app)
        await press(pilot, "f4")
        said = words_of(app)
        assert "Fila «pneumonia» de la tabla, línea" in said
        assert "Se cumple cuando: muchas respuestas juntas" in said
        assert "not_looked_at" not in said
        assert PENDING in words_of(app)


async def test_two_problems_of_one_child_the_most_urgent_leads_and_signs_are_asked_once(
    app: AmautaApp, post: FakeServices
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", *NO_SIX, ">30", "enter", "d", "enter")
        assert "Este paciente, lo más urgente primero EN CASA" in words_of(app)
        await press(pilot, "f", "enter")
        assert "Ya respondidas en otro problema de este paciente: 5" in words_of(app)
        assert "SIGNO DE PELIGRO ¿Tiene el cuello rígido?" in words_of(app)
        await press(pilot, "s", "d")
        said = words_of(app)
        assert "Problema 1 de 2: Fiebre" in said
        assert "EMERGENCIA" in said
        await press(pilot, "enter")
        said = words_of(app)
        assert said.index("EMERGENCIA Fiebre") < said.index("EN CASA Tos")
        assert keys_of(app)["F8"] == "Otro paciente"
        await press(pilot, "f8")
        assert "lo más urgente primero" not in words_of(app)
        assert post.desk.visit.findings == []
        assert post.desk.visit.born is None


async def test_an_answer_that_changes_makes_the_earlier_problem_be_asked_again(
    app: AmautaApp, post: FakeServices
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", *NO_SIX, ">30", "enter", "d", "enter")
        await press(pilot, "f", "enter", "escape", "s", "d")
        assert [finding.table.id for finding in post.desk.visit.findings] == ["child-fever"]
        await press(pilot, "enter")
        assert "(preguntar otra vez: cambió una respuesta)" in words_of(app)


async def test_what_is_shown_is_what_the_table_decides(app: AmautaApp, post: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", *NO_SIX, ">45", "enter", "d", "d")
        finding = post.desk.visit.findings[0]
        given = {"not_able_to_drink": "no", "vomits_everything": "no", "convulsions": "no", "lethargic": "no"}
        given |= {"stridor": "no", "chest_indrawing": "no", "oxygen": "unknown", "weight": "unknown"}
        age, breaths = finding.table.inputs[0].least + 12, finding.table.inputs[0].least + 43
        assert finding.decision == decide(finding.table, {**given, "age": age, "breaths": breaths})


async def test_vaccines_say_country_age_year_and_source(app: AmautaApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *CLINIC, "end", "enter", "f8", "f8", ">4", "enter")
        said = words_of(app)
        assert "País: Perú (2023) Fuente: Esquema de vacunación del Perú" in said
        assert PENDING in said
        assert "A los 4 meses · Perú A esta edad: 4 meses Pentavalente" in said
        await press(pilot, ">300", "enter")
        assert "La edad va de 0 a 216 meses; «300» no es una de ellas." in words_of(app)


async def test_the_voice_reads_the_question_and_what_to_do(app: AmautaApp, post: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", "f5", "f5", "s", "f5")
        said = " ".join(post.fake_speaker.said)
        assert "¿No puede beber ni tomar el pecho?" in said
        assert "Traslade URGENTE al hospital" in said
        assert "ISBN" not in said


SCREENS = {
    "problems": CLINIC,
    "question": (*COUGH, ">14", "enter"),
    "result": (*COUGH, ">14", "enter", "s"),
    "vaccines": (*CLINIC, "end", "enter", ">4", "enter"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_clinic_screen_looks_as_accepted(name: str, app: AmautaApp, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app, terminal_size=SIZE, run_before=pressing(*SCREENS[name]))


@pytest.mark.parametrize(("lang", "yes"), [("pt", "s"), ("en", "y")])
async def test_the_other_languages_answer_by_their_own_keys(lang: str, yes: str, home: Path) -> None:
    services = at_post(home, lang)
    app = AmautaApp(services, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter", yes)
        expected = {"pt": "FALTA A APROVAÇÃO", "en": "NOT YET APPROVED"}[lang]
        assert expected in words_of(app)
        assert services.desk.visit.findings[0].decision.urgency == "emergency"
    services.close()
