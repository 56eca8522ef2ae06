"""The one error of a download."""


class DownloadError(Exception):
    """Why a list could not be downloaded, in words that go on after "cannot be downloaded: "."""
