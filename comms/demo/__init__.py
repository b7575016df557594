"""The main job on invented data, with nothing but this program: what `comms demo` shows."""
