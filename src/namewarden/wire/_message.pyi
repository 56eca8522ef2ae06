"""What the C helper offers: plain messages read at once, None for all others. `message.py` has the same in Python."""

def question(data: bytes, /) -> tuple[int, str, int, bytes, int, int, bool, int] | None: ...
def answer(
    data: bytes, question: bytes, /
) -> (
    tuple[
        int,
        bytes,
        tuple[int, int, int],
        tuple[int, ...],
        int,
        bool,
        bool,
        tuple[str, ...],
        tuple[str, ...],
    ]
    | None
): ...
def mixed(question: bytes, bits: int, /) -> bytes: ...
def echo(data: bytes, question: bytes, cookie: bytes, /) -> int: ...
