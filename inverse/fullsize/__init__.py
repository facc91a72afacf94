"""Photos at their own resolution: by windows where a part is damaged, by blocks where all of it is."""
