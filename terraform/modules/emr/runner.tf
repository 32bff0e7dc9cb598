# What the step runs, as objects: a change of them changes no cluster.

locals {
  runner = {
    "runner.sh" = templatefile("${path.module}/files/runner.sh.tftpl", {
      bucket    = var.work_bucket.name
      log_group = aws_cloudwatch_log_group.job.name
    })
    "runner.py" = file("${path.module}/files/runner.py")
    "health.py" = file("${path.module}/files/health.py")
  }
}

resource "aws_s3_object" "runner" {
  for_each = local.runner

  bucket  = var.work_bucket.name
  key     = "artifacts/${each.key}"
  content = each.value
}

resource "aws_s3_object" "release" {
  bucket       = var.work_bucket.name
  key          = "artifacts/release.json"
  content_type = "application/json"
  content      = jsonencode(var.release)

  depends_on = [aws_s3_object.runner]
}
