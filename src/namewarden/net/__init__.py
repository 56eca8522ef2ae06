"""The only sockets on a query's path.

`udp` and `tcp` are the listeners that clients ask at, `verdicts` and `original` those that other programs ask at,
`upstreams` asks onwards. A listener turns bytes into a `Query`, awaits the chain, and writes the `Answer`; it judges
nothing.
"""
