"""The wheel's long description: README.md with links that lead somewhere from an index page.

A hook of hatchling, named in pyproject.toml. In a checkout relative links are right; on an index
page a picture is shown, and a page is there, only under its whole address.
"""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)\s]+)\)")


class WheelReadme(MetadataHookInterface):
    """Sets `readme`, which pyproject.toml declares to be dynamic."""

    def update(self, metadata: dict[str, object]) -> None:
        """Read README.md and put it in, links rewritten."""
        source = str(self.config["source"]).rstrip("/")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, source)}


def absolute(text: str, source: str) -> str:
    """Return Markdown whose relative links lead into the main branch of a repository."""

    def rewrite(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        kind = "raw" if picture else "tree" if target.endswith("/") else "blob"
        return f"{picture}[{words}]({source}/{kind}/main/{target})"

    return LINK.sub(rewrite, text)
