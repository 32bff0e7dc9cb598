# What each component's containers are.

locals {
  components = ["dashboard", "kafdrop", "producer", "maintenance"]

  # The image that a component runs; maintenance and init are programs of the jobs image.
  image_of = { dashboard = "dashboard", kafdrop = "kafdrop", producer = "producer", maintenance = "jobs" }

  sizes = { # CPU units and MiB
    dashboard   = { cpu = 1024, memory = 4096 }
    kafdrop     = { cpu = 256, memory = 1024 }
    producer    = { cpu = 256, memory = 1024 }
    maintenance = { cpu = 1024, memory = 4096 }
  }

  container = { for component in local.components : component => {
    name      = component
    image     = var.images[local.image_of[component]]
    essential = true
    # A root file system that nobody writes to; Kafdrop's image, which is not ours, has no other place.
    readonlyRootFilesystem = component != "kafdrop"
    mountPoints            = component == "kafdrop" ? [] : [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    volumesFrom            = []
    portMappings           = []
    systemControls         = []
    linuxParameters        = { initProcessEnabled = true }
    stopTimeout            = 60
    environment            = [for name, value in merge({ HOME = "/tmp" }, var.environments[component]) : { name = name, value = value }]
    secrets                = [for name, place in var.secrets[component] : { name = name, valueFrom = place }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.these[component].name
        awslogs-region        = var.region
        awslogs-stream-prefix = component
      }
    }
  } }

  containers = {
    dashboard = [merge(local.container["dashboard"], {
      command      = ["python", "-m", "streamlit", "run", "dashboard/streamlit_app.py"]
      portMappings = [{ containerPort = 8501, hostPort = 8501, protocol = "tcp", name = "http", appProtocol = "http" }]
      environment = concat(
        local.container["dashboard"].environment,
        [
          { name = "STREAMLIT_SERVER_ADDRESS", value = "0.0.0.0" },
          { name = "STREAMLIT_SERVER_PORT", value = "8501" },
          { name = "STREAMLIT_SERVER_HEADLESS", value = "true" },
        ],
        # The dashboard believes this load balancer alone who is signed in.
        local.login ? [{ name = "FRAUD_LOGIN_SIGNER", value = aws_lb.this.arn }] : [],
      )
      healthCheck = {
        command     = ["CMD", "python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
        interval    = 15
        timeout     = 5
        retries     = 4
        startPeriod = 60
      }
    })]

    kafdrop = [merge(local.container["kafdrop"], {
      # Its own start script takes properties only from a file or from base64: user and password go into a file.
      entryPoint   = ["/bin/sh", "-c"]
      command      = [file("${path.module}/files/kafdrop.sh")]
      portMappings = [{ containerPort = 9000, hostPort = 9000, protocol = "tcp", name = "http", appProtocol = "http" }]
      environment = concat(local.container["kafdrop"].environment, [
        { name = "SERVER_SERVLET_CONTEXTPATH", value = "/kafdrop" },
        { name = "MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE", value = "health" },
        { name = "CMD_ARGS", value = "--topic.deleteEnabled=false --topic.createEnabled=false" },
        { name = "JVM_OPTS", value = "-Xms64M -Xmx512M" },
        { name = "KAFKA_PROPERTIES_FILE", value = "/tmp/kafka.properties" },
      ])
    })]

    producer = [
      merge(local.container["producer"], { # its image's entry point says all
        dependsOn = [{ containerName = "init", condition = "SUCCESS" }]
      }),
      # Makes the topics before the first payment; when it fails, so does the task, and somebody sees it.
      merge(local.container["producer"], {
        name      = "init"
        image     = var.images["jobs"]
        essential = false
        command   = ["python", "-m", "jobs.init", "--timeout", "10m"]
      }),
    ]

    maintenance = [merge(local.container["maintenance"], {
      command = ["python", "-m", "jobs.compact"]
    })]
  }
}

resource "aws_ecs_task_definition" "these" {
  for_each = toset(local.components)

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.sizes[each.key].cpu
  memory                   = local.sizes[each.key].memory
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task[each.key].arn
  container_definitions    = jsonencode(local.containers[each.key])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = upper(var.cpu_architecture)
  }

  dynamic "volume" {
    for_each = each.key == "kafdrop" ? [] : ["tmp"]

    content {
      name = volume.value
    }
  }
}
