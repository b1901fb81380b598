"""Demo: the film that `chromatheque demo` makes and colors."""
