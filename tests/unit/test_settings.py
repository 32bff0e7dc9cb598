"""Settings, rule files and generations: one clear message a mistake, and what a change means."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.durations import LONGEST, format_duration, parse_duration
from fraud.environment import load, variables
from fraud.generations import Generation, check, generation_at, next_generation
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES, DetectionSettings, SettingsError
from scripts.settings_reference import PAGE, reference

SECRET = "s3cr3t-value"  # noqa: S105  (a value to look for in messages)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FRAUD_TRIGER", "5s", "did you mean FRAUD_TRIGGER?"),
        ("FRAUD_SOMETHING_ELSE_ENTIRELY", "1", "not a setting of this project"),
        ("FRAUD_TRIGGER", "5", "a whole number and a unit"),
        ("FRAUD_ALLOWED_LATENESS", "-1s", "a whole number and a unit"),
        ("FRAUD_RETENTION", "ten minutes", "a whole number and a unit"),
        ("FRAUD_CLOCK_SKEW", "1.5s", "a whole number and a unit"),
        ("FRAUD_OUTAGE", "1y", "a whole number and a unit"),
        ("FRAUD_CLOCK_SKEW", "367d", "at most 366d"),
        ("FRAUD_BUCKETS", "0", "greater than or equal to 1"),
        ("FRAUD_BUCKETS", "many", "valid integer"),
        ("FRAUD_SHUFFLE_PARTITIONS", "0", "greater than or equal to 1"),
        ("FRAUD_MAX_OFFSETS_PER_TRIGGER", "0", "greater than or equal to 1"),
        ("FRAUD_SPARK_MASTER", "mesos://x", "must match"),
        ("FRAUD_DRIVER_MEMORY", "2 GB", "must match"),
        ("FRAUD_KAFKA_BOOTSTRAP_SERVERS", "localhost", "must match"),
        ("FRAUD_KAFKA_SECURITY_PROTOCOL", "SSL", "'PLAINTEXT' or 'SASL_SSL'"),
        ("FRAUD_KAFKA_SECURITY_PROTOCOL", "SASL_SSL", "this needs FRAUD_KAFKA_SASL_USERNAME"),
        ("FRAUD_KAFKA_SASL_USERNAME", "ann", "need SASL_SSL"),
        ("FRAUD_KAFKA_CA_PEM", "ca.pem", "must match"),
        ("FRAUD_KAFKA_TRANSACTIONS_TOPIC", "a topic", "must match"),
        ("FRAUD_KAFKA_TRANSACTIONS_TOPIC", "..", "must match"),
        ("FRAUD_KAFKA_REJECTED_TOPIC", "transactions", "must be three topics"),
        ("FRAUD_KAFKA_BOOTSTRAP_SERVERS", f"ann:{SECRET}@kafka:9092", "must match"),
        ("FRAUD_S3_ENDPOINT_URL", f"http://ann:{SECRET}@s3:9010", "must match"),
        ("FRAUD_KAFKA_PARTITIONS", "0", "greater than or equal to 1"),
        ("FRAUD_KAFKA_REPLICATION_FACTOR", "10", "less than or equal to 9"),
        ("FRAUD_S3_ENDPOINT_URL", "127.0.0.1:9010", "must match"),
        ("FRAUD_S3_BUCKET", "A_b", "must match"),
        ("FRAUD_S3_PREFIX", "/x", "must match"),
        ("FRAUD_S3_REGION", "EU West", "must match"),
        ("FRAUD_S3_SECRET_ACCESS_KEY", SECRET, "set both or neither"),
        ("FRAUD_LOGIN_SIGNER", "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/a/1", "must match"),
    ],
)
def test_a_wrong_value_gives_one_message_with_the_variable_and_what_is_allowed(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load({name: value})
    (problem,) = caught.value.problems
    assert name in problem
    assert says in problem
    assert SECRET not in problem


def test_every_mistake_is_told_at_once_and_empty_variables_count_as_unset() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"FRAUD_BUCKETS": "0", "FRAUD_TRIGGER": "x", "FRAUD_X": "1", "FRAUD_OUTAGE": ""})
    assert len(caught.value.problems) == 3


def test_every_variable_has_a_description_and_a_default_that_passes() -> None:
    settings = load({})
    for part, field in variables().values():
        info = type(getattr(settings, part)).model_fields[field]
        assert info.description
    check(load_rules(settings.detection.rules_file), settings.detection)


def test_credentials_become_each_clients_options_and_never_show() -> None:
    settings = load(
        {
            "FRAUD_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "FRAUD_KAFKA_SASL_USERNAME": "job",
            "FRAUD_KAFKA_SASL_PASSWORD": SECRET + '"\\',
            "FRAUD_KAFKA_CA_FILE": "ca.pem",
            "FRAUD_S3_ENDPOINT_URL": "http://127.0.0.1:9010",
            "FRAUD_S3_ACCESS_KEY_ID": "key",
            "FRAUD_S3_SECRET_ACCESS_KEY": SECRET,
        }
    )
    assert settings.kafka.librdkafka()["sasl.password"] == SECRET + '"\\'
    assert 'password="s3cr3t-value\\"\\\\";' in settings.kafka.spark()["kafka.sasl.jaas.config"]
    assert settings.kafka.spark()["kafka.ssl.truststore.type"] == "PEM"
    assert settings.object_store.boto3()["aws_secret_access_key"] == SECRET
    assert settings.object_store.s3a()["fs.s3a.secret.key"] == SECRET
    assert settings.object_store.s3fs()["endpoint_url"] == "http://127.0.0.1:9010"
    assert (settings.object_store.s3fs()["key"], settings.object_store.s3fs()["secret"]) == ("key", SECRET)
    assert SECRET not in repr(settings)


def test_a_certificate_authority_comes_as_a_file_or_as_text_and_never_as_both() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    kafka = load({"FRAUD_KAFKA_CA_PEM": pem}).kafka
    assert kafka.librdkafka()["ssl.ca.pem"] == pem
    assert kafka.spark()["kafka.ssl.truststore.type"] == "PEM"
    assert kafka.spark()["kafka.ssl.truststore.certificates"] == pem
    with pytest.raises(SettingsError, match="set one of them"):
        load({"FRAUD_KAFKA_CA_PEM": pem, "FRAUD_KAFKA_CA_FILE": "ca.pem"})


def test_s3fs_never_answers_from_a_cache_and_gives_up_within_seconds() -> None:
    options = load({"FRAUD_S3_REGION": "eu-central-1"}).object_store.s3fs()
    assert (options["use_listings_cache"], options["skip_instance_cache"]) == (False, True)
    assert options["client_kwargs"] == {"region_name": "eu-central-1"}
    assert not {"key", "secret", "endpoint_url"} & options.keys()  # AWS, by its own chain of credentials
    timeouts = options["config_kwargs"]
    attempts = timeouts["retries"]["total_max_attempts"]
    assert attempts * (timeouts["connect_timeout"] + timeouts["read_timeout"]) <= 12


def rules_with(tmp_path: Path, old: str, new: str) -> Path:
    text = DEFAULT_RULES.read_text("utf-8")
    assert old in text
    path = tmp_path / "rules.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("threshold = 1000.00", "threshold = -1", ["rule 'high_amount', field 'threshold'", "it is -1"]),
        ("threshold = 1000.00", "threshold = 1000.001", ["rule 'high_amount', field 'threshold'", "decimal"]),
        ("threshold = 3", "threshold = 0", ["rule 'velocity', field 'threshold'"]),
        ("threshold = 3", "threshold = 2.5", ["rule 'velocity', field 'threshold'"]),
        ('window = "60s"', 'window = "60"', ["rule 'velocity', field 'window'", "60s"]),
        ('window = "60s"', 'window = "0s"', ["rule 'velocity', field 'window'"]),
        ('window = "60s"', "window = 60", ["rule 'velocity', field 'window'", "a whole number and a unit"]),
        ("threshold = 1000.00", 'threshold = 1\nwindow = "1s"', ["'high_amount'", "this kind has no window"]),
        ("threshold = 1000.00", 'threshold = "1000"', ["'high_amount', field 'threshold'", "without quotes"]),
        ("threshold = 3", "threshold = true", ["rule 'velocity', field 'threshold'"]),
        ("threshold = 3", 'threshold = 3\nenabled = "off"', ["rule 'velocity', field 'enabled'"]),
        ('window = "60s"\n', "", ["rule 'velocity', field 'window'", "it is missing"]),
        ('kind = "velocity"', 'kind = "speed"', ["rule 'velocity'", "'velocity'"]),
        ('kind = "velocity"\n', "", ["rule 'velocity'", "kind"]),
        ('severity = "medium"', 'severity = "red"', ["rule 'high_amount', field 'severity'", "'critical'"]),
        ('id = "velocity"', 'id = "Velocity!"', ["rule 'Velocity!', field 'id'"]),
        ('id = "velocity"', 'id = "high_amount"', ["'high_amount' is there twice"]),
        ('id = "velocity"\n', "", ["rule number 2, field 'id'"]),
        ("version = 1", "version = 0", ["rule 'high_amount', field 'version'"]),
        (
            "version = 1",
            "version = 1\nthreshhold = 1",
            ["rule 'high_amount', field 'threshhold'", "fields are id, version"],
        ),
        ("USD = 0.862000", "USD = 0.8620001", ["rates", "USD is 0.8620001", "6 decimals"]),
        ("USD = 0.862000", "USD = 0.5112920000000000000000000000000001", ["rates", "6 decimals"]),
        ("USD = 0.862000", 'USD = "0.862"', ["rates", "without quotes"]),
        ("USD = 0.862000", "USX = 0.862", ["rates", "USX is not an ISO 4217 currency"]),
        ("USD = 0.862000", "USD = 0", ["rates", "USD is 0"]),
        ("EUR = 1\n", "", ["rates", "EUR must be listed with rate 1"]),
        ("[rates]", "[rates", ["not valid TOML"]),
    ],
)
def test_a_wrong_rule_file_names_the_file_the_rule_and_the_field(
    tmp_path: Path, old: str, new: str, says: list[str]
) -> None:
    path = rules_with(tmp_path, old, new)
    with pytest.raises(SettingsError) as caught:
        load_rules(path)
    (problem,) = caught.value.problems
    assert str(path) in problem
    for words in says:
        assert words in problem


def test_a_rule_file_that_is_not_there_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FRAUD_RULES_FILE"):
        load_rules(tmp_path / "none.toml")


def test_a_window_beyond_the_retention_is_refused(tmp_path: Path) -> None:
    rules = load_rules(rules_with(tmp_path, 'window = "300s"', 'window = "901s"'))
    with pytest.raises(
        SettingsError, match=r"'multiple_locations' looks back 901s, but FRAUD_RETENTION is 15m"
    ):
        check(rules, DetectionSettings())


def first_generation() -> Generation:
    return next_generation([], load_rules(DEFAULT_RULES), DetectionSettings(), 0)[0]


def test_the_same_rules_and_settings_go_on_as_the_same_generation() -> None:
    first = first_generation()
    again, messages = next_generation([first], load_rules(DEFAULT_RULES), DetectionSettings(trigger="5s"), 17)
    assert (again, messages) == (first, [])
    assert Generation.model_validate_json(first.model_dump_json()) == first


def test_changed_rules_begin_a_generation_at_the_next_unplanned_batch(tmp_path: Path) -> None:
    first = first_generation()
    rules = load_rules(rules_with(tmp_path, "threshold = 3", "threshold = 4"))
    second, messages = next_generation([first], rules, DetectionSettings(), 17)
    assert (second.number, second.first_batch_id) == (2, 17)
    assert "generation 2 decides from micro-batch 17 on" in messages[0]
    assert [generation_at([first, second], n).number for n in (0, 16, 17, 99)] == [1, 1, 2, 2]
    third, _ = next_generation([first, second], load_rules(DEFAULT_RULES), DetectionSettings(), 17)
    assert (third.number, third.first_batch_id) == (2, 17)
    assert third.decides_like(first)


def test_a_generation_that_never_decided_does_not_count(tmp_path: Path) -> None:
    first = first_generation()
    rules = load_rules(rules_with(tmp_path, "threshold = 3", "threshold = 4"))
    unused, _ = next_generation([first], rules, DetectionSettings(), 17)
    back, messages = next_generation([first, unused], first.rules, DetectionSettings(), 17)
    assert messages == []
    assert (back.number, back.first_batch_id) == (unused.number, 17)
    wide = load_rules(rules_with(tmp_path, 'window = "300s"', 'window = "20m"'))
    settings: Any = DetectionSettings(retention="25m")
    unused, _ = next_generation([first], wide, settings, 17)
    again, messages = next_generation([first, unused], wide, settings, 17)
    assert again == unused
    assert "complete at the latest" in messages[1]


def test_a_micro_batch_before_all_generations_is_an_error() -> None:
    with pytest.raises(LookupError, match="micro-batch -1"):
        generation_at([first_generation()], -1)


def test_a_window_wider_than_was_remembered_says_when_it_is_complete(tmp_path: Path) -> None:
    rules = load_rules(rules_with(tmp_path, 'window = "300s"', 'window = "20m"'))
    settings: Any = DetectionSettings(retention="25m")
    _, messages = next_generation([first_generation()], rules, settings, 5)
    assert "complete at the latest once event time has moved on by 5m" in messages[1]


@given(st.integers(0, LONGEST))
def test_durations_are_read_back_as_written(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


def test_the_settings_page_says_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run: python -m scripts.settings_reference"
