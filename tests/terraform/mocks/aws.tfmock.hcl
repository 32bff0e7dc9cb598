# What AWS would answer, in the form that the provider checks: ARNs above all. Things whose policies the tests tell
# apart have values of their own in stack.tftest.hcl.

mock_data "aws_availability_zones" {
  defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_ssm_parameter" {
  defaults = { insecure_value = "ami-0123456789abcdef0" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001" }
}

mock_resource "aws_vpc_endpoint" {
  defaults = { id = "vpce-1", prefix_list_id = "pl-s3" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
}

mock_resource "aws_iam_instance_profile" {
  defaults = { arn = "arn:aws:iam::123456789012:instance-profile/mocked" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mocked" }
}

mock_resource "aws_codebuild_project" {
  defaults = { arn = "arn:aws:codebuild:us-east-1:123456789012:project/mocked" }
}

mock_resource "aws_ecr_repository" {
  defaults = { arn = "arn:aws:ecr:us-east-1:123456789012:repository/mocked", repository_url = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mocked" }
}

mock_resource "aws_ecs_cluster" {
  defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/mocked" }
}

mock_resource "aws_ecs_task_definition" {
  defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/mocked:1" }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/mocked/1"
    arn_suffix = "app/mocked/1"
    dns_name   = "mocked.us-east-1.elb.amazonaws.com"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/mocked/1"
    arn_suffix = "targetgroup/mocked/1"
  }
}

mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/mocked/1/1" }
}

mock_resource "aws_msk_cluster" {
  defaults = {
    arn                          = "arn:aws:kafka:us-east-1:123456789012:cluster/mocked/00000000-0000-0000-0000-000000000002-1"
    cluster_uuid                 = "00000000-0000-0000-0000-000000000002-1"
    bootstrap_brokers_sasl_scram = "b-1.mocked.kafka.us-east-1.amazonaws.com:9096,b-2.mocked.kafka.us-east-1.amazonaws.com:9096"
  }
}

mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:us-east-1:123456789012:configuration/mocked/1", latest_revision = 1 }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mocked", id = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mocked" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-east-1:123456789012:mocked" }
}

mock_resource "aws_service_discovery_service" {
  defaults = { arn = "arn:aws:servicediscovery:us-east-1:123456789012:service/mocked" }
}

mock_resource "aws_ebs_volume" {
  defaults = { id = "vol-0123456789abcdef0" }
}

mock_resource "aws_network_interface" {
  defaults = { private_ip = "10.42.0.10" }
}
