"""Downloads Java archives with Ivy, which pyspark carries and which knows the public repository by itself."""

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from local.native.java import WHEEL_HOME, find_java
from local.native.trust import trust_options

# `usepoms` and `checksums` off: no dependency is resolved, and our own SHA-256 is the check.
_SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <resolvers><ibiblio name="central" m2compatible="true" usepoms="false" checksums=""/></resolvers>
</ivysettings>
"""


class NoIvyError(Exception):
    """pyspark is not installed."""


@dataclass(frozen=True)
class Ivy:
    """Ivy with a cache of its own: what is downloaded stays there when a download breaks off.

    Several downloads can run at once, of different archives.
    """

    cache: Path
    java_options: Sequence[str]
    program: Path
    java: Path

    def download(
        self, name: str, coordinates: Iterable[str], folder: Path, downloaded: Callable[[], None]
    ) -> str:
        """Bring the archives `organisation:artifact:revision` to `folder`, as `artifact-revision.jar`.

        `name` tells it from others that run now; `downloaded` is called for each archive. Returns all that
        Ivy said; who calls looks for what is there.
        """
        module = self.cache / f"{name}.xml"
        module.write_text(_module(name, coordinates))
        command = [
            self.java / "bin" / "java", *self.java_options, "-jar", self.program,
            "-settings", self.cache / "settings.xml", "-ivy", module,
            "-confs", "default", "-types", "jar", "bundle",
            "-retrieve", f"{folder}/[artifact]-[revision].[ext]",
        ]  # fmt: skip
        said: list[str] = []
        with subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as ivy:
            for line in ivy.stdout or ():
                said.append(line)
                if "[SUCCESSFUL ]" in line:
                    downloaded()
        return "".join(said)


def prepared(cache: Path) -> Ivy:
    """Ivy on the folder `cache`, ready to download. Raises NoIvyError and NoJavaError."""
    spec = find_spec("pyspark")
    if not spec or not spec.origin:
        raise NoIvyError("pyspark, which carries Ivy, is not installed; run scripts/demo.sh or `uv sync`")
    program = next((Path(spec.origin).parent / "jars").glob("ivy-*.jar"))
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "settings.xml").write_text(_SETTINGS)
    java = find_java()
    trust = trust_options(cache / "authorities.jks") if java == WHEEL_HOME else []
    proxy = proxy_options(os.environ)
    # It is over in seconds: the second compiler and threads that collect garbage would only cost time.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return Ivy(cache, [*trust, *proxy, *quick, f"-Divy.default.ivy.user.dir={cache}"], program, java)


def proxy_options(environ: Mapping[str, str]) -> list[str]:
    """Java options for the proxy that other programs find in the environment (`HTTPS_PROXY`)."""
    proxy = urlsplit(environ.get("https_proxy") or environ.get("HTTPS_PROXY") or "")
    if not proxy.hostname:
        return []
    return [f"-Dhttps.proxyHost={proxy.hostname}", f"-Dhttps.proxyPort={proxy.port or 80}"]


def _module(name: str, coordinates: Iterable[str]) -> str:
    lines = [
        '<ivy-module version="2.0">',
        f'  <info organisation="local" module={quoteattr(name)}/>',
        "  <dependencies>",
    ]
    for coordinate in coordinates:
        org, artifact, revision = map(quoteattr, coordinate.split(":"))
        lines.append(f'    <dependency org={org} name={artifact} rev={revision} transitive="false"/>')
    return "\n".join([*lines, "  </dependencies>", "</ivy-module>", ""])
