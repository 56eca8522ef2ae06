"""The version a change is based on: `If-Match: "12"` or a field `version`, as in HTTP and Elasticsearch."""

from namewarden.hub.gate import ApiError


def expected_version(if_match: str | None, field: int | None, default: int | None) -> int | None:
    """What the store shall compare with; `default` when the client says nothing. `If-Match: *` = any."""
    if if_match is None:
        return default if field is None else field
    text = if_match.strip().removeprefix("W/").strip('"')
    if text == "*":
        return None
    if not text.isdecimal() or len(text) > 18:
        raise ApiError(422, 'If-Match is a version such as "12"')
    return int(text)
