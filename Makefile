# SPDX-License-Identifier: GPL-2.0-only
# The targets that people use. The kernel's build reads Kbuild instead of this file.

KDIR ?= /lib/modules/$(shell uname -r)/build
RELEASE = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
DEPMOD = depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(RELEASE)
MOD_DIR := updates

all: modules

modules clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

# modules_install signs the modules if the kernel's build directory has the key, and
# does not run depmod if there is no System.map, so depmod is run here.
install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=$(MOD_DIR) modules_install
	$(DEPMOD)

uninstall:
	rm -f $(addprefix $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/$(MOD_DIR)/,vmbkmcl.ko* vmbkmcl_hv.ko*)
	$(DEPMOD)

# Share four buffers of a stock Debian guest with a server outside of it.
demo:
	scripts/demo.sh

# Share buffers with a server in the same kernel, without Hyper-V.
loop-demo:
	scripts/loop-demo.sh

# The KUnit suites that need no Hyper-V, in a plain guest; SUITE=glob for some.
test-quick:
	scripts/test-quick.sh $(SUITE)

# The KUnit suites in a debug guest; SUITE=name runs one.
test:
	scripts/test.sh $(SUITE)
	$(if $(SUITE),,scripts/test-rt.sh)

# The suites of the packet path on Debian's own PREEMPT_RT kernels; make test does it, too.
test-rt:
	scripts/test-rt.sh $(SUITE)

# Break the packet path in small ways, and see whether the tests notice; FILES="tx.c …".
mutate:
	scripts/mutate.py $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
		$(if $(JOBS),--jobs $(JOBS)) $(FILES)

# A host that sends nonsense; FUZZ_SEED=N repeats a run.
fuzz:
	scripts/fuzz.sh

# Compile, test and demo for every supported kernel, as one table.
test-all:
	scripts/test-all.sh $(KERNEL)

# Which lines and branches of the module the tests run, into build/coverage.
coverage:
	scripts/coverage.sh

# Measure KMCL next to the same jobs done by hand with hv_vmbus; JOB=name for one.
bench:
	kunit/bench/bench.sh $(JOB)

# The static checks; ONLY=part of the name for some of them.
check:
	scripts/check.sh "$(ONLY)"

# The static checks, with those that take many minutes.
check-all:
	scripts/check.sh --all

# HTML and text, into build/docs.
docs:
	scripts/docs.sh

# Build the Debian packages into build/deb; package-test tries them in a chroot.
package:
	scripts/package/package.sh

package-test:
	scripts/package/package-test.sh

help:
	@echo 'make            build the modules against KDIR ($(KDIR))'
	@echo 'make install    install them [INSTALL_MOD_PATH=root of the target]'
	@echo 'make uninstall  remove them again'
	@echo 'make docs       the documentation as HTML and text'
	@echo 'make package    build the Debian packages'
	@echo 'make package-test  install and remove them in a chroot'
	@echo 'make demo       see it work in a Hyper-V guest [KERNEL=version]'
	@echo 'make loop-demo  see both ends work in one kernel [KERNEL=version]'
	@echo 'make test-quick run the tests that need no Hyper-V [SUITE=glob]'
	@echo 'make test       run the tests [SUITE=name] [KERNEL=version]'
	@echo 'make test-rt    run the packet suites on PREEMPT_RT kernels'
	@echo 'make mutate     see which faults the tests notice [COUNT=] [SEED=] [FILES=]'
	@echo 'make fuzz       have the host send nonsense [FUZZ_SEED=number]'
	@echo 'make test-all   compile, test and demo for every kernel'
	@echo 'make coverage   which lines of the module the tests run'
	@echo 'make bench      measure it against hv_vmbus by hand [JOB=name]'
	@echo 'make check      static checks [ONLY=name]'
	@echo 'make check-all  the long ones as well'
	@echo 'make clean      remove what was built here'

.PHONY: all modules install uninstall clean demo loop-demo test-quick test test-rt mutate test-all coverage bench \
	check check-all docs package package-test fuzz help
