"""Store: the only place that speaks SQL. Other rooms see `ports.py` and `seam.py`."""
