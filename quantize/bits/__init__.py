"""Bits per tensor: measure what each costs, share out a budget, and write the file.

Each step takes paths and one frozen settings dataclass, and leaves one output:

    importance(folder, gguf, calibration, settings, output, work)   -> importance.npz   quantize.bits.importance
    allocate(gguf, importance, settings, output) -> Plan            -> plan.json        quantize.bits.allocate
    quantize(gguf, plan, importance, output, threads=1)             -> a GGUF file      quantize.bits.quantize
    qad(folder, gguf, plan, importance, calibration, settings, output, work) -> bool
                                                                    -> a HF folder      quantize.bits.qad
    graft(gguf, folder, output)      the 16-bit GGUF with that folder's weights         quantize.bits.twins
    promise(folder, gguf, quantized, texts) -> Promise              how near the file is to what was promised
                                                                                        quantize.bits.promise

`folder` is a Hugging Face checkpoint, `gguf` the 16-bit file that was converted from it.
The settings are `ImportanceSettings`, `AllocateSettings` and `QadSettings` in
`quantize.bits.settings`. Importing a module here loads no torch.
"""
