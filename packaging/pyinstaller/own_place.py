"""Before anything of the app runs: what must not come in from outside, and must not leak out.

Python's own search never looks into the present folder here. llama.cpp would take a library named
in a variable from anywhere. The library path that PyInstaller's starter sets is of use only to
itself: a player program started with it would get our libraries instead of its own.
"""

import os

os.environ.pop("GGML_BACKEND_PATH", None)
_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if _before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = _before
