"""Training: from color pictures to weights, without the command line."""
