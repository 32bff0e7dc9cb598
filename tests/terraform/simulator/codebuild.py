"""CodeBuild: a project's change, and what moto drops of it. No build ever runs."""

import json

from moto.codebuild import urls
from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult, EmptyResult

from tests.terraform.simulator.hides import gap

gap("codebuild", "no build runs, whatever image and machine it names", "a_failed_build_fails_the_apply")


class CodebuildResponse(CodeBuildResponse):
    """moto's answers, with all of a project."""

    def create_project(self) -> ActionResult:
        """Keep what moto drops."""
        super().create_project()
        return self.update_project()

    def update_project(self) -> ActionResult:
        """What is given replaces what was."""
        given = json.loads(self.body)
        project = self.codebuild_backend.codebuild_projects[given["name"]]
        project.project_metadata.update(given)
        return ActionResult({"project": project.project_metadata})

    def delete_project(self) -> EmptyResult:
        """Take the project's ARN for its name, as AWS does; moto then deletes nothing."""
        self.codebuild_backend.delete_project(json.loads(self.body)["name"].rpartition("project/")[2])
        return EmptyResult()


def install() -> None:
    """Mend moto."""
    urls.url_paths["{0}/$"] = CodebuildResponse.dispatch
