"""Make a smaller model of a larger one: distil it, prune it, trim its vocabulary; and say beforehand what that costs.

What the steps of a recipe call (each is resumable and leaves one folder):

- `distil.distil(teacher: Path, corpus: Path, settings: DistilSettings, output: Path, work: Path) -> None`
  writes the student as a Hugging Face folder; `corpus` holds `distil.jsonl`, or windows already encoded
  (`windows.npy`, see `windows`); teacher logits are cached under `work` and serve any number of students.
- `trim.trim(folder: Path, texts: Iterable[str] | Mapping[str, Iterable[str]], settings: TrimSettings, output: Path)
  -> TrimReport` writes the same model with fewer tokens; the logits of those kept are the same bits.
- `paper.paper(settings: PaperSettings) -> str` is a dry run: memory a device, hours and disk of a distillation, as text.

Settings are the frozen dataclasses of `settings`, readable from a recipe with `quantize.recipe.read_table`.
"""
