"""The device: packs, search, turns, learning, speech. No Textual, no torch."""

import os

__version__ = "0.1.0"

# onnxruntime would note its use in the user's folder and send it to its makers once there is internet. It asks when it is
# imported, and libraries that we carry import it too: only here is before all of them.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
