"""Web: public pages for readers."""
