# The project's files, as objects that the build reads, and the hashes by which everything made of them is named.

locals {
  root = "${path.module}/../../.."

  files = {
    for component, patterns in {
      packages  = ["pyproject.toml", "uv.lock"]
      jars      = ["local/jars.toml"]
      fraud     = ["fraud/**"]
      rules     = ["fraud/rules.toml"]
      jobs      = ["jobs/**"]
      producer  = ["producer/**"]
      dashboard = ["dashboard/**"]
      setup     = ["README.md", "scripts/lib.sh", "local/__init__.py", "local/native/*.py"]
      } : component => sort([
        for file in flatten([for pattern in patterns : fileset(local.root, pattern)]) : file
        if length(regexall("(^|/)(__pycache__|\\.[a-z_]+_cache)/", file)) == 0 && (component == "rules" || file != "fraud/rules.toml")
    ])
  }
  build_files = fileset("${path.module}/../build/files", "*.sh")

  # Key below sources/ to the file on this machine.
  sources = merge(
    { for file in flatten(values(local.files)) : file => "${local.root}/${file}" },
    { for file in local.build_files : "build/${file}" => "${path.module}/../build/files/${file}" },
  )

  hash = { for component, files in local.files :
    component => sha256(join("\n", [for file in files : "${file} ${filesha256("${local.root}/${file}")}"]))
  }
  build_hash = sha256(join("\n", [for file in sort(local.build_files) : "${file} ${filesha256("${path.module}/../build/files/${file}")}"]))
  # Other rules build nothing: the job takes them from an object of their own.
  source_hash = sha256(jsonencode([{ for component, hash in local.hash : component => hash if component != "rules" }, local.build_hash, local.artifacts]))

  # What an image holds besides its own code.
  image_hash = { for component in ["jobs", "producer", "dashboard"] :
    component => substr(sha256(join(" ", concat(
      [local.hash["packages"], local.hash["fraud"], local.hash[component], var.cpu_architecture],
      component == "jobs" ? [local.hash["jars"], local.hash["setup"]] : [],
    ))), 0, 16)
  }

  artifacts = {
    images           = merge(local.image_hash, { kafdrop = "4.2.0" })
    environment      = "artifacts/environment-${substr(sha256("${local.hash["packages"]} ${var.cpu_architecture}"), 0, 16)}.tar.gz"
    code             = "artifacts/code-${substr(sha256("${local.hash["fraud"]} ${local.hash["jobs"]}"), 0, 16)}.zip"
    jars             = "artifacts/jars-${substr(local.hash["jars"], 0, 16)}.tar.gz"
    kafka            = local.on_ec2 ? "artifacts/kafka-${substr(local.hash["jars"], 0, 16)}.tar.gz" : ""
    emr_certificates = "artifacts/emr-certificates.zip"
  }
}

resource "aws_s3_object" "source" {
  for_each = local.sources

  bucket      = module.storage.work.name
  key         = "sources/${each.key}"
  source      = each.value
  source_hash = filesha256(each.value)
}
