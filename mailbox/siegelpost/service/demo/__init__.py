"""A whole Siegelpost on one machine, to be tried by a person or to play through by itself."""
