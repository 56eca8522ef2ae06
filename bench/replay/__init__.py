"""Real names through the running product, and what it did with them (`docs/replay.md`).

- `names.py` what is asked: buckets of names, each name with what the model knew of it
- `firewall.py` the product with its defaults, and its event log read through the hub
- `stub.py` a stub resolver for many names
- `count.py` names and their events, counted by bucket
- `page.py` the counts as Markdown
"""
