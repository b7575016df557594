"""Keeps what is asked of the network to the public part of it: a campaign is text that somebody wrote."""

from __future__ import annotations

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address."""
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""RFC 5214 section 6.1: what stands before the IPv4 address in the last eight bytes."""


def is_public(address: Address) -> bool:
    """May it be connected to: not private, loopback, link-local, multicast or reserved, in whatever clothes."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:
            return False
        if inner := _inner(address):
            return all(map(is_public, inner))
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 one end at, or go by."""
    if address.teredo:
        return list(address.teredo)
    if inner := address.ipv4_mapped or address.sixtofour:
        return [inner]
    if address in _NAT64 or int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


def addresses(host: str, port: int) -> list[Address]:
    """Where the host is, as this machine sees it. Raises OSError, socket.gaierror among them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "this can not be the name of a host") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
