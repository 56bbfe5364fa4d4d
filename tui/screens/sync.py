"""Hand over: how far everything is, the sticks that are here, and one key that hands over and takes acknowledgements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from edge.drives import Drive
from edge.errors import EdgeError
from tui import deeds, wishes
from tui.handing import STEPS, Sight, Step
from tui.handing_words import about_lines, bar_line, delivered_lines, head_lines, marks_of, state_lines
from tui.screens.sync_ask import Asking
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, gap, heading


class SyncScreen(Screen[None]):
    """Says what is where, and does what is chosen."""

    AUTO_FOCUS: ClassVar[str] = "Choices"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "update", "update")]

    @dataclass
    class Seen(Message):
        """How far everything is, None where no hub is known; or why that cannot be said."""

        sight: Sight | None
        about: list[str]
        trouble: str = ""

    def __init__(self, services: Services) -> None:
        super().__init__(name="sync")
        self.services = services
        self.sight: Sight | None = None
        self.drives: list[Drive] = []
        """The sticks of the list: what is plugged in may change before it does."""

        self.asking = Asking(self, services, self.tell)
        self.told = False
        """Whether something was said that must stay readable."""

    def compose(self) -> ComposeResult:
        """What is where above, what can be done below."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("handing.title"), learner.name if learner else "")
        with Vertical(classes="page sync"):
            yield Static(classes="title", markup=False)
            yield Static(classes="about", markup=False)
            yield Static(classes="states", markup=False)
            yield Static(classes="total", markup=False)
            yield Choices()
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Show what is known at once; counting follows."""
        self.query_one(".total", Static).update(self.services.words.say("handing.looking"))
        self._show_options()

    def on_screen_resume(self) -> None:
        """Count anew: other screens change what is here."""
        self._look()

    @work(thread=True, group="sight", exclusive=True, exit_on_error=False)
    def _look(self) -> None:
        self.services.handing.look()
        self.services.updates.look()
        try:
            sight = self.services.handing.sight()
            self.post_message(self.Seen(sight, about_lines(self.services, sight)))
        except EdgeError as error:
            self.post_message(self.Seen(None, [], error.say(self.services.lang)))

    @on(Seen)
    def _seen(self, event: Seen) -> None:
        self.sight = event.sight
        if not self.is_attached:
            return
        self._show_options()
        if event.trouble:
            self._say(event.trouble)
            return
        words = self.services.words
        for name, line in zip((".title", ".about"), head_lines(words, self.sight), strict=True):
            self.query_one(name, Static).update(line)
        self.query_one(".states", Static).update("\n".join(state_lines(words, self.sight)))
        if not self.services.handing.working and not self.told:
            self._say("\n".join(event.about))

    @on(wishes.SticksChanged)
    def _sticks_changed(self, event: wishes.SticksChanged) -> None:
        event.stop()
        self._look()

    def _show_options(self) -> None:
        choices, before = self.query_one(Choices), [drive.path for drive in self.drives]
        here = choices.highlighted_option.id if choices.highlighted_option else None
        choices.replace_all(self._options())
        # Where one was stays chosen; but a stick that came is what Enter is for.
        same = [drive.path for drive in self.drives] == before
        if same and here and here in [option.id for option in choices.options]:
            choices.highlighted = choices.get_option_index(here)
        self.refresh_bindings()

    def _options(self) -> list[Option]:
        words, handing = self.services.words, self.services.handing
        options: list[Option] = []
        self.drives = list(handing.drives)
        for place, drive in enumerate(self.drives):
            if handing.delivers:
                line = Content.assemble(f"{drive.name:<26}  ", (", ".join(marks_of(words, drive)), "$muted"))
                options.append(Option(line, id=f"stick:{place}"))
            elif drive.enrolment:
                options.append(Option(words.say("handing.enrol_stick", name=drive.name), id=f"take:{place}"))
        if handing.delivers:
            options.insert(0, heading(words.say("handing.sticks" if options else "handing.no_stick")))
        if offer := self.services.updates.offer:
            label = words.say("handing.update", number=offer.contents.number)
            options.append(Option(Content.assemble(label, ("  F8", "$key")), id="update"))
        options += [
            Option(deeds.label(self.services, deed), id=deed) for deed in deeds.by_network(self.services, self.sight)
        ]
        adult = [Option(deeds.label(self.services, deed), id=deed) for deed in deeds.offered(self.services)]
        return [*options, gap(), heading(words.say("handing.more")), *adult]

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        kind, _, place = (event.option_id or "").partition(":")
        if kind in ("stick", "take"):
            drive = self.drives[int(place)]
            if kind == "stick":
                self._begin(drive)
            elif drive.enrolment:
                self.asking.enrol(drive.enrolment)
        elif kind == "update":
            self.action_update()
        else:
            self.asking.open(kind)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to update only when a stick brings something newer."""
        return action != "update" or self.services.updates.offer is not None

    def action_update(self) -> None:
        """Open what the stick brings."""
        self.post_message(wishes.PlaceChosen("update"))

    def _begin(self, drive: Drive) -> None:
        if not self.services.handing.working:
            self.services.handing.working = True
            self._begun(STEPS[0])
            # The app's own worker: it is no part of a screen that may be left meanwhile.
            self.app.run_worker(partial(self._deliver, self.app, drive), thread=True, exit_on_error=False)

    def _deliver(self, app: App[object], drive: Drive) -> None:
        """Hand over and tell the app: nothing waits for a screen that may be gone, and nothing stops halfway."""
        services = self.services
        try:
            done = services.handing.deliver(drive, lambda step: app.call_later(self._begun, step))
            text = "\n".join(delivered_lines(services, drive, done))
        except EdgeError as error:
            text = error.say(services.lang)
        finally:
            services.handing.working = False
        app.call_later(self._ended, text)

    def _begun(self, step: Step) -> None:
        self._here()._say(bar_line(self.services.words, step))

    def _ended(self, text: str) -> None:
        self._here().tell(text)

    def _here(self) -> SyncScreen:
        """Return this screen, or the one that was opened since it was left."""
        return self.app.screen if isinstance(self.app.screen, SyncScreen) else self

    def tell(self, text: str) -> None:
        """Say how a deed ended, wherever the person is now, and count anew."""
        self.told = True
        self._say(text)
        if self.app.screen is not self:
            self.app.notify(text, timeout=30, markup=False)
        else:
            self._look()

    def _say(self, text: str) -> None:
        if self.is_attached:
            self.query_one(".total", Static).update(text)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a bug that something broke, and let it be tried again."""
        if event.state is WorkerState.ERROR:
            self._say(self.services.broken(event.worker.error))
