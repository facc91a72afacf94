"""Experiments over the library: searching presets, sweeping, comparing."""
