"""A problem, and what is read off a run on it: its record, its misfit, and how much its samples differ."""
