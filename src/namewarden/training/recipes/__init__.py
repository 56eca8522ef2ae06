"""Recipes: what a model is made of and what it is taught with, one file each."""
