"""What kind of device a browser says it runs on: three words, nothing finer. "" where it does not say."""

_TABLET = ("ipad", "tablet", "kindle", "silk/", "playbook")
_PHONE = ("iphone", "ipod", "mobile", "mobi", "windows phone")


def device_of(user_agent: str) -> str:
    """Return "phone", "tablet", "desktop", or "" for what is no browser."""
    said = user_agent[:500].lower()
    if not said.startswith("mozilla/"):
        return ""
    if any(word in said for word in _TABLET) or ("android" in said and "mobi" not in said):
        return "tablet"
    return "phone" if any(word in said for word in _PHONE) else "desktop"
