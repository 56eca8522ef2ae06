"""The one error of a download."""

MOST = 300  # characters


class DownloadError(Exception):
    """Why a list could not be downloaded, in words that go on after "cannot be downloaded: ". A server may have written
    some of them, so they are bounded, and nothing in them moves a terminal's cursor."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        cut = why if len(why) <= MOST else f"{why[:MOST]}..."
        plain = (c if c.isprintable() else ascii(c)[1:-1] for c in cut)
        super().__init__("".join(plain))
        self.after = after  # seconds in which its server does not want to be asked again
