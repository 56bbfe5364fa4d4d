"""A checkpoint folder becomes ONNX files: exported by optimum, made small by onnxruntime, proved against torch.

What the pipeline calls (heavy libraries are imported inside the functions):

    from quantize.onnx.export import export        # checkpoint folder -> fp32 ONNX folder
    from quantize.onnx.shrink import quantize      # ONNX folder -> int8 or int4 ONNX folder
    from quantize.onnx.parity import parity, check # how far an ONNX folder is from its checkpoint

    export(folder: Path, task: str, output: Path) -> None
        task: "feature-extraction", "question-answering", "token-classification" (encoders),
              "text-generation", "text-generation-with-past" (decoders)
    quantize(onnx: Path, kind: Literal["int8", "int4"], output: Path) -> None
    parity(folder: Path, onnx: Path, texts: Sequence[str]) -> Parity
    check(found: Parity, kind: Literal["fp32", "int8", "int4"]) -> None     raises RecipeError("onnx-parity")
    Parity.facts() -> dict[str, Any]              what a report card keeps

An *ONNX folder* holds `model.onnx` (with `model.onnx_data` beside it above 2 GB), `tokenizer.json`, `config.json` and
`onnx.json`, the facts written last: {"task", "family", "kind", "bytes", "sha256", "opset", "made_from"}. Each
function writes to a folder beside `output` first and renames it, so a kill leaves nothing half made; all raise
RecipeError with one clear sentence. `quantize.onnx.runner` runs such a folder without torch or transformers.
"""
