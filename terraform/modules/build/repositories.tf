resource "aws_ecr_repository" "these" {
  for_each = toset(["jobs", "producer", "dashboard", "kafdrop"])

  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE" # a tag is the hash of what is in it
  force_delete         = var.disposable

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "these" {
  for_each = aws_ecr_repository.these

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The ten newest"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}
