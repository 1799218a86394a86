# SPDX-License-Identifier: GPL-2.0-only
# What Sphinx has to know: scripts/docs.sh runs it.

import pathlib
import re

project = "vmbkmcl"
author = copyright = "the vmbkmcl maintainers"
release = version = re.search(
    r'^PACKAGE_VERSION="(.*)"',
    (pathlib.Path(__file__).parents[3] / "dkms.conf").read_text(),
    re.M,
).group(1)
primary_domain = "c"
highlight_language = "none"
nitpicky = False
html_theme = "alabaster"
html_theme_options = {
    "description": "VMBus Kernel Mode Client Library for Linux",
    "page_width": "1240px",
}
html_show_sourcelink = False
