"""How the job ends when it cannot go on: an exit code and a message for a person."""

SETTINGS = 2
"""Settings, or state written by something else: a restart does not help."""

OUTAGE = 75
"""EX_TEMPFAIL: Kafka or the object store is away; a supervisor starts the job again."""


class JobError(Exception):
    """The job must end: `exit_code`, and the message says what happened and what to do."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Stopped(Exception):
    """Somebody asked the job to stop; a micro-batch that has not begun is left for the next start."""


class TopicMissing(Exception):
    """The source topic does not exist (yet)."""
