"""Every setting of every component, typed; each part converts itself to what its clients want.

`fraud.environment` reads them from `FRAUD_*` variables.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from fraud.durations import Duration

CONSUMER_GROUP = "fraud-detect"
DEFAULT_RULES = Path(__file__).with_name("rules.toml")

Topic = Annotated[str, Field(pattern=r"^\.{0,2}[A-Za-z0-9_-][A-Za-z0-9._-]{0,246}$")]


class SettingsError(Exception):
    """One or more wrong settings: `problems` has one plain sentence a mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Part(BaseModel):
    """A group of settings; each field is the variable `prefix_of_variables` + its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    prefix_of_variables: ClassVar[str]


class KafkaSettings(Part):
    """How to reach Kafka. PLAINTEXT on loopback, SASL_SSL with SCRAM-SHA-512 in the cloud."""

    prefix_of_variables = "FRAUD_KAFKA_"

    bootstrap_servers: str = Field(
        "127.0.0.1:9092",
        pattern=r"^[^\s,:@]+:\d+(,[^\s,:@]+:\d+)*$",
        description="host:port of one or more brokers, separated by commas",
    )
    security_protocol: Literal["PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="SASL_SSL means SCRAM-SHA-512 over TLS"
    )
    sasl_username: str | None = Field(None, description="user for SASL_SSL")
    sasl_password: SecretStr | None = Field(None, description="password for SASL_SSL")
    ca_file: Path | None = Field(
        None, description="PEM file of the certificate authority; without it the system's"
    )
    ca_pem: str | None = Field(
        None,
        pattern=r"^\s*-----BEGIN CERTIFICATE-----",
        description="the certificate authority itself, as PEM, in place of a file",
    )
    transactions_topic: Topic = Field("transactions", description="payments come from here")
    alerts_topic: Topic = Field("fraud-alerts", description="alerts go here")
    rejected_topic: Topic = Field(
        "transactions-rejected", description="rejected records go here, with their reason"
    )
    partitions: int = Field(
        4, ge=1, le=1000, description="partitions of `transactions` when `init` creates it"
    )
    replication_factor: int = Field(
        1, ge=1, le=9, description="replicas of each topic when `init` creates it"
    )

    @model_validator(mode="after")
    def _credentials_and_sasl_go_together(self) -> Self:
        names = "FRAUD_KAFKA_SASL_USERNAME and FRAUD_KAFKA_SASL_PASSWORD"
        if self.security_protocol == "SASL_SSL" and not (self.sasl_username and self.sasl_password):
            raise ValueError(f"FRAUD_KAFKA_SECURITY_PROTOCOL is 'SASL_SSL': this needs {names} too")
        if self.security_protocol == "PLAINTEXT" and (self.sasl_username or self.sasl_password):
            raise ValueError(f"FRAUD_KAFKA_SECURITY_PROTOCOL is 'PLAINTEXT': {names} need SASL_SSL")
        return self

    @model_validator(mode="after")
    def _one_certificate_authority(self) -> Self:
        if self.ca_file and self.ca_pem:
            raise ValueError("FRAUD_KAFKA_CA_FILE and FRAUD_KAFKA_CA_PEM are the same thing: set one of them")
        return self

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        topics = [self.transactions_topic, self.alerts_topic, self.rejected_topic]
        if len(set(topics)) < len(topics):
            raise ValueError(
                "FRAUD_KAFKA_TRANSACTIONS_TOPIC, FRAUD_KAFKA_ALERTS_TOPIC and FRAUD_KAFKA_REJECTED_TOPIC "
                f"must be three topics; they are {', '.join(topics)}"
            )
        return self

    def librdkafka(self) -> dict[str, str]:
        """Options for confluent-kafka's clients."""
        options = {"bootstrap.servers": self.bootstrap_servers, "security.protocol": self.security_protocol}
        if self.sasl_username and self.sasl_password:
            options |= {
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": self.sasl_username,
                "sasl.password": self.sasl_password.get_secret_value(),
            }
        if self.ca_file:
            options["ssl.ca.location"] = str(self.ca_file)
        if self.ca_pem:
            options["ssl.ca.pem"] = self.ca_pem
        return options

    def spark(self) -> dict[str, str]:
        """Options for Spark's Kafka source (Java client names under the prefix `kafka.`)."""
        options = {
            "kafka.bootstrap.servers": self.bootstrap_servers,
            "kafka.security.protocol": self.security_protocol,
        }
        if self.sasl_username and self.sasl_password:
            login = "org.apache.kafka.common.security.scram.ScramLoginModule"
            password = self.sasl_password.get_secret_value()
            options |= {
                "kafka.sasl.mechanism": "SCRAM-SHA-512",
                "kafka.sasl.jaas.config": f"{login} required username={_jaas(self.sasl_username)} "
                f"password={_jaas(password)};",
            }
        if self.ca_file:
            options |= {
                "kafka.ssl.truststore.type": "PEM",
                "kafka.ssl.truststore.location": str(self.ca_file),
            }
        if self.ca_pem:
            options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.certificates": self.ca_pem}
        return options


