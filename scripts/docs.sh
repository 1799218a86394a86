#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make the documentation as HTML and as text. The API reference comes from the
# comments in the sources. A warning is a failure. Prints the paths.
# usage: docs.sh

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"

version=6.12
out=$tree/build/docs

extract_kernel_doc() {
	tar -x -C "$1" --strip-components=2 -f "/usr/src/linux-source-$2.tar.xz" \
		"linux-source-$2/scripts/kernel-doc"
}

# kernel_doc ARGUMENT…: the tool does not know "Source:", which becomes a paragraph
kernel_doc() {
	perl "$tool/kernel-doc" -rst -Werror "$@" | sed 's/^ *Source: /\n&/'
}

heading() { printf '\n%s\n%s\n\n' "$1" "${1//?/=}"; }

# title FILE: its first comment, up to a colon or the end of the first sentence
title() {
	sed -n '2,/\*\//{s|^/\* *||; s|^ \* *||; s| *\*/$||; p}' "$1" | xargs -d '\n' |
		sed -E 's/^ *//; s/[.:]( .*)?$//'
}

reference() {
	local file this former=

	cd "$tree"
	cat <<-END
		.. SPDX-License-Identifier: GPL-2.0-only

		=============
		API reference
		=============

		Prototypes, constants and callback types are in
		\`\`vmbuskernelmodeclientlibapi.h\`\`.

		.. contents::
		   :local:
		   :depth: 1
	END
	grep -l '^EXPORT_SYMBOL_GPL(' vmbkmcl/*.c | while read -r file; do
		this=$(title "$file")
		# Two files of one title follow each other, and make one section.
		[ "$this" = "$former" ] || heading "$this"
		former=$this
		kernel_doc -export "$file"
	done
	heading "Structures and types"
	find include -name '*.h' | sort | xargs grep -l '^/\*\*' | while read -r file; do
		kernel_doc "$file"
	done
}

# build FORMAT
build() {
	logged "$logs/docs-$1.log" sphinx-build -W --keep-going -q -E -b "$1" \
		-d "$out/doctrees" "$out/source" "$out/$1"
}

need_packages python3-sphinx "linux-source-$version"
tool=$(keyed kernel-doc "$(installed_version "linux-source-$version")" \
	"unpacking the kernel's kernel-doc (half a minute, once)" extract_kernel_doc "$version")
rm -rf "$out"
mkdir -p "$out/source"
cp "$tree"/Documentation/*.{rst,svg,py} "$out/source"
logged "$logs/kernel-doc.log" reference
mv "$logs/kernel-doc.log" "$out/source/api.rst"
build html
build text
printf '%s\n' "$out"/{html/index.html,text}
