# What CloudWatch has no metric for: it happens once.

locals {
  events = {
    step-failed = {
      text = "The job's step failed: the runner has given up. Look at the job's log group."
      pattern = {
        source      = ["aws.emr"]
        detail-type = ["EMR Step Status Change"]
        detail      = { clusterId = [var.emr_cluster_id], state = ["FAILED", "CANCELLED"] }
      }
    }
    cluster-ended = {
      text = "The EMR cluster ended. Terraform makes it anew at the next apply."
      pattern = {
        source      = ["aws.emr"]
        detail-type = ["EMR Cluster State Change"]
        detail      = { clusterId = [var.emr_cluster_id], state = ["TERMINATED", "TERMINATED_WITH_ERRORS"] }
      }
    }
    maintenance-failed = {
      text = "A run of maintenance failed. Look at its log group."
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Task State Change"]
        detail = {
          clusterArn = [var.ecs_cluster_arn]
          group      = ["maintenance"]
          lastStatus = ["STOPPED"]
          # A container that never ran has no exit code, and a reason instead.
          "$or" = [
            { containers = { exitCode = [{ anything-but = 0 }] } },
            { stopCode = ["TaskFailedToStart"] },
          ]
        }
      }
    }
  }
}

resource "aws_cloudwatch_event_rule" "these" {
  for_each = local.events

  name          = "${var.name}-${each.key}"
  description   = each.value.text
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "topic" {
  for_each = local.events

  rule = aws_cloudwatch_event_rule.these[each.key].name
  arn  = aws_sns_topic.alarms.arn

  input_transformer {
    input_paths    = { time = "$.time" }
    input_template = "\"<time> ${var.name}: ${each.value.text}\""
  }
}
