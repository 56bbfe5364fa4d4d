"""What the clinic's records ask of the app: keys keep them open, idle minutes lock them, a crash tells nothing of a patient."""

from __future__ import annotations

from traceback import extract_tb

from textual.app import App
from textual.events import Event, Key

from edge.errors import EdgeError
from tui.services import Services

LOOK_SECONDS = 5.0
"""How often to look whether the records have locked themselves."""

LOCKED = "clinic-locked"


class DiscreetApp(App[None]):
    """An app in which a clinic's records may be open."""

    services: Services

    def on_mount(self) -> None:
        """Look at the lock now and then."""
        self.set_interval(LOOK_SECONDS, self.look_at_lock)

    async def on_event(self, event: Event) -> None:
        """Count every key as use of the records."""
        if isinstance(event, Key) and self.services.settings.place == "clinic":
            if self.look_at_lock():
                return  # It was meant for a screen that is covered now.
            self.services.desk.records.touch()
        await super().on_event(event)

    def look_at_lock(self) -> bool:
        """Cover the clinic's screens once the records have locked themselves; tell whether that was now.

        Where no screen shows a patient, she is forgotten.
        """
        desk = self.services.desk
        if not desk.records.just_locked():
            return False
        from tui.clinic.access import unlock
        from tui.screens.clinic_dialogue import DialogueScreen

        if any((screen.name or "").startswith("clinic") for screen in self.screen_stack):
            self.push_screen(DialogueScreen(self.services, unlock(self.services), LOCKED), self._unlocked)
        else:
            desk.close_case()
        return True

    def _unlocked(self, opened: bool | None) -> None:
        desk = self.services.desk
        if opened:
            try:
                desk.keep() if desk.case else desk.seal()
            except EdgeError as error:
                self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        desk.close_case()
        while len(self.screen_stack) > 2:
            self.pop_screen()

    def _fatal_error(self) -> None:
        """End with a report; in a clinic it holds neither values nor messages, which may name a patient."""
        if self.services.settings.place != "clinic":
            super()._fatal_error()
            return
        error = self._exception
        places = extract_tb(error.__traceback__ if error else None)
        self.panic("\n".join([*(f"{one.filename}:{one.lineno} {one.name}" for one in places), type(error).__name__]))
