"""Application Auto Scaling: the tags of a target, which moto does not keep."""

import json
from typing import ClassVar

from moto.applicationautoscaling import urls
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from tests.terraform.simulator.hides import gap

gap("autoscaling", "no volume grows by itself", "kafka_takes_tls_and_scram_only")


class AutoscalingResponse(ApplicationAutoScalingResponse):
    """moto's answers, with tags."""

    _tags: ClassVar[dict[str, dict[str, str]]] = {}  # of each ARN

    def register_scalable_target(self) -> str:
        """Keep the tags."""
        answer = super().register_scalable_target()
        self._tags.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(
            self._get_param("Tags") or {}
        )
        return answer

    def list_tags_for_resource(self) -> str:
        """The tags that were given."""
        return json.dumps({"Tags": self._tags.get(self._get_param("ResourceARN"), {})})


def install() -> None:
    """Mend moto."""
    urls.url_paths["{0}/$"] = AutoscalingResponse.dispatch
