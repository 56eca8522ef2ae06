"""What can go wrong with lists and snapshots, raised here and caught by who keeps the last good one."""


class ListError(Exception):
    """A list or a snapshot file cannot be used. The message says why, for people; nothing was changed."""
