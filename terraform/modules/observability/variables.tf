variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "key_arn" {
  description = "Encrypts the topic."
  type        = string
}

variable "alarm_email" {
  description = "Address that alarms go to, or null."
  type        = string
}

variable "metrics_namespace" {
  description = "Namespace of the job's health."
  type        = string
}

variable "emr_cluster_id" {
  description = "The cluster whose failed step raises an alarm."
  type        = string
}

variable "ecs_cluster_arn" {
  description = "The cluster whose failed maintenance raises an alarm."
  type        = string
}

variable "services" {
  description = "Load balancer, target groups and schedule group, as CloudWatch names them."
  type = object({
    load_balancer  = string
    target_groups  = map(string)
    schedule_group = string
  })
}

variable "kafka_disks" {
  description = "Metric of each broker's disk, in per cent."
  type = map(object({
    namespace  = string
    metric     = string
    dimensions = map(string)
  }))
}
