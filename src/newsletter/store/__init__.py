"""Store: the only place that speaks SQL. Other rooms see `ports/` and `seam.py`."""
