"""The colours of the app: dark and light, each for full colour and for sixteen colours.

The sixteen-colour pair is for the Linux console and old terminals. It uses only the eight
plain colours as backgrounds, because consoles have no bright ones, and never dark blue on black.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from textual.theme import Theme

Colours = Literal["full", "sixteen"]

DARK = Theme(
    name="amauta-dark",
    dark=True,
    primary="#f0b849",
    secondary="#6cc5b4",
    accent="#e58d6c",
    success="#9ccf6a",
    warning="#f0b849",
    error="#f28b7d",
    foreground="#ece7dc",
    background="#15171c",
    surface="#15171c",
    panel="#1f232b",
    variables={
        "muted": "#b3b1a8",
        "edge": "#4a4f5a",
        "edge-focus": "#f0b849",
        "bar": "#1f232b",
        "key": "#f0b849",
        "asked": "#6cc5b4",
        "cited": "#2a2d24",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#1f524c",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#ece7dc",
        "block-cursor-blurred-background": "#252a33",
        "input-cursor-text-style": "none",
        "input-cursor-background": "#f0b849",
        "input-cursor-foreground": "#15171c",
        "input-selection-background": "#3d5a55",
        "scrollbar": "#4a4f5a",
        "scrollbar-hover": "#6a707c",
        "scrollbar-active": "#f0b849",
        "scrollbar-background": "#1b1e24",
        "scrollbar-background-hover": "#1b1e24",
        "scrollbar-background-active": "#1b1e24",
        "scrollbar-corner-color": "#15171c",
    },
)

LIGHT = Theme(
    name="amauta-light",
    dark=False,
    primary="#8f4a0b",
    secondary="#0d655d",
    accent="#a23b22",
    success="#2c6b1f",
    warning="#8f4a0b",
    error="#a81e1e",
    foreground="#26221d",
    background="#fbf8f1",
    surface="#fbf8f1",
    panel="#f0e9da",
    variables={
        "muted": "#645d52",
        "edge": "#b9ae99",
        "edge-focus": "#8f4a0b",
        "bar": "#f0e9da",
        "key": "#8f4a0b",
        "asked": "#0d655d",
        "cited": "#f4e8c8",
        "block-cursor-foreground": "#10302b",
        "block-cursor-background": "#c9e4dc",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#26221d",
        "block-cursor-blurred-background": "#f0e9da",
        "input-cursor-text-style": "none",
        "input-cursor-background": "#8f4a0b",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#bfe0da",
        "scrollbar": "#b9ae99",
        "scrollbar-hover": "#948a77",
        "scrollbar-active": "#8f4a0b",
        "scrollbar-background": "#f0e9da",
        "scrollbar-background-hover": "#f0e9da",
        "scrollbar-background-active": "#f0e9da",
        "scrollbar-corner-color": "#fbf8f1",
    },
)

SIXTEEN_DARK = Theme(
    name="amauta-sixteen-dark",
    ansi=True,
    dark=True,
    primary="ansi_bright_yellow",
    secondary="ansi_bright_cyan",
    accent="ansi_bright_magenta",
    success="ansi_bright_green",
    warning="ansi_bright_yellow",
    error="ansi_bright_red",
    foreground="ansi_bright_white",
    background="ansi_black",
    surface="ansi_black",
    panel="ansi_black",
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_bright_white",
        "muted": "ansi_white",
        "edge": "ansi_white",
        "edge-focus": "ansi_bright_yellow",
        "bar": "ansi_black",
        "key": "ansi_bright_yellow",
        "asked": "ansi_bright_cyan",
        "cited": "ansi_black",
        "block-cursor-foreground": "ansi_bright_white",
        "block-cursor-background": "ansi_blue",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-foreground": "ansi_bright_white",
        "block-cursor-blurred-background": "ansi_black",
        "input-cursor-text-style": "none",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        "scrollbar": "ansi_cyan",
        "scrollbar-hover": "ansi_cyan",
        "scrollbar-active": "ansi_cyan",
        "scrollbar-background": "ansi_black",
        "scrollbar-background-hover": "ansi_black",
        "scrollbar-background-active": "ansi_black",
        "scrollbar-corner-color": "ansi_black",
    },
)

SIXTEEN_LIGHT = Theme(
    name="amauta-sixteen-light",
    ansi=True,
    dark=False,
    primary="ansi_blue",
    secondary="ansi_blue",
    accent="ansi_red",
    success="ansi_blue",
    warning="ansi_red",
    error="ansi_red",
    foreground="ansi_black",
    background="ansi_white",
    surface="ansi_white",
    panel="ansi_white",
    variables={
        "ansi-background": "ansi_white",
        "ansi-foreground": "ansi_black",
        "muted": "ansi_black",
        "edge": "ansi_black",
        "edge-focus": "ansi_blue",
        "bar": "ansi_white",
        "key": "ansi_blue",
        "asked": "ansi_blue",
        "cited": "ansi_white",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_cyan",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-foreground": "ansi_black",
        "block-cursor-blurred-background": "ansi_white",
        "input-cursor-text-style": "none",
        "input-cursor-background": "ansi_black",
        "input-cursor-foreground": "ansi_bright_white",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        "scrollbar": "ansi_blue",
        "scrollbar-hover": "ansi_blue",
        "scrollbar-active": "ansi_blue",
        "scrollbar-background": "ansi_white",
        "scrollbar-background-hover": "ansi_white",
        "scrollbar-background-active": "ansi_white",
        "scrollbar-corner-color": "ansi_white",
    },
)

THEMES = (DARK, LIGHT, SIXTEEN_DARK, SIXTEEN_LIGHT)


def without_colour(theme: Theme) -> Theme:
    """Return a theme for NO_COLOR: what is chosen is underlined, the cursor is reversed."""
    marks = {"block-cursor-text-style": "bold underline", "input-cursor-text-style": "reverse"}
    return replace(theme, variables=theme.variables | marks)


def theme_name(choice: str, colours: Colours) -> str:
    """Return the name of the theme for the choice `dark` or `light`."""
    return f"amauta-sixteen-{choice}" if colours == "sixteen" else f"amauta-{choice}"


def colours_of(color_system: str | None) -> Colours:
    """Tell how many colours a terminal has, from what Rich calls its color system."""
    return "full" if color_system in ("truecolor", "256") else "sixteen"
