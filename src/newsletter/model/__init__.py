"""The nouns: frozen values, standard library only, with the states and their allowed moves."""
