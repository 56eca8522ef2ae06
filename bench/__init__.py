"""Side-by-side measurements against other resolvers, run by `make bench`."""
