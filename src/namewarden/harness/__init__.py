"""Asks any resolver a list of names and says where its answers differ from what is expected, and how long they took.

Counterpart: `cli/harness.py`. Nothing here knows how our own resolver works: it is asked as any other.
"""
