"""The demonstration: two invented companies, and the whole main job through the real parts."""
