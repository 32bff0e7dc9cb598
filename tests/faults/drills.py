"""The drills, each as a whole: a lane under load, faults at moments of a seed, recovery, the verdict."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from tests.faults import outages, worker_kills
from tests.faults.cluster import lose_brokers_in_turn, opened_cluster
from tests.faults.driver_kills import kill_drivers
from tests.faults.ground import Ground, Load, opened_ground
from tests.faults.judgement import Verdict, judged
from tests.faults.lane_drills import LANE_DRILLS
from tests.faults.load import Adversary
from tests.faults.producer_kills import RealProducer, gaps_and_repeats, kill_producer
from tests.faults.servers import Servers
from tests.integration.lane import Lane, opened_lane


@dataclass(frozen=True)
class Place:
    """Where a drill runs, with what moments; `long` ones last longer and kill more often."""

    servers: Servers
    name: str
    folder: Path
    random: Random
    say: Callable[[str], None]
    long: bool = False


@dataclass(frozen=True)
class Outcome:
    """`faults` that were injected, `records` read, `alerts` demanded, and what is not as it must be."""

    faults: int
    records: int
    alerts: int
    differences: list[str]


def driver(place: Place) -> Outcome:
    """Drill 1: kills of the Spark driver, at each border of a micro-batch and at random moments."""
    with _ground(place, Adversary) as ground:
        kill_drivers(ground, at_random_times=20 if place.long else 1)
        ground.start_job()
        return _verdict(ground)


def executor(place: Place) -> Outcome:
    """Drill 2: one of several executors is killed."""
    with _ground(place, Adversary) as ground:
        ground.start_job(**worker_kills.LOCAL_CLUSTER)
        worker_kills.kill_executor(ground)
        return _verdict(ground)


def outages_and_workers(place: Place) -> Outcome:
    """Drills 2 to 4: kills of workers and JVM, Kafka and S3 away, slow, wrong or cut, in random order."""
    with _ground(place, Adversary) as ground:
        random, longest = ground.random, 70.0 if place.long else 3.0
        drills = [
            partial(worker_kills.kill_workers, ground),
            *([partial(worker_kills.kill_daemon, ground)] if place.long else []),
            partial(worker_kills.kill_jvm, ground),
            partial(outages.stop_broker, ground, random.uniform(1, longest)),
            partial(outages.kill_broker, ground),
            partial(outages.drop_answers, ground, 2),
            partial(outages.stop_store, ground, random.uniform(1, longest)),
            partial(outages.slow_store, ground, random.uniform(0.5, 1.5)),
            partial(outages.store_errors, ground, share=0.7, at_least=10),
            partial(outages.cut_uploads, ground, 4),
        ]
        ground.start_job()
        ground.until_committed(1)
        for drill in random.sample(drills, len(drills)):
            drill()
        return _verdict(ground)


def cluster(place: Place) -> Outcome:
    """Drills 3 and 5: three brokers, one down at a time; the real producer, killed and started again."""
    with opened_cluster(place.servers, place.folder / "brokers") as brokers:
        place = replace(place, servers=brokers.servers)
        with _ground(place, RealProducer) as ground:
            producer = ground.load
            assert isinstance(producer, RealProducer)
            ground.start_job()
            ground.until_committed(1)
            drills = [
                partial(lose_brokers_in_turn, ground, brokers, 3 if place.long else 2),
                *[partial(kill_producer, ground, producer)] * (10 if place.long else 1),
            ]
            for drill in ground.random.sample(drills, len(drills)):
                drill()
            outcome = _verdict(ground)
            problems = gaps_and_repeats(ground, producer, place.folder)
            return replace(outcome, differences=outcome.differences + problems)


def on_a_lane(drill: Callable[[Lane, int], Verdict], faults: int) -> Callable[[Place], Outcome]:
    """A drill that needs a lane and a seed only, and injects so many faults."""

    def run(place: Place) -> Outcome:
        with opened_lane(place.servers.stack, place.name, place.folder) as lane:
            verdict = drill(lane, place.random.randrange(2**31))
            return Outcome(faults, verdict.records, verdict.alerts, verdict.differences)

    return run


DRILLS: dict[str, Callable[[Place], Outcome]] = {
    "driver": driver,
    "executor": executor,
    "outages": outages_and_workers,
    "cluster": cluster,
    **{name: on_a_lane(*drill) for name, drill in LANE_DRILLS.items()},
}


@contextmanager
def _ground(place: Place, make_load: Callable[[Lane, int], Load]) -> Iterator[Ground]:
    with opened_ground(place.servers, place.name, place.folder, make_load, place.random, place.say) as ground:
        yield ground


def _verdict(ground: Ground) -> Outcome:
    ground.settle()
    verdict = judged(ground.lane)
    ground.say(f"{verdict.records} records, {verdict.alerts} alerts, {len(verdict.differences)} differences")
    return Outcome(ground.faults, verdict.records, verdict.alerts, verdict.differences)
