"""The command line's parts: options made from the registries, one file a command."""
