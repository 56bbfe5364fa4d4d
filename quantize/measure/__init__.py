"""Measure a finished GGUF file with the engine that ships, against the 16-bit file it was made from.

    evaluate(parent, model, held, settings, output_card, reference)      quantize.measure.evaluate
        parent      the 16-bit GGUF
        model       the quantized GGUF
        held        held.jsonl: texts that nothing was trained or calibrated on
        settings    quantize.measure.settings.MeasureSettings (a recipe's table)
        output_card card.json, the report card that devices read (edge.release.card)
        reference   the parent's top-k scores on these texts (.npz): any laptop can recompute the divergence with
                    `amauta-quantize score MODEL REFERENCE`, without the parent

What was finished is kept in `<output_card>.parts`, so that a killed run goes on where it
was. Importing a module here loads no torch; llama.cpp is loaded when it is used.
"""
