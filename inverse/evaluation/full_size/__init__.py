"""Photos at full size where the truth is known: scenes, classical methods, what the command takes, and a page of it."""
