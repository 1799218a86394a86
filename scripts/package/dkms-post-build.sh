#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# DKMS keeps nothing of a build but the modules. Clients are built against the
# build's Module.symvers, so copy that beside the modules; DKMS removes both
# together. DKMS calls this script in the build directory, before it deletes that
# directory.
# usage: dkms-post-build.sh DIRECTORY
set -e

install -m 644 Module.symvers "$1"
