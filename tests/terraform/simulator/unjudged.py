"""IAM, KMS: the simulator judges no right."""

from tests.terraform.simulator.hides import gap

gap(
    "iam",
    "every call is allowed",
    "no_wildcard_but_the_named_ones",
    "each_component_touches_only_its_prefixes",
    "each_component_reads_only_its_secrets",
)
gap("iam", "roles are passed without the right to", "roles_are_passed_to_one_service_only")
gap("iam", "EMR's tags are not asked for", "emr_may_touch_what_it_must")
gap("kms", "a key's policy is not judged", "the_keys_policy_holds_every_statement", "grants_are_for_aws_only")
gap("kms", "nothing is encrypted", "everything_is_encrypted_by_the_customer_key")
