"""The same tutor as a dialogue in lines: `amauta --plain`.

For screen readers, pipes and dumb terminals. A menu by numbers or words; anything else that is
typed is a question. The end of the input ends it politely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from edge.errors import EdgeError
from edge.speech.plain import plain, sentences
from edge.words import LANGUAGES, words_for
from tui import places
from tui.answer import kind_of, source_key, sources_of
from tui.lines import Lines, same_word
from tui.plain_clinic import clinic
from tui.plain_sync import hand_over
from tui.services import Services
from tui.values import with_lang

if TYPE_CHECKING:
    from edge.tutor.reply import Source

MENU = ("lessons", "practise", "progress", "learner", "settings", "help", "sync")
AT_POST = (*MENU, "clinic")
"""The menu of a health post."""


def run(services: Services, source: TextIO, target: TextIO) -> int:
    """Talk until the learner leaves; return the exit code."""
    lines = Lines(source, target)
    try:
        _Talk(services, lines).run()
    except EOFError:
        lines.say(services.words.say("plain.bye"))
    finally:
        services.close()
    return 0


class _Talk:
    """One session of questions and menu choices."""

    def __init__(self, services: Services, lines: Lines) -> None:
        self.services = services
        self.lines = lines
        self.last_sources: list[Source] = []
        """The lessons behind the last answer."""

        self.last_text = ""

    def run(self) -> None:
        """Greet, then serve until the learner says goodbye."""
        self._begin()
        self._show_menu()
        self._prove()
        while True:
            self._notice()
            given = self.lines.ask(self.services.words.say("plain.prompt"))
            try:
                if not self._serve(given):
                    return
            except EdgeError as error:
                self.lines.say(error.say(self.services.lang))

    def _begin(self) -> None:
        """Ask for language and name on the first run."""
        services, lines = self.services, self.lines
        lines.say(services.words.say("plain.hello"))
        while not services.settings.lang:
            lines.say(services.words.say("plain.lang"))
            names = [services.words.say(f"languages.{lang}") for lang in LANGUAGES]
            chosen = lines.pick(names, services.words, prompt="plain.pick_first")
            if chosen is not None:
                services.change(with_lang(services.settings, LANGUAGES[chosen]))
        services.recall_learner()
        self._greet()

    def _greet(self) -> None:
        """Ask for a name while nobody has one."""
        services, lines = self.services, self.lines
        while services.learner is None:
            if name := lines.ask(f"{services.words.say('plain.name')} "):
                try:
                    services.add_learner(name)
                except EdgeError as error:
                    lines.say(error.say(services.lang))
        lines.say(services.words.say("plain.welcome", name=services.learner.name))

    def _prove(self) -> None:
        """The prompt is there: say once which release never came so far, and keep the one that did."""
        services = self.services
        if number := services.updates.given_up():
            self.lines.say(services.words.say("updating.returned", number=number))
        if services.updates.on_trial:
            try:
                services.library()
                services.updates.prove()
            except EdgeError as error:
                self.lines.say(error.say(services.lang))

    def _notice(self) -> None:
        """Say once of a stick what it is good for: handing over, enrolling, a newer release."""
        words, handing = self.services.words, self.services.handing
        before, offered = handing.drives, self.services.updates.offer
        handing.look()
        offer = self.services.updates.look()
        if offer and offer is not offered:
            self.lines.say(words.say("updating.offered", number=offer.contents.number, word=words.say("updating.word")))
        for drive in handing.useful():
            if drive.path not in [known.path for known in before]:
                key = "plain.stick" if handing.delivers else "plain.stick_enrol"
                self.lines.say(words.say(key, name=drive.name, word=words.say("plain.menu_words.sync")))

    @property
    def _menu(self) -> tuple[str, ...]:
        return AT_POST if self.services.settings.place == "clinic" else MENU

    def _show_menu(self) -> None:
        words = self.services.words
        self.lines.say()
        self.lines.say(words.say("plain.menu"))
        entries = [f"{n} {words.say(f'plain.menu_words.{place}')}" for n, place in enumerate(self._menu, 1)]
        self.lines.say("  ".join([*entries, f"0 {words.say('plain.menu_words.quit')}"]))

    def _serve(self, given: str) -> bool:
        """Do what was asked; False when the learner leaves."""
        words = self.services.words
        if given == "0" or same_word(given, words.say("plain.menu_words.quit")):
            self.lines.say(words.say("plain.bye"))
            return False
        place = next((p for n, p in enumerate(self._menu, 1) if self._means(given, n, p)), None)
        if place == "help":
            self.lines.say(words.say("plain.help"))
        elif place:
            {
                "lessons": places.lessons,
                "practise": places.practise,
                "progress": places.progress,
                "learner": places.change_learner,
                "settings": places.change_settings,
                "sync": hand_over,
                "clinic": clinic,
            }[place](self.services, self.lines)
            if self.services.learner is None:
                self._greet()
        elif same_word(given, words.say("updating.word")) and self.services.updates.offer:
            places.update(self.services, self.lines)
        elif same_word(given, words.say("plain.source_word")):
            self._show_source()
        elif same_word(given, words.say("plain.speak_word")):
            self._speak()
        elif given:
            self._answer(given)
            return True
        self._show_menu()
        return True

    def _means(self, given: str, number: int, place: str) -> bool:
        return given == str(number) or same_word(given, self.services.words.say(f"plain.menu_words.{place}"))

    def _answer(self, question: str) -> None:
        """Show the answer as it comes, then where it stands, and keep the turn."""
        from edge.tutor.reply import Piece, Reply, Waiting

        services, lines, words = self.services, self.lines, self.services.words
        shown = False
        for part in services.answer(question):
            if isinstance(part, Piece):
                shown = True
                lines.say(part.text, end="")
            elif isinstance(part, Waiting):
                lines.say(part.say(words_for("edge", words.lang)))
            elif isinstance(part, Reply):
                lines.say("" if shown else part.text)
                if words.has(f"ask.mode.{kind_of(part)}"):
                    lines.say(f"({words.say(f'ask.mode.{kind_of(part)}')})")
                if part.trouble is not None:
                    lines.say(part.trouble.say(words.lang))
                self.last_text = part.text
                self.last_sources = sources_of(part)
                for source in self.last_sources[:1]:
                    line = words.say(source_key(part), title=source.place)
                    lines.say(f"{line} ({words.say('plain.open_source')})")
                self.services.keep_turn(question, part)

    def _show_source(self) -> None:
        if not self.last_sources:
            self.lines.say(self.services.words.say("plain.no_source"))
            return
        source = self.last_sources[0]
        places.read_lesson(self.services, self.lines, source.lesson, source.passage)

    def _speak(self) -> None:
        """Say the last answer aloud, or why nothing is heard."""
        services, words = self.services, self.services.words
        if not services.settings.sound:
            self.lines.say(words.say("speech.off"))
            return
        if not self.last_text:
            self.lines.say(words.say("speech.nothing"))
            return
        speaker = services.speaker()
        speaker.hush()
        for sentence in sentences(plain(self.last_text)):
            speaker.put(sentence)
        speaker.wait(0.5)
        if services.speech_problem:
            self.lines.say(words.say("speech.silent"))
