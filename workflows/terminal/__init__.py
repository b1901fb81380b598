"""Terminal: options, words and bars that commands share."""
