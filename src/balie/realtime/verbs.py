"""Who may send which frame, door by door. A frame without a line here stops the server at start."""

import typing

from balie.edge.policy import Policy, declare_verb, verb_policy
from balie.realtime.protocol import frames as f

DOORS: dict[str, tuple[Policy, tuple[str, ...]]] = {
    "visitor": (Policy.VISITOR, ("post", "resume", "leave", "mark", "typing", "page", "ping")),
    "agent": (
        Policy.AGENT,
        ("post", "note", "resume", "leave", "mark", "typing", "alive", "ping"),
    ),
}
FRAMES = {"visitor": f.VisitorFrame, "agent": f.AgentFrame}


def declare() -> None:
    """Put the verbs into the table of policies. Raises UndeclaredError for a frame without one."""
    for door, (policy, verbs) in DOORS.items():
        for verb in verbs:
            declare_verb(door, verb, policy)
    for door, union in FRAMES.items():
        for frame in typing.get_args(union):
            verb_policy(door, str(frame.__struct_config__.tag))
