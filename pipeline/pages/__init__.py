"""Pages: stills as they are written, tile by tile."""
