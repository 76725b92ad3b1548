"""What a User-Agent header tells an agent who wants to help: the kind of device, browser and system. Rough
on purpose; the header itself is not kept."""

from balie.kernel.events import Device

_BROWSERS = (
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS = (
    ("iphone", "iOS"),
    ("ipad", "iPadOS"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("mac os", "macOS"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
)


def describe(user_agent: str, time_zone: str = "") -> Device:
    """The device behind a User-Agent header; empty words where it does not tell."""
    low = user_agent[:500].lower()
    return Device(
        kind=_kind(low),
        browser=_first(low, _BROWSERS),
        system=_first(low, _SYSTEMS),
        time_zone=time_zone,
    )


def _kind(low: str) -> str:
    if not low:
        return ""
    if "ipad" in low or "tablet" in low or ("android" in low and "mobile" not in low):
        return "tablet"
    if "mobi" in low or "iphone" in low:
        return "phone"
    return "desktop"


def _first(low: str, table: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in table if sign in low), "")
