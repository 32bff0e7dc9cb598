"""Which records a run sends, and from which on: a new stream, or the one that a state file knows."""

import secrets
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from producer.arguments import Arguments, shares
from producer.block import Source
from producer.injections import Shares
from producer.pace import Pace
from producer.replay import Replay
from producer.simulation import Options, Simulation
from producer.state import State, StateError, read_state

_BULK = 5_000  # events a second from which throughput counts for more than milliseconds
_LATE_BEYOND = 300_000  # milliseconds that a late record is behind what is still allowed
_LEAST_USERS = 10_000


class UsageError(Exception):
    """The options do not go together; the message says which and why."""


@dataclass(frozen=True)
class Run:
    """A source, where it stands, how fast it goes; `title` tells a person what is going to be sent."""

    source: Source
    state: State
    pace: Pace
    bulk: bool
    title: str


def plan(arguments: Arguments, now: int, allowed_lateness: int) -> Run:
    """What to send. `now` and `allowed_lateness` are in milliseconds.

    Raises UsageError, StateError, or InputError for --from.
    """
    known = read_state(arguments.state) if arguments.state else None
    if arguments.origin is not None:
        return _replay(arguments, arguments.origin, known, now)
    return _simulate(arguments, known, now, allowed_lateness)


def _replay(arguments: Arguments, origin: str, known: State | None, now: int) -> Run:
    source = Replay(origin)
    if known and known.source != source.identity:
        raise StateError(
            f"{arguments.state} belongs to {known.source}, not to {origin} as it is now: "
            "name another state file"
        )
    return Run(
        source=source,
        state=known or State(source.identity, now),
        pace=Pace(arguments.speed, duration=arguments.duration),
        bulk=arguments.speed is None and origin != "-",
        title="standard input" if origin == "-" else origin,
    )


def _simulate(arguments: Arguments, known: State | None, now: int, allowed_lateness: int) -> Run:
    if known:
        options = _known_options(arguments, known)
    elif arguments.speed != 1 and "start" not in arguments.stream:
        raise UsageError(
            "with a --speed other than 1 event time leaves the clock behind: say with --start where it begins"
        )
    else:
        options = _new_options(arguments.stream, now, allowed_lateness)
    source = Simulation(options)
    state = known or State(source.identity, now)
    stream_now = options.start + (now - state.began) * (arguments.speed or 1)
    rate = "10 to 100" if options.rate is None else f"{float(options.rate):,g}"
    behind = f", {(now - state.began) / 1000:,.0f} s after it began" if known else ""
    return Run(
        source=source,
        state=state,
        pace=Pace(arguments.speed, stream_now, arguments.duration),
        bulk=arguments.speed is None or (options.rate or 100) * Fraction(arguments.speed) >= _BULK,
        title=f"{rate} payments a second, seed {options.seed}, from number {state.next:,}{behind}",
    )


def _new_options(stream: dict[str, Any], now: int, allowed_lateness: int) -> Options:
    rate = stream.get("rate")
    users = max(_LEAST_USERS, int(60 * rate)) if isinstance(rate, Fraction) else _LEAST_USERS
    defaults = Options(
        seed=secrets.randbits(32),
        start=now,
        rate=None,
        users=users,
        shares=shares(stream),
        late_by=allowed_lateness + _LATE_BEYOND,
    )
    return replace(defaults, **_named(stream))


def _named(stream: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, but for the shares."""
    return {name: stream[name] for name in ("seed", "start", "rate", "users", "iso") if name in stream}


def _known_options(arguments: Arguments, known: State) -> Options:
    """The options of the stream that a state file knows; those given now must be the same."""
    path = arguments.state
    try:
        options = _options(known.source)
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"{path} belongs to {known.source}, not to a simulation: name another") from error
    used = asdict(options) | {f"{name}_rate": share for name, share in asdict(options.shares).items()}
    for name, value in arguments.stream.items():
        if used[name] != value:
            raise UsageError(
                f"--{name.replace('_', '-')} is another than that of the run in {path} ({used[name]}): leave "
                "it out to go on with that run, or remove the file to start a new one"
            )
    return options


def _options(source: dict[str, Any]) -> Options:
    values = dict(source)
    rate = values.pop("rate")
    given = values.pop("shares")
    options = Options(rate=None if rate is None else Fraction(str(rate)), shares=Shares(**given), **values)
    if Simulation(options).identity != source:
        raise ValueError("not what a simulation writes")
    return options
