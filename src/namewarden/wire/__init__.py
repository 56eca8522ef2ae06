"""Bytes to nouns and back, pure: no socket, no clock, no dice.

`names` octets ↔ text · `message` what arrives and what is asked upstream · `answers` what goes back ·
`records` own records as wire · `types` the mnemonics. Junk raises `errors.WireError`, nothing else.
Counterpart: the listeners and upstreams in `net/`.
"""
