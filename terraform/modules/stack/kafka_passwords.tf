# The one variable that the root does not have, but makes: all others stand in variables.tf, a link to the root's.

variable "kafka_passwords" {
  description = "Password of each Kafka user; goes into Secrets Manager and into no state."
  type        = map(string)
  ephemeral   = true
  sensitive   = true
}
