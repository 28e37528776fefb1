"""The protocols and values that adapters and models share: clouds, runtimes, sizes."""
