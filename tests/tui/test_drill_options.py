"""Practice keeps which option was chosen by its letter, and nothing where none was."""

from __future__ import annotations

from random import Random

from edge.learning.store import Store
from edge.settings import Settings
from fakes import NOON, FakeLibrary
from tui.drill import Drill, LessonSource


def test_the_letter_of_the_option_is_kept_with_the_answer(settings: Settings) -> None:
    source = LessonSource(FakeLibrary().lesson("prueba/4-ciencias-plantas"))
    with Store.open(settings.store_path) as store:
        drill = Drill(source, store, "rosa", random=Random(1), now=lambda: NOON)
        assert drill.item.kind == "choice"
        drill.answer("no sé, Rosa")
        drill.answer(drill.item.options[1].text)
        drill.go_on()
        assert drill.item.kind != "choice"
        drill.answer("b")
        assert [attempt.option for attempt in store.attempts("rosa")] == ["", "b", ""]
