"""Courses: categories, courses, their sections and lessons, from the first draft through approval to the catalogue.

It does not know who is enrolled, what was paid, or how a video is made playable: it holds the price and the id of the asset.
"""
