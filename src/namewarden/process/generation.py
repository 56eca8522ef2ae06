"""One opaque text for all that verdicts are made of: who keeps verdicts asks anew when it is another.

It is made of what is in force, so another process says the same of the same. Counterpart: `net/verdicts.py`.
"""

from hashlib import blake2b

import msgspec

from namewarden.detector.folder import Manifest
from namewarden.policy.decide import Policy
from namewarden.settings import Settings


class Generation:
    """Settings and model stay what they are; `of` a policy."""

    def __init__(self, settings: Settings, model: Manifest, secret: bytes) -> None:
        self._digest = blake2b(key=secret, digest_size=16)
        self._add(settings.model_dump_json().encode())
        self._add(msgspec.msgpack.encode(model))
        self._known: tuple[Policy, str] | None = None

    def _add(self, octets: bytes) -> None:
        self._digest.update(len(octets).to_bytes(8) + octets)

    def of(self, policy: Policy) -> str:
        if self._known is None or self._known[0] is not policy:
            digest = self._digest.copy()
            digest.update(policy.snapshot.digest)
            digest.update(msgspec.msgpack.encode(policy.rules.overlay))
            self._known = policy, digest.hexdigest()
        return self._known[1]
