# SPDX-License-Identifier: GPL-2.0-only
# The static checks. NAME.found holds the findings of a check. NAME.inputs lists the
# hashes of everything that the check reads, and is written only when the list differs.
# When it is newer than NAME.found, the check runs again. The times of the files alone
# would not show that one was deleted, renamed, or replaced by an older one.
# check.sh sets kdir, clang_kdir, all and only.

names := checkpatch sparse kernels layers kernel-doc headers host api-table \
	shellcheck codespell licenses
long := clang coccinelle
named := $(strip $(foreach name,$(names) $(long),\
	$(if $(findstring $(only),$(name)),$(name))))
chosen := $(if $(only),$(named),$(names) $(if $(all),$(long)))

state := build/check
export kdir clang_kdir

tracked := $(wildcard $(shell git ls-files --cached --others --exclude-standard))
headers := $(filter %.h,$(tracked))
code := $(filter %.c %.h,$(tracked))
built := $(code) $(filter %Kbuild dkms.conf,$(tracked))
# Two semantic patches need an OCaml compiler. One looks at a driver, and sparse
# finds what the other one finds.
patches := $(if $(filter coccinelle,$(chosen)),$(shell \
	find $(kdir)/scripts/coccinelle -name '*.cocci' | xargs grep -L ':ocaml'))

check: $(or $(chosen),$(error the checks are $(names) $(long)))

# The excuses are applied here, so that a new excuse runs no check again.
$(names) $(long):
	@scripts/check/run.sh report $@ $^

$(filter-out checkpatch coccinelle,$(names) $(long)): %: $(state)/%.found
checkpatch: $(code:%=$(state)/checkpatch/%.found)
coccinelle: $(patches:$(kdir)/scripts/coccinelle/%=$(state)/coccinelle/%.found)

# What each check reads, and the packages of its tools
in = $(1:%=$(state)/%.inputs)
$(call in,$(code:%=checkpatch/%)): $(state)/checkpatch/%.inputs: %
$(call in,sparse clang layers): $(built)
$(call in,kernel-doc coccinelle): $(code)
$(call in,headers): $(headers)
$(call in,host): $(filter kunit/host/own/core/%,$(code))
$(call in,api-table shellcheck codespell licenses): $(tracked)
tools := gcc
$(call in,sparse): tools := gcc sparse
$(call in,clang): tools := clang
$(call in,coccinelle): tools := coccinelle
$(call in,shellcheck): tools := shellcheck
$(call in,codespell): tools := codespell
$(call in,licenses): tools := reuse
scripts := scripts/build-modules.sh $(wildcard scripts/lib/*.sh) \
	$(filter-out %/excuses,$(wildcard scripts/check/*))

# compile.sh finds out itself what has changed.
$(state)/kernels.found: $(call in,kernels) FORCE

$(state)/%.inputs: FORCE
	@mkdir -p $(@D)
	@{ echo $(kdir) $(clang_kdir); gcc --version; dpkg-query -W $(tools); \
		sha256sum $(scripts) $(filter-out FORCE,$^); } >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

find = @mkdir -p $(@D) && scripts/check/run.sh $(1) >$@.new && mv $@.new $@

$(state)/%.found: $(state)/%.inputs
	$(call find,$*)

$(state)/checkpatch/%.found: $(state)/checkpatch/%.inputs
	$(call find,checkpatch $*)

$(state)/coccinelle/%.found: $(call in,coccinelle)
	$(call find,coccinelle $(kdir)/scripts/coccinelle/$*)

FORCE:
.PHONY: FORCE check $(names) $(long)
