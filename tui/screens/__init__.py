"""One module a screen. What they share lies in `tui.widgets`."""