def _jaas(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class ObjectStoreSettings(Part):
    """Where alerts, metrics and the rest lie: any S3. Without keys the SDK's own chain finds them."""

    prefix_of_variables = "FRAUD_S3_"

    endpoint_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+$",
        description="http(s)://host:port of an S3 server; without it AWS",
    )
    region: str = Field("us-east-1", pattern=r"^[a-z0-9-]+$", description="region of the bucket")
    bucket: str = Field(
        "fraud", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="bucket of all data"
    )
    prefix: str = Field(
        "", pattern=r"^([A-Za-z0-9._-]+/)*$", description="put before every key; empty or ending in a slash"
    )
    access_key_id: str | None = Field(None, description="access key")
    secret_access_key: SecretStr | None = Field(None, description="secret key")

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> Self:
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError(
                "FRAUD_S3_ACCESS_KEY_ID and FRAUD_S3_SECRET_ACCESS_KEY go together: set both or neither"
            )
        return self

    def boto3(self) -> dict[str, Any]:
        """Arguments for `boto3.client("s3", ...)`."""
        options: dict[str, Any] = {"region_name": self.region}
        if self.endpoint_url:
            options["endpoint_url"] = self.endpoint_url
        if self.access_key_id and self.secret_access_key:
            options |= {
                "aws_access_key_id": self.access_key_id,
                "aws_secret_access_key": self.secret_access_key.get_secret_value(),
            }
        return options

    def s3fs(self) -> dict[str, Any]:
        """Arguments for `s3fs.S3FileSystem(...)`: no cache, an error within seconds."""
        options: dict[str, Any] = {
            "client_kwargs": {"region_name": self.region},
            "config_kwargs": {
                "connect_timeout": 2,
                "read_timeout": 4,
                "retries": {"mode": "standard", "total_max_attempts": 2},
            },
            "use_listings_cache": False,
            "skip_instance_cache": True,
        }
        if self.endpoint_url:
            options["endpoint_url"] = self.endpoint_url
        if self.access_key_id and self.secret_access_key:
            options |= {"key": self.access_key_id, "secret": self.secret_access_key.get_secret_value()}
        return options

    def s3a(self) -> dict[str, str]:
        """Hadoop options for `s3a://` paths (checkpoints on S3, Spark reading Parquet)."""
        options = {"fs.s3a.endpoint.region": self.region}
        if self.endpoint_url:
            options |= {
                "fs.s3a.endpoint": self.endpoint_url,
                "fs.s3a.path.style.access": "true",
                "fs.s3a.connection.ssl.enabled": str(self.endpoint_url.startswith("https:")).lower(),
            }
        if self.access_key_id and self.secret_access_key:
            options |= {
                "fs.s3a.access.key": self.access_key_id,
                "fs.s3a.secret.key": self.secret_access_key.get_secret_value(),
                "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
            }
        return options


class DetectionSettings(Part):
    """What decides, and how the streaming job runs."""

    prefix_of_variables = "FRAUD_"

    rules_file: Path = Field(DEFAULT_RULES, description="the rules and currency rates (TOML)")
    allowed_lateness: Duration = Field(
        600_000,
        description="how far behind its partition's newest event time a payment may come and still be judged",
    )
    retention: Duration = Field(
        900_000,
        description="how long payments are remembered behind the watermark; "
        "at least the longest window of any rule",
    )
    clock_skew: Duration = Field(
        300_000, description="how far an event time may be ahead of its record's Kafka time"
    )
    checkpoint: str = Field(
        "./.state/checkpoint",
        min_length=1,
        description="folder (path or s3a:// URI) of offsets, state and generations",
    )
    buckets: int = Field(
        8, ge=1, le=4096, description="groups of users judged together; fixed for the life of a checkpoint"
    )
    trigger: Duration = Field(0, description="at least this long between micro-batches; 0 means at once")
    max_offsets_per_trigger: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="records a micro-batch at most; without it chosen once, when the job starts, by the size "
        "of the records then in the topic: set it when later records are much larger",
    )
    archive: bool = Field(
        False, description="also keep every valid payment as Parquet below `transactions/`: true or false"
    )
    archive_trigger: Duration = Field(
        60_000,
        description="at most this long until a payment is in the archive, which makes an object a partition "
        "each time; sooner when many have come",
    )
    outage: Duration = Field(
        300_000, description="how long to retry Kafka or the object store before giving up"
    )
    spark_master: str = Field(
        "local[*]",
        pattern=r"^(local(\[[^\]]+\])?|local-cluster\[\d+,\d+,\d+\]|yarn|"
        r"spark://\S+)$",
        description="Spark's master URL",
    )
    shuffle_partitions: int = Field(
        2, ge=1, le=4096, description="tasks that share the buckets; fixed for the life of a checkpoint"
    )
    driver_memory: str = Field("2g", pattern=r"^\d+[mg]$", description="Java heap of the driver")
    jars: Path | None = Field(
        None, description="folder of the connector jars; without it they must be on Spark's own path"
    )
    log_dir: Path = Field(Path(".state/logs"), description="folder of Spark's log")


class LoginSettings(Part):
    """Who vouches for the dashboard's users, if anybody does."""

    prefix_of_variables = "FRAUD_LOGIN_"

    signer: str | None = Field(
        None,
        pattern=r"^arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:loadbalancer/app/[A-Za-z0-9-]+/[0-9a-f]+$",
        description="ARN of the load balancer at which the dashboard's users sign in; without it nobody does",
    )


class Settings(BaseModel):
    """All settings of a process, by part."""

    model_config = ConfigDict(frozen=True)

    kafka: KafkaSettings = KafkaSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    detection: DetectionSettings = DetectionSettings()
    login: LoginSettings = LoginSettings()
