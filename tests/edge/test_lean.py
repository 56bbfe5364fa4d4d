"""Less is imported and less is held: one module without its package, a version without what reads it, a file given back."""

from __future__ import annotations

import mmap
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from edge.lean import bare, version_of
from edge.llama.loading import Mapped

SIZE = 32 << 20


def test_a_module_comes_without_its_package_which_is_whole_afterwards() -> None:
    program = (
        "import sys\n"
        "from edge.library.terms import term_of\n"
        "assert term_of('plantas', 'es') == {'esplant'}, term_of('plantas', 'es')\n"
        "others = [name for name in sys.modules if name.startswith('snowballstemmer.')]\n"
        "assert 'snowballstemmer' not in sys.modules\n"
        "assert not any('arabic' in name for name in others), others\n"
        "import snowballstemmer\n"
        "assert snowballstemmer.stemmer('arabic')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_not_there_has_no_version() -> None:
    with pytest.raises(ImportError), bare("no_such_package"):
        pass
    assert version_of("no_such_package", "no_such_package") == ""
    assert version_of("llama_cpp_python", "llama_cpp") == version("llama-cpp-python")
    assert version_of("onnxruntime", "onnxruntime") == version("onnxruntime")


def held_mb(file: Path) -> float:
    """Return how much of a mapped file is in this process's memory."""
    found = 0
    here = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            here = line.endswith(f" {file}")
        elif here and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_what_was_read_of_a_mapped_file_is_given_back_and_reads_the_same_again(tmp_path: Path) -> None:
    path = tmp_path.resolve() / "weights"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert sum(view[:: mmap.PAGESIZE]) == 0
        assert held_mb(path) == SIZE >> 20
        mapped = Mapped(path)
        assert mapped.let_go(0.05)
        assert held_mb(path) == SIZE >> 20, "too little was read for the trouble"
        assert mapped.let_go(0.5)
        assert held_mb(path) <= SIZE * 0.55 / (1 << 20)
        assert mapped.let_go(1.0)
        assert held_mb(path) < 1
        assert view[SIZE // 2 + 7] == 7
