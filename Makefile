# SPDX-License-Identifier: GPL-2.0-only
# What a person types. Kbuild beside this file is what the kernel's build reads.

KDIR ?= /lib/modules/$(shell uname -r)/build

all: modules

modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

# Share four buffers with a server outside a stock Debian guest, and look.
demo:
	scripts/demo.sh

# The KUnit suites in a debug guest; SUITE=name runs one.
test:
	scripts/test.sh $(SUITE)

# checkpatch, sparse and W=1 on everything.
check:
	scripts/check.sh

help:
	@echo 'make            build vmbkmcl.ko against KDIR ($(KDIR))'
	@echo 'make modules_install  install it there'
	@echo 'make demo       see it work in a Hyper-V guest'
	@echo 'make test       run the tests [SUITE=name]'
	@echo 'make check      static checks'
	@echo 'make clean      remove what was built here'

.PHONY: all modules modules_install clean demo test check help
