"""What happens once the prompt is on screen: a release on trial has proved itself, one that failed is told of, sticks are seen."""

from __future__ import annotations

from textual.app import App

from edge.errors import EdgeError
from tui.services import Services
from tui.watching import watch


def prompt_shown(app: App[None], services: Services) -> None:
    """Tell the releases that the prompt is there, and the person of a release that never showed it."""
    services.updates.shown = True
    if number := services.updates.given_up():
        app.notify(services.words.say("updating.returned", number=number), timeout=60, markup=False)
    watch(app, services)
    if services.updates.on_trial:
        app.run_worker(lambda: prove(services), thread=True, group="trial", exit_on_error=False)


def prove(services: Services) -> None:
    """Keep the release on trial once its library opens too; with a library that does not, it has failed."""
    try:
        services.library()
    except EdgeError:
        services.updates.broken = True
    else:
        services.updates.prove()
