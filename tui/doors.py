"""Make the screen of a place. Each is imported when it is first wanted, so that the app opens sooner."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App
from textual.screen import Screen

from tui.services import Services


def make(place: str, services: Services) -> Screen[None]:
    """Return a new screen for one of the places the F-keys lead to."""
    return _maker(place)(services)


def begin_anew(app: App[None], services: Services, first: Screen[None]) -> None:
    """Show only this screen, with an empty talk: nobody sees what another one asked."""
    from tui.screens.ask import AskScreen

    while len(app.screen_stack) > 1:
        app.pop_screen()
    if app.is_screen_installed("ask"):
        app.uninstall_screen("ask")
    app.install_screen(AskScreen(services), "ask")
    app.push_screen(first)


def _maker(place: str) -> Callable[[Services], Screen[None]]:
    if place == "lessons":
        from tui.screens.lessons import LessonsScreen

        return LessonsScreen
    if place == "practise":
        from tui.screens.practise import PractiseScreen

        return PractiseScreen
    if place == "progress":
        from tui.screens.progress import ProgressScreen

        return ProgressScreen
    if place == "settings":
        from tui.screens.settings import SettingsScreen

        return SettingsScreen
    if place == "prepare":
        from tui.screens.prepare import PrepareScreen

        return PrepareScreen
    if place == "sync":
        from tui.screens.sync import SyncScreen

        return SyncScreen
    if place == "update":
        from tui.screens.update import UpdateScreen

        return UpdateScreen
    if place == "clinic":
        from tui.screens.clinic import ClinicScreen

        return ClinicScreen
    if place == "who":
        from tui.screens.who import WhoScreen

        return WhoScreen
    from tui.screens.help import HelpScreen

    return HelpScreen
