"""The pages say what is: their figures are measured, their links lead somewhere, their commands exist."""

import re
from pathlib import Path

import pytest

from scripts.readme_figures import MEASURED, README, ROOT, blocks, charts, with_blocks

PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_figures_and_charts_are_those_of_the_last_measurement() -> None:
    measured = MEASURED.read_text("utf-8")
    for path, texts in blocks(measured).items():
        page = path.read_text("utf-8")
        assert with_blocks(page, texts) == page
    for image, text in charts(measured).items():
        assert image.read_text("utf-8") == text


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for figures"):
        with_blocks("# nothing", {"figures": "some"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    own = [link for link in links if link and "://" not in link]
    assert [link for link in own if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    scripts = set(re.findall(r"scripts/[\w-]+\.(?:sh|py)", text))
    modules = {
        name.replace(".", "/")
        for name in re.findall(r"python -m ((?:scripts|jobs|local|producer)[\w.]*)", text)
    }
    assert [name for name in scripts if not (ROOT / name).exists()] == []
    assert [
        name
        for name in modules
        if not (ROOT / f"{name}.py").exists() and not (ROOT / name / "__main__.py").exists()
    ] == []
