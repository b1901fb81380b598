"""Values: what is passed around between the wings. No I/O, and no library of media."""
