"""The scripts of one page: with their digests, so that a browser runs no byte that we did not name.

An import map gives every module that a script loads its lasting address and its digest. It is the
one inline script of a page, and the page's policy allows exactly its bytes; browsers that know no
import maps load the modules by their plain addresses instead.
Workers take neither import map nor digest; that their bytes are those in the log is for
``siegelpost audit`` to see.
"""

from __future__ import annotations

import base64
import hashlib
import json

from markupsafe import Markup

from siegelpost.portal.assets import Assets


class Scripts:
    """What one rendering of a page asks for; `hashes` then belongs into its policy."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        #: of the inline import maps, as sources of Content-Security-Policy
        self.hashes: list[str] = []

    def module(self, name: str) -> Markup:
        """The elements that load the script ``name`` and all that it imports.

        Call it once a page: browsers take one import map. LookupError if there is no such file.
        """
        assets = self._assets
        imported = assets.modules(name, later=True)
        addresses = {module: assets.address(module) for module in imported}
        at_once = assets.modules(name)
        text = json.dumps(
            {
                "imports": {f"/static/{module}": at for module, at in addresses.items()},
                "integrity": {at: assets.integrity(module) for module, at in addresses.items()},
            },
            separators=(",", ":"),
        )
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        self.hashes.append(f"'sha256-{digest}'")
        lines = [f'<script type="importmap">{text}</script>']
        lines += [
            f'<link rel="modulepreload" href="{addresses[each]}"'
            f' integrity="{assets.integrity(each)}">'
            for each in at_once
        ]
        lines.append(
            f'<script type="module" src="{assets.address(name)}"'
            f' integrity="{assets.integrity(name)}"></script>'
        )
        return Markup("\n  ".join(lines))  # noqa: S704 - file names of ours, digests and base64
