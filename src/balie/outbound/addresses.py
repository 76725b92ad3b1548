"""Which addresses are somebody's on the open internet. Pure.

Refused is what the registries of IANA (IPv4 and IPv6 Special-Purpose Address Registries, RFC 6890 and its
updates) do not call globally reachable, multicast, and what carries an IPv4 address inside: that one counts.
Clouds answer for themselves under a few addresses that are public by name only.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's own
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_NOT_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols' own, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")
_INSIDE = 0xFFFF_FFFF


def is_public(address: Address) -> bool:
    """Whether somebody on the open internet may be behind it."""
    plain = unwrapped(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in each for each in _NOT_V4)
    # ISATAP carries an IPv4 address in its last half, under any prefix.
    isatap = (int(plain) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE
    return plain in _GLOBAL_V6 and not isatap and not any(plain in each for each in _NOT_V6)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where the way to it is a translation; else itself."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & _INSIDE)
    return address


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Whether an operator has named it."""
    plain = unwrapped(address)
    return any(plain.version == each.version and plain in each for each in networks)


def parse_address(text: str) -> Address:
    """An address as a resolver gives it. Raises ValueError; a zone (`%eth0`) is none of ours."""
    if "%" in text:
        raise ValueError("an address with a zone")
    return ip_address(text)
