# The Spark cluster. Nothing that changes from day to day is an argument of it, for nearly every change of an
# argument replaces it: the one step never changes, and what it runs follows release.json.

resource "aws_emr_cluster" "this" {
  name          = var.name
  release_label = "emr-spark-8.1.0"
  applications  = ["Spark"]

  service_role                      = aws_iam_role.service.arn
  security_configuration            = aws_emr_security_configuration.this.name
  log_uri                           = "s3://${var.work_bucket.name}/emr-logs/"
  log_encryption_kms_key_id         = var.key_arn
  ebs_root_volume_size              = 30
  keep_job_flow_alive_when_no_steps = true
  termination_protection            = false # destroy must be able to
  unhealthy_node_replacement        = true
  step_concurrency_level            = 1

  ec2_attributes {
    instance_profile                  = aws_iam_instance_profile.node.arn
    subnet_id                         = var.subnet_id
    emr_managed_master_security_group = var.security_group_ids["emr_primary"]
    emr_managed_slave_security_group  = var.security_group_ids["emr_core"]
    service_access_security_group     = var.security_group_ids["emr_service"]
  }

  master_instance_group {
    instance_type  = var.instance_type
    instance_count = 1

    ebs_config {
      size                 = 64
      type                 = "gp3"
      volumes_per_instance = 1
    }
  }

  # A fixed number: managed scaling takes executors away in the middle of a micro-batch, and Terraform would see
  # each of its changes as drift.
  core_instance_group {
    instance_type  = var.instance_type
    instance_count = var.core_count

    ebs_config {
      size                 = 64
      type                 = "gp3"
      volumes_per_instance = 1
    }
  }

  configurations_json = jsonencode([
    {
      Classification = "spark-env"
      Properties     = {}
      Configurations = [{
        Classification = "export"
        Properties     = { PYSPARK_PYTHON = "/usr/bin/python3.11", PYSPARK_DRIVER_PYTHON = "/usr/bin/python3.11" }
      }]
    },
  ])

  step {
    name              = "fraud-detect"
    action_on_failure = "CONTINUE"

    hadoop_jar_step {
      jar  = "command-runner.jar"
      args = ["bash", "-c", "aws s3 cp s3://${var.work_bucket.name}/artifacts/runner.sh - | bash"]
    }
  }

  # EMR's managed policy lets its service role touch only what has this tag.
  tags = { for-use-with-amazon-emr-managed-policies = "true" }

  lifecycle {
    ignore_changes = [step] # one added by hand is no reason to make the cluster anew

    precondition {
      condition     = length(var.ways_out.endpoints) > 0
      error_message = "The nodes would have no way to S3."
    }
  }

  depends_on = [
    aws_iam_role_policy.service, aws_iam_role_policy_attachment.service, aws_iam_role_policy.node,
    aws_iam_role_policy_attachment.session, aws_s3_object.runner, aws_s3_object.release,
  ]
}

resource "aws_emr_security_configuration" "this" {
  name = var.name

  configuration = jsonencode({
    EncryptionConfiguration = {
      EnableAtRestEncryption    = true
      EnableInTransitEncryption = true
      AtRestEncryptionConfiguration = {
        S3EncryptionConfiguration = { EncryptionMode = "SSE-KMS", AwsKmsKey = var.key_arn }
        LocalDiskEncryptionConfiguration = {
          EncryptionKeyProviderType = "AwsKms"
          AwsKmsKey                 = var.key_arn
          EnableEbsEncryption       = true
        }
      }
      InTransitEncryptionConfiguration = {
        TLSCertificateConfiguration = {
          CertificateProviderType = "PEM"
          S3Object                = "s3://${var.work_bucket.name}/${var.certificates_key}"
        }
      }
    }
    InstanceMetadataServiceConfiguration = {
      MinimumInstanceMetadataServiceVersion = 2
      HttpPutResponseHopLimit               = 1
    }
  })
}

resource "aws_cloudwatch_log_group" "job" {
  name              = "/${var.name}/job"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}
