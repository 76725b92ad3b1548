"""Where a worker of a supervisor stands: its number, and what it inherited."""

import os
import socket
from typing import Self

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Numbers of descriptors: the socket to listen on, where to say that it serves, and a line that ends with
    the supervisor."""

    number: int
    listener: int
    ready: int
    line: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `--worker`. Raises ValueError."""
        return cls(*map(int, text.split(",")))

    def socket(self) -> socket.socket:
        return socket.socket(fileno=self.listener)

    def say_ready(self) -> None:
        """Tell the supervisor that people are served."""
        os.write(self.ready, b"1")
        os.close(self.ready)
