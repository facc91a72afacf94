"""The page: where everything stands, and what leads to what."""
