"""Pure decisions: what lists, rules and groups say about a name. No socket, no clock, no dice.

Counterparts: the hub writes a `spec.SnapshotSpec`, `compile.py` makes one immutable file of it, every
resolver maps that file (`snapshot.py`) and asks `decide.py`.
"""
