"""The app for programs."""
