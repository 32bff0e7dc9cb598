# The stack, applied against a mocked AWS. What it must be is asserted by promises_*.py over the state that this run
# prints as JSON: an assertion here sees only the outermost module. What must be told apart has a value of its own.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = module.storage.aws_s3_bucket.data
  values = { arn = "arn:aws:s3:::data", id = "data" }
}

override_resource {
  target = module.storage.aws_s3_bucket.work
  values = { arn = "arn:aws:s3:::work", id = "work" }
}

override_resource {
  target = aws_secretsmanager_secret.kafka["detect"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:detect", id = "detect" }
}

override_resource {
  target = aws_secretsmanager_secret.kafka["producer"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:producer", id = "producer" }
}

override_resource {
  target = aws_secretsmanager_secret.kafka["maintenance"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:maintenance", id = "maintenance" }
}

override_resource {
  target = aws_secretsmanager_secret.kafka["kafdrop"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:kafdrop", id = "kafdrop" }
}

override_resource {
  target = aws_secretsmanager_secret.kafka["broker"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:broker", id = "broker" }
}

override_resource {
  target = aws_secretsmanager_secret.certificate["ca"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ca", id = "ca" }
}

override_resource {
  target = aws_secretsmanager_secret.certificate["ca-key"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ca-key", id = "ca-key" }
}

override_resource {
  target = aws_secretsmanager_secret.certificate["broker-1"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:broker-1", id = "broker-1" }
}

override_resource {
  target = aws_secretsmanager_secret.certificate["broker-2"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:broker-2", id = "broker-2" }
}

override_resource {
  target = aws_secretsmanager_secret.certificate["broker-3"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:broker-3", id = "broker-3" }
}

run "stack" {
  command = apply

  variables {
    kafka_passwords = {
      detect      = "mocked-password-of-detect"
      producer    = "mocked-password-of-producer"
      maintenance = "mocked-password-of-maintenance"
      kafdrop     = "mocked-password-of-kafdrop"
      broker      = "mocked-password-of-broker"
    }
  }
}
