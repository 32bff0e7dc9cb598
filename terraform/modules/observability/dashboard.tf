locals {
  charts = [
    { title = "Lag: payments that wait in Kafka", metrics = [[var.metrics_namespace, "Lag"]] },
    { title = "Payment to alert, 95th percentile (ms)", metrics = [[var.metrics_namespace, "LatencyP95"]] },
    { title = "Late and rejected, share", metrics = [[var.metrics_namespace, "LateShare"], [var.metrics_namespace, "RejectedShare"]] },
    { title = "Age of the last sign of life (s)", metrics = [[var.metrics_namespace, "HeartbeatAge"]] },
    {
      title = "Disks of the brokers (%)"
      metrics = [for disk in values(var.kafka_disks) : concat(
        [disk.namespace, disk.metric], flatten([for name, value in disk.dimensions : [name, value]]),
      )]
    },
    {
      title = "Healthy targets of the load balancer"
      metrics = [for group in values(var.services.target_groups) :
        ["AWS/ApplicationELB", "HealthyHostCount", "LoadBalancer", var.services.load_balancer, "TargetGroup", group]
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for index, chart in local.charts : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = chart.title
        metrics = chart.metrics
        region  = var.region
        stat    = "Maximum"
        period  = 60
        view    = "timeSeries"
      }
    }]
  })
}
