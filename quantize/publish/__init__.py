"""Put finished artifacts and their cards into a numbered release and into models_manifest.json.

    publish(settings, model, card, extras, releases, manifest, models) -> Path      quantize.publish.release
        settings   quantize.publish.settings.PublishSettings: id, licence, notice, languages, url ...
        model      the artifact: a GGUF or ONNX file
        card       its report card
        extras     further files that travel with it: reference, report, boletín
        releases   the folder of releases (build/releases); the answer is its folder NUMBER
        manifest   models_manifest.json
        models     edge/models, where embedded artifacts lie

    refresh(manifest, models) -> list[str]      quantize.publish.embedded; also `python -m quantize.publish`
        bring the rows of the embedded models up to date

The release number grows by one when, and only when, an artifact changed. Signing
comes after (`quantize.signing`, docs/pipeline/publish.md).
"""
