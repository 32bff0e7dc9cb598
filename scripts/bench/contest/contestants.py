"""Who takes part: how each is started, and what is true of it without measuring."""

from dataclasses import dataclass

RULES = ("high_amount", "velocity", "multiple_locations")


@dataclass(frozen=True)
class Contestant:
    """One of the table's lines."""

    name: str
    folder: str
    """Below scripts/bench/peers: its program and its packages; empty for this pipeline."""
    command: tuple[str, ...]
    """Arguments of its Python."""
    survives_crash: bool
    """Whether, set up as here, nothing that it knew or owed is lost when it is killed."""
    at_a_crash: str
    settings: str
    package: str = ""
    """The name of the package whose version is told."""
    own_packages: bool = True
    """False: it runs on the project's packages."""
    held_back: float = 0.0
    """Seconds of event time that it waits by design before it answers."""
    rules: tuple[str, ...] = RULES


PIPELINE = Contestant(
    "this pipeline",
    "",
    ("-m", "jobs.detect"),
    True,
    "checkpoint; goes on from there, each alert once in Parquet",
    "as shipped: evidence, validation, Parquet, Kafka, metrics; checkpoint of every micro-batch",
    own_packages=False,
)


def _peer(name: str, folder: str, survives: bool, at_a_crash: str, settings: str, package: str) -> Contestant:
    return Contestant(
        name, folder, ("-m", f"scripts.bench.peers.{folder}"), survives, at_a_crash, settings, package
    )


CONTESTANTS = (
    PIPELINE,
    _peer(
        "ceiling",
        "ceiling",
        False,
        "its memory is lost, and what it had read",
        "one process, blocks of up to 100,000 records; no checks, no evidence, nothing durable",
        "pyarrow",
    ),
    Contestant(
        "PyFlink",
        "pyflink",
        ("-m", "scripts.bench.peers.pyflink"),
        False,
        "no checkpoints, as by default: it reads the topic again from the beginning",
        "SQL, parallelism 2, watermark 30 s, heap state; Flink's defaults else",
        "apache-flink",
        held_back=30.0,
    ),
    _peer(
        "Quix",
        "quix",
        True,
        "RocksDB and a changelog topic; goes on from there, repeats some alerts",
        "defaults: at least once, commit every 5 s, changelog topic",
        "quixstreams",
    ),
    Contestant(
        "Bytewax",
        "bytewax",
        ("-m", "bytewax.run", "scripts.bench.peers.bytewax.flow:flow"),
        False,
        "no recovery, as by default: it reads the topic again from the beginning",
        "one worker, batches of 5,000, state in memory",
        "bytewax",
    ),
    _peer(
        "plain loop",
        "plain_loop",
        False,
        "offsets are committed every 5 s, its memory is lost: alerts can be missing",
        "confluent-kafka, orjson, a dict; one process",
        "confluent-kafka",
    ),
    Contestant(
        "Spark parse-only",
        "spark_parse",
        ("-m", "scripts.bench.peers.spark_parse"),
        True,
        "checkpoint; goes on from there when its query is started twice (SPARK-57438), repeats some alerts",
        "from_json and a filter by amount, micro-batches of 400,000; Spark's defaults else",
        "pyspark",
        own_packages=False,
        rules=("high_amount",),
    ),
)


def chosen(names: str) -> list[Contestant]:
    """The contestants of a list such as 'this pipeline,Quix', or of 'all'. Raises ValueError, which says
    who there is.
    """
    if names == "all":
        return list(CONTESTANTS)
    by_name = {each.name.lower(): each for each in CONTESTANTS}
    wanted = [name.strip().lower() for name in names.split(",")]
    unknown = sorted(set(wanted) - by_name.keys())
    if unknown:
        raise ValueError(
            f"there is no {', '.join(unknown)}; there is {', '.join(each.name for each in CONTESTANTS)}"
        )
    return [each for each in CONTESTANTS if each.name.lower() in wanted]
