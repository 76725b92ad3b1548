"""Files that do something when they are opened. They are refused, by name and by first bytes. Pure.

A page or a drawing (HTML, SVG) is not among them: Balie hands it out as bytes to save, never to show. What
is packed in an archive is not looked into; whoever unpacks it is asked by his own machine.
"""

# What mail providers refuse too, and what Linux and macOS run.
_LISTED = """
ade adp apk app appimage application appref-ms appx appxbundle bash bat cab chm cmd com command cpl
deb desktop diagcab diagcfg diagpkg dll dmg drv exe gadget hlp hta img inf ins iso isp jar jnlp js jse
ksh lib lnk mde mjs msc msh msi msix msixbundle msp mst nsh ocx pif pkg ps1 ps1xml ps2 psc1 psm1 pyw reg
rpm run scf scr sct settingcontent-ms sh shb shs sys terminal url vb vbe vbs vhd vhdx vxd workflow ws wsc
wsf wsh xll
"""
ENDINGS = frozenset(_LISTED.split())
_SIGNS = (
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",  # Mach-O, either end first, for 32 and 64 bits
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # Mach-O for several machines, and Java
    b"\x4c\0\0\0\x01\x14\x02\0",  # a shortcut of Windows
    b"!<arch>\n",
    b"\xed\xab\xee\xdb",
    b"dex\n",
    b"\0asm",
    b"MSCF\0\0\0\0",
    b"#!/",
    b"#! /",
)


def ending_of(name: str) -> str:
    """`exe` of "a.b.EXE" and of "a.exe::$DATA", which Windows writes as "a.exe"; "" without one."""
    _, dot, ending = name.partition(":")[0].rstrip(". ").rpartition(".")
    return ending.lower() if dot else ""


def is_runnable(content: bytes, name: str) -> bool:
    """Whether opening this file would run it."""
    return ending_of(name) in ENDINGS or content.startswith(_SIGNS) or _is_for_windows(content)


def _is_for_windows(content: bytes) -> bool:
    """MZ could also be how a text begins; a program has bytes there that no text has."""
    return content.startswith(b"MZ") and b"\0" in content[:64]
