"""Conditional score estimators: priors that also look at the measurement, E[x0 | x, y]."""
