#!/usr/bin/env bash
# The browser that `make test` opens the built pages in.
set -euo pipefail
# The image names a source of packages for Yarn, whose key has expired before. Nothing here needs it.
sudo rm -f /etc/apt/sources.list.d/yarn.list
sudo apt-get update
sudo apt-get install --yes --no-install-recommends chromium
