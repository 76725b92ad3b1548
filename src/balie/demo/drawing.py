"""The bicycles of the demo shop, drawn from measurements instead of from picture files.

A frame is described the way a frame builder does (lengths, angles); `skeleton` turns that into the
points between which a template draws tubes. Lengths are in drawing units of about 3.4 mm, angles in
degrees from the ground, and y grows downwards as in SVG.
"""

from math import cos, radians, sin

import msgspec

GROUND = 392.0


class Point(msgspec.Struct, frozen=True):
    x: float
    y: float

    def along(self, angle: float, length: float) -> "Point":
        """The point `length` further in the direction `angle`; 0 is to the right, 90 is up."""
        turn = radians(angle)
        return Point(round(self.x + length * cos(turn), 1), round(self.y - length * sin(turn), 1))

    def towards(self, other: "Point", share: float) -> "Point":
        """The point at `share` (0 to 1) of the way to `other`."""
        return Point(
            round(self.x + (other.x - self.x) * share, 1),
            round(self.y + (other.y - self.y) * share, 1),
        )


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a frame builder would write down."""

    shape: str
    wheel: float = 100
    front_wheel: float = 100
    tyre: float = 11
    left: float = 164
    wheelbase: float = 314
    chainstay: float = 133
    drop: float = 18
    seat_angle: float = 70
    seat_tube: float = 160
    post: float = 34
    head_angle: float = 69
    head_tube: float = 46
    fork: float = 116
    rake: float = 18
    stem: float = 36
    tube: float = 11
    column: float = 0
    """Where above 0: how far ahead of the bracket the steering column stands, apart from the wheel."""


class Skeleton(msgspec.Struct, frozen=True):
    """The points that tubes, saddle and handlebar hang on."""

    rear: Point
    front: Point
    bracket: Point
    seat: Point
    saddle: Point
    crown: Point
    head: Point
    clamp: Point


def skeleton(frame: Frame) -> Skeleton:
    rear = Point(frame.left, GROUND - frame.wheel - frame.tyre / 2)
    front = Point(frame.left + frame.wheelbase, GROUND - frame.front_wheel - frame.tyre / 2)
    bracket = Point(
        round(rear.x + (frame.chainstay**2 - frame.drop**2) ** 0.5, 1), rear.y + frame.drop
    )
    seat = bracket.along(180 - frame.seat_angle, frame.seat_tube)
    steering = 180 - frame.head_angle
    crown = front.along(steering + 90, frame.rake).along(steering, frame.fork)
    if frame.column:
        crown = Point(bracket.x + frame.column, bracket.y)
    head = crown.along(steering, frame.head_tube)
    return Skeleton(
        rear=rear,
        front=front,
        bracket=bracket,
        seat=seat,
        saddle=seat.along(180 - frame.seat_angle, frame.post),
        crown=crown,
        head=head,
        clamp=head.along(steering, frame.stem),
    )


def arc(centre: Point, radius: float, start: float, end: float) -> str:
    """Path data of a circular arc, anticlockwise from angle `start` to angle `end`."""
    begin, stop = centre.along(start, radius), centre.along(end, radius)
    large = int(end - start > 180)
    return f"M{begin.x} {begin.y}A{radius} {radius} 0 {large} 0 {stop.x} {stop.y}"


def spokes(centre: Point, radius: float, count: int = 20) -> str:
    """Path data of spokes that leave the hub at its rim, as laced wheels do, in crossing pairs."""
    lines = []
    for number in range(count):
        angle = 360 * number / count
        hub = centre.along(angle + (70 if number % 2 else -70), 6)
        rim = centre.along(angle, radius)
        lines.append(f"M{hub.x:.0f} {hub.y:.0f}L{rim.x:.0f} {rim.y:.0f}")
    return "".join(lines)
