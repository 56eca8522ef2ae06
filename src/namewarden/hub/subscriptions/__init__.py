"""Lists by URL: downloaded now and then, checked, and kept as files that the publisher compiles like any other list.

`follow.py` says when, `fetch.py` asks a server, `connect.py` is the only way to one, `unpack.py` opens what came,
`store.py` keeps it.
"""
