"""Training of priors on folders of photographs."""
