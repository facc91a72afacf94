"""Several runs: in lockstep, in processes, as a sweep."""
