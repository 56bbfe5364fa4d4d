"""What a screen asks of the app. Screens post these; only the app knows what lies where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from edge.learning.exercise import Skill


@dataclass
class PlaceChosen(Message):
    """The learner wants to go to another part of the app."""

    place: str


@dataclass
class QuestionAsked(Message):
    """The learner asked something outside the ask screen."""

    question: str


@dataclass
class LessonAskedAbout(Message):
    """The learner wants to ask about one lesson."""

    lesson: str
    title: str


@dataclass
class LessonChosen(Message):
    """The learner wants to read a lesson; `passage` is what to point at, or nothing."""

    lesson: str
    passage: str = ""


@dataclass
class PractiseChosen(Message):
    """The learner wants to practise a lesson."""

    lesson: str


@dataclass
class SumsChosen(Message):
    """The learner wants to practise sums."""

    skill: Skill


@dataclass
class SpeechWanted(Message):
    """These sentences should be heard; a fresh request ends what is being said."""

    sentences: Sequence[str]
    fresh: bool = True
    lang: str = ""
    """Of the voice, where it is another language than that of the lessons."""


@dataclass
class LearnerChosen(Message):
    """Somebody else learns now."""


@dataclass
class SticksChanged(Message):
    """A stick was put in or taken out."""


@dataclass
class SettingsChanged(Message):
    """A setting was kept; `lang` and `theme` change what every screen looks like."""

    name: str
