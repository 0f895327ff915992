"""The book's own Sphinx extension: one line for each thing it adds to Jupyter Book."""

from __future__ import annotations

import sys
from pathlib import Path

# Sphinx is told of this folder alone, and the parts read notebooks as those modules do.
sys.path.append(str(Path(__file__).resolve().parents[1] / "notebooks"))

import bokeh_js
import chapter_status
import code_lines
import command_help
import data_cards
import download_links
import front_page
import launch_links
import mathml
import model_files
import notebook_outputs
import offline_site
import own_file_page
import page_widgets
import play_finder_file
import predictions
import site_files
import stale_pages
import theme_scripts
import training_files

PARTS = (
    notebook_outputs,
    chapter_status,
    code_lines,
    command_help,
    data_cards,
    download_links,
    front_page,
    launch_links,
    mathml,
    own_file_page,
    bokeh_js,
    page_widgets,
    play_finder_file,
    predictions,
    model_files,
    site_files,
    stale_pages,
    theme_scripts,
    training_files,
    offline_site,
)


def setup(app) -> dict:
    for part in PARTS:
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
