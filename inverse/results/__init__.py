"""What is read off a run: its misfit, and how much its samples differ."""
