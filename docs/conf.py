"""How Sphinx makes the documentation. `python -m docs.build` calls it; nothing in the pages asks another host."""

import camwidget

project = "camwidget"
author = "camwidget maintainers"
project_copyright = author
release = version = camwidget.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "images/README.md"]
root_doc = "index"
language = "en"

html_theme = "furo"
html_title = f"camwidget {version}"
html_copy_source = False
html_show_sourcelink = False

# Committed outputs are shown: `python -m tests.notebooks` wrote them, and tests run every cell.
nb_execution_mode = "off"
# Otherwise pages with widgets would load two scripts from a content network; stills are shown in their place.
nb_ipywidgets_js: dict[str, str] = {}
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
# Links to other places are only looked at by `-b linkcheck`, and only where there is a network.
linkcheck_timeout = 20
