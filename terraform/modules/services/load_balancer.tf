# The one thing that can be reached from outside, and only by whom the network's firewall lets in.

locals {
  https = var.load_balancer.certificate_arn != null
  login = var.load_balancer.oidc != null
  # In the order in which they are asked.
  rules = merge(
    var.load_balancer.kafdrop ? { kafdrop = { priority = 10, paths = ["/kafdrop", "/kafdrop/*"] } } : {},
    { dashboard = { priority = 20, paths = ["/*"] } },
  )
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = var.load_balancer.internal
  subnets                    = var.load_balancer.internal ? var.network.private_subnet_ids : var.network.public_subnet_ids
  security_groups            = [var.network.security_group_ids["alb"]]
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  idle_timeout               = 300 # Streamlit's websocket
}

resource "aws_lb_target_group" "these" {
  for_each = { for component, service in local.services : component => service if service.behind }

  name                 = "${var.name}-${each.key}"
  port                 = each.value.port
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = var.network.vpc_id
  deregistration_delay = 15

  health_check {
    path                = each.value.health
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 4
  }

  # A Streamlit session lives in one container.
  stickiness {
    enabled         = true
    type            = "lb_cookie"
    cookie_duration = 86400
  }
}

# What no rule answers, and no login has passed, gets nothing.
resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.load_balancer.port
  protocol          = local.https ? "HTTPS" : "HTTP"
  ssl_policy        = local.https ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null
  certificate_arn   = var.load_balancer.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "not found"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "these" {
  for_each = local.rules

  listener_arn = aws_lb_listener.this.arn
  priority     = each.value.priority

  dynamic "action" {
    for_each = local.login ? [var.load_balancer.oidc] : []

    content {
      type  = "authenticate-oidc"
      order = 1

      authenticate_oidc {
        issuer                     = action.value.issuer
        authorization_endpoint     = action.value.authorization_endpoint
        token_endpoint             = action.value.token_endpoint
        user_info_endpoint         = action.value.user_info_endpoint
        client_id                  = action.value.client_id
        client_secret              = var.oidc_client_secret
        on_unauthenticated_request = "authenticate"
        scope                      = "openid email"
        session_timeout            = 28800
      }
    }
  }

  action {
    type             = "forward"
    order            = local.login ? 2 : 1
    target_group_arn = aws_lb_target_group.these[each.key].arn
  }

  condition {
    path_pattern {
      values = each.value.paths
    }
  }
}
