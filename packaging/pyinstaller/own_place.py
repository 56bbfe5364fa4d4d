"""Before anything of the app runs: what must not come in from outside, and must not leak out.

Python's own search never looks into the present folder here. llama.cpp would take a library named
in a variable from anywhere. The library path that PyInstaller's starter sets is of use only to
itself: a player program started with it would get our libraries instead of its own. Nor may its
marks stay: this very program, started again for the model of a class, would take itself for a part
of the first one, look for no library path, and find no library.
"""

import os

for _name in [_name for _name in os.environ if _name.startswith("_PYI_")]:
    del os.environ[_name]

os.environ.pop("GGML_BACKEND_PATH", None)
_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if _before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = _before
