"""Groups to fit on: each question is asked of a library that knows neither it nor its fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from edge.library.judge import Judge
from edge.library.library import Library
from edge.library.meaning import Meaning
from edge.library.pack import Pack
from edge.tutor.reader import Reader
from quantize.search.candidates import bank_groups, library_of, passage_groups, read_groups, without
from quantize.search.fit import Group, fold_of
from quantize.search.settings import PupilQuestion, SearchTable, read_questions
from quantize.search.texts import read_packs

Groups = Callable[[Library, Sequence[PupilQuestion], Sequence[Pack]], Iterable[Group]]


class Folds:
    """The questions, and one library for each fold of them."""

    def __init__(self, folders: tuple[Path, ...], aligned: Path, table: SearchTable) -> None:
        self._packs = read_packs(folders)
        langs = {pack.lang for pack in self._packs}
        self.questions = [question for question in read_questions() if question.lang in langs]
        self._meaning = Meaning(aligned)
        self._folds = table.folds

    def bank(self) -> list[Group]:
        """Return the bank entries proposed for each question."""
        return self._groups(bank_groups)

    def passages(self) -> list[Group]:
        """Return the passages proposed for each question."""
        return self._groups(passage_groups)

    def readings(self, passage: Judge) -> list[Group]:
        """Return the sentences that the reader proposes from the passages that `passage` likes best."""
        reader = Reader.open()

        def groups(library: Library, asked: Sequence[PupilQuestion], packs: Sequence[Pack]) -> Iterator[Group]:
            return read_groups(library, reader, asked, packs)

        return self._groups(groups, passage=passage)

    def _groups(self, groups: Groups, **judges: Judge) -> list[Group]:
        """Ask every fold's questions of its own library; the groups come back in the questions' order."""
        found: dict[str, Group] = {}
        for fold in range(self._folds):
            asked = [q for q in self.questions if fold_of(q.text, self._folds) == fold]
            packs = without(self._packs, frozenset(q.text for q in asked))
            library = library_of(packs, self._meaning, **judges)
            found |= {group.text: group for group in groups(library, asked, self._packs)}
            library.close()
        return [found[question.text] for question in self.questions]
