"""Service Quotas: those of CodeBuild and EC2, which moto lacks. A change asked for is made at once."""

from typing import Any

from moto.core.responses import ActionResult
from moto.servicequotas import urls
from moto.servicequotas.models import ServiceQuotasBackend, servicequotas_backends
from moto.servicequotas.responses import ServiceQuotasResponse

# Codes of CodeBuild's are invented: nothing but the names decides.
_QUOTAS = {
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 512.0),
    ("codebuild", "L-ARM"): ("Concurrently running builds for ARM/Medium environment", 1.0),
    ("codebuild", "L-LINUX"): ("Concurrently running builds for Linux/Medium environment", 1.0),
}


class ServiceQuotas(ServiceQuotasBackend):
    """What the account has in a region."""

    __module__ = ServiceQuotasBackend.__module__  # beside which moto looks for a service's paths

    def __init__(self, region_name: str, account_id: str) -> None:
        """As an account has them that is not quite new."""
        super().__init__(region_name, account_id)
        self.values = {place: value for place, (_, value) in _QUOTAS.items()}

    def listed(self, service: str) -> list[dict[str, Any]]:
        """The quotas of a service."""
        return [
            {"ServiceCode": service, "QuotaCode": code, "QuotaName": _QUOTAS[of, code][0], "Value": value}
            for (of, code), value in self.values.items()
            if of == service
        ]


class Response(ServiceQuotasResponse):
    """Answers of the operations that moto lacks."""

    def list_service_quotas(self) -> ActionResult:
        """All on one page."""
        return ActionResult({"Quotas": self.backend.listed(self._get_param("ServiceCode"))})

    def request_service_quota_increase(self) -> ActionResult:
        """Granted, whatever is asked for."""
        place = (self._get_param("ServiceCode"), self._get_param("QuotaCode"))
        self.backend.values[place] = float(self._get_param("DesiredValue"))
        return ActionResult({"RequestedQuota": {"QuotaCode": place[1], "Status": "APPROVED"}})


def install() -> None:
    """Mend moto."""
    servicequotas_backends.backend = ServiceQuotas
    urls.url_paths["{0}/$"] = Response.dispatch
