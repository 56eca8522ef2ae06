"""The name classifier at run time. Nothing of it leaves the machine."""

import os

# ONNX Runtime has telemetry from 1.29 on: a device id and a queue of events below the home folder, and an uploader.
# It decides on its first import, and every module of ours that imports it is in this room or imports from it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
