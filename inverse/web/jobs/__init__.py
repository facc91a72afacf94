"""Runs on their way through the queue and the device."""
