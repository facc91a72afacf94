"""Measuring solvers: against exact posteriors, on photographs, in time; and the search of presets."""
