"""What can go wrong, as types. Each carries a code that clients read, an HTTP status, and what to do next.

The codes are those of `docs/protocol.md`; sockets send them as `error` frames, HTTP as problem+json.
"""


class BalieError(Exception):
    """The base of every error that a client may be told about."""

    code = "unavailable"
    status = 503
    retry_after_ms: int | None = None

    def __init__(self, detail: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if retry_after_ms is not None:
            self.retry_after_ms = retry_after_ms


class MalformedError(BalieError):
    """A value of the wrong type, size or form."""

    code = "malformed"
    status = 422


class UnknownTypeError(BalieError):
    """A frame type that this kind of client may not send."""

    code = "unknown_type"
    status = 422


class TooLongError(BalieError):
    """More text, files or bytes than Balie takes at once."""

    code = "too_long"
    status = 413


class RunnableError(BalieError):
    """A file that would run when somebody opens it."""

    code = "runnable"
    status = 415


class EmptyError(BalieError):
    """Nothing was said and no file came with it."""

    code = "empty"
    status = 422


class UnauthorisedError(BalieError):
    """Nobody is signed in, or no longer."""

    code = "unauthorised"
    status = 401


class ForbiddenError(BalieError):
    """Signed in, but not allowed; or asked from a foreign origin."""

    code = "forbidden"
    status = 403


class NotFoundError(BalieError):
    """No such thing for this actor; also said of what belongs to somebody else."""

    code = "not_found"
    status = 404


class ConflictError(BalieError):
    """What was asked does not go together with what is already there."""

    code = "conflict"
    status = 409


class TakenError(ConflictError):
    """Somebody else was first; `holder` is his id, where there is one."""

    code = "taken"

    def __init__(self, detail: str, *, holder: str | None = None) -> None:
        super().__init__(detail)
        self.members = {"holder": holder} if holder else {}


class ClosedError(BalieError):
    """The conversation does not take this act in its state."""

    code = "closed"
    status = 409


class RateLimitedError(BalieError):
    """Too much in too short a time."""

    code = "rate_limited"
    status = 429
    retry_after_ms = 1_000


class BusyError(BalieError):
    """A bounded queue is full; nothing was stored."""

    code = "busy"
    status = 503
    retry_after_ms = 1_000


class UnavailableError(BalieError):
    """The store cannot write now; nothing was stored."""

    code = "unavailable"
    status = 503
    retry_after_ms = 2_000
