"""Mailbox: an SMTP server on loopback that keeps what it gets and shows it on a page."""
