"""Our own page elements."""
