"""Language: what a tag means, what readers ask for, and our own phrases in their words."""
