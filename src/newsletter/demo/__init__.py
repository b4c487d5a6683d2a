"""Demo: sample partners on loopback and the whole pipeline run over them."""
