variable "kafka_passwords" {
  description = "Password of each Kafka user; goes into Secrets Manager and into no state."
  type        = map(string)
  ephemeral   = true
  sensitive   = true
}
