"""A dose or a diagnosis that is not told: at a health post the decision table that deals with it is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.settings import Settings
from edge.triage.shelf import own_folder, table_files
from edge.tutor.guard import refusal
from edge.tutor.pointing import pointer, table_for
from edge.words import LANGUAGES


@pytest.fixture
def clinic(settings: Settings) -> Settings:
    return replace(settings, place="clinic")


@pytest.mark.parametrize(
    ("question", "table"),
    [
        ("¿Cuánto paracetamol le doy a un niño con fiebre?", "child-fever"),
        ("cuanta amoxicilina para neumonia en niño de 3 años", "child-cough"),
        ("que remedio le doy a mi wawa para la diarrea", "child-diarrhoea"),
        ("cuanto suero por vena le paso al niño deshidratado", "rehydration"),
        ("dosis de vitamina A en sarampión", "child-measles"),
        ("¿qué dosis de antibiótico lleva el niño muy flaco y desnutrido?", "child-malnutrition"),
        ("gentamicina cuántos miligramos para recién nacido", "young-infant-infection"),
        ("mi bebé recién nacido está amarillo, qué enfermedad tiene", "young-infant-jaundice"),
        ("¿estoy embarazada?", "pregnancy-danger"),
        ("cuanta oxitocina despues del parto", "after-birth-danger"),
        ("tengo dolor detrás de los ojos y fiebre, ¿es dengue?", "dengue"),
        ("cuánto suero antiofídico pongo", "snake-bite"),
        ("quantas gotas de dipirona pra criança com febre", "child-fever"),
        ("quanto de zinco dou pro menino com diarreia", "child-diarrhoea"),
        ("qual a dose de amoxicilina pra pneumonia", "child-cough"),
        ("quanto soro antiofídico aplico", "snake-bite"),
        ("how much paracetamol for a child", "child-fever"),
        ("cuántas unidades de insulina me pongo", ""),
        ("¿cuánto losartán toma mi abuelo?", ""),
        ("cuanto ibuprofeno para un adulto", ""),
        ("que doença eu tenho", ""),
    ],
)
def test_the_words_of_a_question_find_its_table(question: str, table: str) -> None:
    assert table_for(question) == table


def test_only_tables_that_ship_are_pointed_to_and_each_of_them_is(clinic: Settings) -> None:
    from edge.tutor import pointing

    assert {name for name, _ in pointing._pointers()} == {path.stem for path in table_files(clinic)}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_title_and_way_to_open_it_are_told_in_every_language(clinic: Settings, lang: str) -> None:
    question = "cuanto paracetamol le doy a mi hijo"
    said = pointer(refusal(question), question, lang, clinic)
    assert {"es": "Fiebre, de 2 meses", "pt": "Febre, de 2 meses", "en": "Fever, 2 months"}[lang] in said
    assert "amauta clinic decide child-fever" in said
    nothing = pointer("medicine", "cuánta insulina me pongo", lang, clinic)
    assert nothing
    assert "amauta clinic" not in nothing


def test_a_school_and_an_emergency_are_pointed_nowhere(settings: Settings, clinic: Settings) -> None:
    assert pointer("medicine", "cuanto paracetamol le doy", "es", settings) == ""
    assert pointer("fit", "mi hijo convulsiona con fiebre", "es", clinic) == ""


def test_a_broken_table_of_the_device_is_not_named(clinic: Settings) -> None:
    folder: Path = own_folder(clinic)
    folder.mkdir(parents=True)
    (folder / "child-fever.toml").write_text("format = 1\n", encoding="utf-8")
    assert "child-fever" not in pointer("medicine", "cuanto paracetamol le doy a mi hijo", "es", clinic)
