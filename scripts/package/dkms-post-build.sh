#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# DKMS keeps of a build only the module. A module that uses it is built against
# its Module.symvers, so that goes beside it, and goes with it when DKMS removes
# the build. DKMS calls this in the build directory, before it deletes that.
# usage: dkms-post-build.sh DIRECTORY
set -e

install -m 644 Module.symvers "$1"
