"""What every part of the page and its server stands on."""
