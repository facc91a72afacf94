"""Several runs: in lockstep, or as a sweep."""
