# Each alarm says what is wrong and where to look. Those on the job's health come from its own metrics.

locals {
  job = {
    heartbeat = {
      metric = "HeartbeatAge", above = 120, minutes = 3, missing = "breaching"
      text   = "The job shows no sign of life: neither a micro-batch nor a heartbeat. Look at its log group and at the EMR step."
    }
    lag = {
      metric = "Lag", above = 100000, minutes = 10, missing = "notBreaching"
      text   = "The job falls behind: payments wait in Kafka. Look at the dashboard's health page; add core nodes if it goes on."
    }
    late = {
      metric = "LateShare", above = 0.05, minutes = 10, missing = "notBreaching"
      text   = "More than 5% of the payments come too late to be judged. Look at whoever sends them, or allow more lateness."
    }
    rejected = {
      metric = "RejectedShare", above = 0.05, minutes = 10, missing = "notBreaching"
      text   = "More than 5% of the records break the contract. The topic transactions-rejected has them, with their reasons."
    }
    latency = {
      metric = "LatencyP95", above = 30000, minutes = 10, missing = "notBreaching"
      text   = "Alerts come more than 30 s after their payment (95th percentile)."
    }
    release = {
      metric = "ReleaseRefused", above = 0, minutes = 1, missing = "notBreaching"
      text   = "A release refused its settings or its state; the one before it goes on. The job's log group says why."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "job" {
  for_each = local.job

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = var.metrics_namespace
  metric_name         = each.value.metric
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "kafka_disk" {
  for_each = var.kafka_disks

  alarm_name          = "${var.name}-kafka-disk-${each.key}"
  alarm_description   = "The disk of broker ${each.key} is more than 80% full. Shorten the topics' retention or give it a larger disk."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  period              = 300
  evaluation_periods  = 2
  treat_missing_data  = "breaching" # a broker that says nothing is as bad
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each = var.services.target_groups

  alarm_name          = "${var.name}-unhealthy-${each.key}"
  alarm_description   = "The load balancer finds no healthy ${each.key}. Look at its log group and at the events of its ECS service."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = var.services.load_balancer, TargetGroup = each.value }
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "maintenance_missing" {
  alarm_name          = "${var.name}-maintenance-missing"
  alarm_description   = "Compaction or reconciliation was not started for two hours. Look at the schedules and their role."
  comparison_operator = "LessThanThreshold"
  threshold           = 2 # each of the two, each hour
  evaluation_periods  = 2
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  # A call that ECS refuses is an attempt, too.
  metric_query {
    id          = "started"
    expression  = "attempts - FILL(refused, 0)"
    label       = "Runs of maintenance that ECS took"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { attempts = "InvocationAttemptCount", refused = "TargetErrorCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/Scheduler"
        metric_name = metric_query.value
        dimensions  = { ScheduleGroup = var.services.schedule_group }
        stat        = "Sum"
        period      = 3600
      }
    }
  }
}
