"""Lectern: the course platform for the people who run courses."""
