"""Where a Chromium is looked for, and what a person is told when there is none."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.check import ROOT
from scripts.chromium import NoChromiumError, find_chromium


def program(folder: Path, name: str, script: str = "echo Chromium 150.0") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_the_one_that_chromium_names_comes_first(tmp_path: Path) -> None:
    program(tmp_path, "chromium")
    own = program(tmp_path, "elsewhere/my-browser")
    assert find_chromium({"CHROMIUM": str(own), "PATH": str(tmp_path)}) == own


def test_a_wrong_chromium_is_a_mistake_and_not_replaced_by_another(tmp_path: Path) -> None:
    program(tmp_path, "chromium")
    with pytest.raises(NoChromiumError, match="CHROMIUM is 'my-browser', which is not a Chromium that runs"):
        find_chromium({"CHROMIUM": "my-browser", "PATH": str(tmp_path)})


def test_a_program_that_only_says_what_to_install_does_not_count(tmp_path: Path) -> None:
    program(tmp_path, "chromium-browser", "echo 'requires the chromium snap to be installed'; exit 1")
    chrome = program(tmp_path, "google-chrome")
    assert find_chromium({"PATH": str(tmp_path), "HOME": str(tmp_path)}) == chrome


def test_playwrights_own_is_found_where_it_installs_it(tmp_path: Path) -> None:
    own = program(tmp_path, "home/.cache/ms-playwright/chromium-1200/chrome-linux64/chrome")
    assert find_chromium({"PATH": str(tmp_path), "HOME": str(tmp_path / "home")}) == own
    moved = program(tmp_path, "browsers/chromium-1201/chrome-linux/chrome")
    assert find_chromium({"PATH": "", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")}) == moved


def test_without_one_the_browser_group_says_how_to_get_it_before_anything_starts() -> None:
    environment = {**os.environ, "CHROMIUM": "/nowhere/chromium"}
    for groups in (["browser"], ["quick", "browser"]):
        command = ["bash", str(ROOT / "scripts" / "test.sh"), *groups]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "apt install chromium" in done.stderr
        assert "set-up" not in done.stderr
        assert done.stdout == ""
