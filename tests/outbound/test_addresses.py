"""Which addresses are public. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.outbound.addresses import is_public, is_within, parse_address

# fmt: off
PRIVATE = [
    "0.0.0.0", "0.255.255.255", "10.0.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:5ef5:79fb::1", "2001:db8::1", "2002:7f00:1::",
    "2002:5db8:d822::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1",
]
PUBLIC = [
    "1.1.1.1", "9.9.9.9", "11.0.0.1", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.0.1",
    "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001::1",
    "64:ff9b::101:101", "::ffff:8.8.8.8",
]
# fmt: on


@pytest.mark.parametrize("text", PRIVATE)
def test_private(text):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text):
    assert is_public(ip_address(text))


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_nothing_that_python_calls_private_is_public(address):
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
    assert is_public(IPv6Address(f"::ffff:{address}")) is is_public(address)
    assert is_public(IPv6Address((0x64FF9B << 96) | int(address))) is is_public(address)
    assert not is_public(IPv6Address((0x2002 << 112) | (int(address) << 80)))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_only_global_unicast_is_public(address):
    if is_public(address) and address.ipv4_mapped is None:
        assert address.is_global
        assert not any((address.is_private, address.is_multicast, address.is_reserved))


def test_what_an_operator_names():
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert is_within(ip_address("10.1.2.3"), networks)
    assert is_within(ip_address("::ffff:10.1.2.3"), networks)
    assert is_within(ip_address("fd00::1"), networks)
    assert not is_within(ip_address("10.2.0.1"), networks)


def test_an_address_with_a_zone_is_none():
    with pytest.raises(ValueError, match="zone"):
        parse_address("fe80::1%eth0")
