# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# make help lists what there is to make. Output goes to build/<variant>/, so that
# release, asan and tsan live side by side; V=1 shows the commands.
#
# The tree is the build: every lib/<module>/*.c goes into build/<variant>/lib/<module>.a, every
# tests/unit/<module>/test_*.c becomes a program that links <module> and the modules below it
# and nothing else, so the linker keeps the direction of the dependencies true.

VARIANT ?= release
V       ?= 0
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
BPF_CC  ?= clang-19
LLVM_CONFIG ?= llvm-config-19

B := build/$(VARIANT)
Q := $(if $(filter 1,$(V)),,@)
say = @$(if $(filter 1,$(V)),:,printf '  %-8s %s\n' $(1) $(2))

VERSION := 0.1.0

# ---- modules, lowest first; a module may use what stands before it ---------------------------
below_base    :=
below_program := base
below_vm      := program base
below_scan    := vm program base
below_rpc     := base
below_wire    := program base
below_sql     := vm program base
MODULES       := base program vm scan rpc wire sql

# ---- flags -----------------------------------------------------------------------------------
PKGS := libbpf libelf liburing libprotobuf-c libnghttp2 libssl libcrypto libuv libseccomp libcap-ng inih libcjson
missing := $(shell for p in $(PKGS); do pkg-config --exists $$p 2>/dev/null || echo $$p; done)
# Its .pc file asks for json-c's, which Debian's package does not bring and we do not use.
missing += $(shell $(CC) -fsyntax-only -include libnvme.h -xc /dev/null 2>/dev/null || echo libnvme)
missing := $(strip $(missing))
pkg_cflags := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# These goals install what is missing, or need nothing.
self_sufficient := help deps demo check check-guest bench clean format
ifneq ($(missing),)
ifneq ($(filter-out $(self_sufficient),$(or $(MAKECMDGOALS),all)),)
$(error missing: $(missing). "make deps" installs what packaging/packages.txt lists)
endif
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef -Wno-format-truncation
ifdef CI
WARN += -Werror
endif
CPPFLAGS += -D_GNU_SOURCE -DNEARFOLD_VERSION='"$(VERSION)"' -Ilib -I. -I$(B)/gen $(pkg_cflags)
base_cflags := -std=c17 -g -fPIC -fvisibility=hidden -fno-strict-aliasing $(WARN)
cflags_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
cflags_asan    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
cflags_fuzz    := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize=function # compiled queries carry no types for it
cflags_tsan    := -O1 -fno-omit-frame-pointer -fsanitize=thread
ldflags_release := -Wl,-z,relro,-z,now
ldflags_asan    := -fsanitize=address,undefined
ldflags_fuzz    := -fsanitize=address,undefined
ldflags_tsan    := -fsanitize=thread
all_cflags  := $(base_cflags) $(cflags_$(VARIANT)) $(CFLAGS)
all_ldflags := $(ldflags_$(VARIANT)) $(LDFLAGS)

# What a program links beside our archives, by the module that needs it.
libs_base    := -lpthread
libs_program := -lelf -lbpf -lcrypto
libs_vm      := -lm -ldl
libs_scan    := -luring -lnvme
libs_rpc     := -lnghttp2 -lssl -lcrypto -luv
libs_wire    := -lprotobuf-c
libs_sql     := -lpg_query -lgmp
archives = $(foreach m,$(1) $(below_$(1)),$(B)/lib/$(m).a)
syslibs  = $(foreach m,$(1) $(below_$(1)),$(libs_$(m)))

.DEFAULT_GOAL := all
.PHONY: all help deps demo check bench install format clean
all: $(B)/nearfoldd $(B)/nearfold $(B)/libnearfold.so examples jit

help:
	@echo 'make            build everything into $(B)/ (VARIANT=release|asan|tsan)'
	@echo 'make deps       install the Debian packages of packaging/packages.txt (root or sudo)'
	@echo 'make demo       install what is missing, build, start a node on loopback, run a query'
	@echo 'make check      install what is missing, build, run every test (sanitizers, fuzz corpora)'
	@echo 'make check-guest  the tests that need another kernel or NVMe devices, in QEMU'
	@echo 'make bench      measure, and print ratios against the same work in plain C'
	@echo 'make install    PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make format     clang-format over the C files'
	@echo 'make clean      remove build/'
	@echo 'V=1 shows the commands; CI=1 turns warnings into errors'

# ---- compile ---------------------------------------------------------------------------------

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(all_cflags) -MMD -MP -c $< -o $@

$(B)/obj/gen/%.o: $(B)/gen/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(all_cflags) -Wno-shadow -Wno-missing-braces -MMD -MP -c $< -o $@

# Helpers compute doubles as IEEE 754 says, operation by operation.
$(B)/obj/lib/vm/vm_helper.o $(B)/obj/lib/vm/vm_parse_f64.o: CPPFLAGS += -ffp-contract=off

# protobuf: the C of the messages, and the descriptor that reflection serves
$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h: proto/%.proto
	$(call say,PROTOC,$<)
	@mkdir -p $(B)/gen
	$(Q)protoc-c --proto_path=proto --c_out=$(B)/gen $<

gen_wire_objs := $(B)/obj/gen/nearfold.pb-c.o $(B)/obj/gen/status.pb-c.o $(B)/obj/gen/health.pb-c.o

define module
$(1)_src  := $$(wildcard lib/$(1)/*.c)
$(1)_objs := $$(call objs,$$($(1)_src)) $$(gen_$(1)_objs)
$(B)/lib/$(1).a: $$($(1)_objs)
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcsD $$@ $$($(1)_objs)
endef
$(foreach m,$(MODULES),$(eval $(call module,$(m))))
GEN_H := $(B)/gen/nearfold.pb-c.h $(B)/gen/status.pb-c.h $(B)/gen/health.pb-c.h
$(call objs,$(wildcard lib/wire/*.c)): | $(GEN_H)

# ---- the node, the client ----------------------------------------------------------------------
node_objs   := $(call objs,$(wildcard storage-node/*.c))
client_objs := $(call objs,$(wildcard compute-client/*.c))
cmd_objs    := $(call objs,$(wildcard compute-client/cmd/*.c compute-client/bench/*.c))
$(node_objs) $(client_objs) $(cmd_objs): | $(GEN_H)
link_all := -Wl,--start-group $(foreach m,$(MODULES),$(B)/lib/$(m).a) -Wl,--end-group
all_libs := $(foreach m,$(MODULES),$(libs_$(m)))
# Of SQL a node needs schemas alone: no parser and no numbers are linked into it.
libs_node := $(foreach m,$(filter-out sql,$(MODULES)),$(libs_$(m))) -lseccomp -lcap-ng -linih
libs_cmd := -lcjson -lm

$(B)/nearfoldd: $(node_objs) $(MODULES:%=$(B)/lib/%.a)
	$(call say,LD,$@)
	$(Q)$(CC) $(all_ldflags) -o $@ $(node_objs) $(link_all) $(libs_node)

$(B)/nearfold: $(cmd_objs) $(client_objs) $(MODULES:%=$(B)/lib/%.a)
	$(call say,LD,$@)
	$(Q)$(CC) $(all_ldflags) -o $@ $(cmd_objs) $(client_objs) $(link_all) $(all_libs) $(libs_cmd)

$(B)/libnearfold.so: $(client_objs) $(MODULES:%=$(B)/lib/%.a) compute-client/libnearfold.map
	$(call say,LD,$@)
	$(Q)$(CC) $(all_ldflags) -shared -Wl,-soname,libnearfold.so.0 \
		-Wl,--version-script=compute-client/libnearfold.map -o $@ $(client_objs) $(link_all) $(all_libs)
	$(Q)ln -sf libnearfold.so $@.0

# ---- the JIT module: optional, loaded on demand ------------------------------------------------
.PHONY: jit
jit_src := $(wildcard lib/vm/jit/*.c)
ifneq ($(jit_src),)
jit: $(B)/nearfold-jit.so
$(call objs,$(jit_src)): CPPFLAGS += $(shell $(LLVM_CONFIG) --cppflags 2>/dev/null)
$(B)/nearfold-jit.so: $(call objs,$(jit_src)) $(call archives,vm)
	$(call say,LD,$@)
	$(Q)$(CC) $(all_ldflags) -shared -o $@ $(call objs,$(jit_src)) $(call archives,vm) \
		$(shell $(LLVM_CONFIG) --ldflags --libs --link-shared 2>/dev/null) $(call syslibs,vm)
else
jit:
endif

# ---- BPF programs --------------------------------------------------------------------------------
.PHONY: examples
bench_program_objs := $(patsubst bpf/bench/%.bpf.c,$(B)/bench-programs/%.bpf.o,$(wildcard bpf/bench/*.bpf.c))
examples: $(bench_program_objs)
example_objs := $(patsubst bpf/examples/%.bpf.c,$(B)/examples/%.bpf.o,$(wildcard bpf/examples/*.bpf.c))
examples: $(example_objs)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Ibpf
$(B)/examples/%.bpf.o: bpf/examples/%.bpf.c bpf/nearfold.bpf.h
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) $(BPF_CFLAGS) -c $< -o $@

# What `nearfold bench sweep` asks, over data of its own.
$(B)/bench-programs/%.bpf.o: bpf/bench/%.bpf.c bpf/nearfold.bpf.h $(wildcard bpf/bench/*.h)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) $(BPF_CFLAGS) -c $< -o $@

# The kernel's scan loop, compiled and turned into C arrays: nothing parses ELF at run time.
SCAN_BPF_CFLAGS := -O2 -target bpf -mcpu=v4 -ffreestanding -Wall -Wextra
$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) $(SCAN_BPF_CFLAGS) -c $< -o $@
$(B)/bpf/embed: bpf/embed.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(all_cflags) $(all_ldflags) $< -o $@ -lelf
scan_bpf_objs := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
$(B)/gen/scan_bpf.h: $(B)/bpf/embed $(scan_bpf_objs)
	$(call say,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)$(B)/bpf/embed $(scan_bpf_objs) > $@.tmp && mv $@.tmp $@
$(call objs,lib/scan/engine_kernel_template.c): $(B)/gen/scan_bpf.h

# Programs in C that tests verify and run: tests/programs/<folder>/*.bpf.c
test_programs := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard tests/programs/*/*.bpf.c))
$(B)/tests/programs/%.bpf.o: tests/programs/%.bpf.c bpf/nearfold.bpf.h $(wildcard tests/programs/*.h)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) $(BPF_CFLAGS) -c $< -o $@

# ---- tests: tests/unit/<module>/test_*.c ---------------------------------------------------------
unit_src := $(wildcard tests/unit/*/test_*.c)
unit_bin := $(patsubst tests/%.c,$(B)/tests/%,$(unit_src))
define unit_module
$(B)/tests/unit/$(1)/test_%: $(B)/obj/tests/unit/$(1)/test_%.o $(call archives,$(1)) $(B)/tests/support.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(all_ldflags) -o $$@ $$< $(B)/tests/support.a -Wl,--start-group $(call archives,$(1)) -Wl,--end-group $(call syslibs,$(1)) -lcmocka
endef
$(foreach m,$(MODULES),$(eval $(call unit_module,$(m))))
# The client's: its objects but main, as an archive, and every module.
$(B)/tests/client.a: $(client_objs) $(filter-out %/main.o,$(cmd_objs))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcsD $@ $^
$(B)/tests/unit/compute-client/test_%: $(B)/obj/tests/unit/compute-client/test_%.o $(B)/tests/client.a $(MODULES:%=$(B)/lib/%.a)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(all_ldflags) -o $@ $< $(B)/tests/client.a $(link_all) $(all_libs) $(libs_cmd) -lcmocka
$(call objs,$(filter tests/unit/compute-client/%,$(unit_src))): | $(GEN_H)
# Uses the public library as anyone would: its header, the shared object, and nothing else of ours.
$(B)/tests/prog_latency: tests/support/prog_latency.c compute-client/nearfold.h $(B)/libnearfold.so
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -g $(WARN) $(cflags_$(VARIANT)) $(all_ldflags) -Icompute-client \
		-o $@ $< -L$(B) -lnearfold -Wl,-rpath,'$$ORIGIN/..'
programs: $(B)/tests/prog_latency $(B)/tests/prog_hammer $(B)/tests/prog_attach
$(B)/tests/prog_hammer: LDLIBS = -luring
$(B)/tests/prog_attach: LDLIBS = -lbpf
$(B)/tests/prog_hammer $(B)/tests/prog_attach: $(B)/tests/%: tests/support/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(all_cflags) $(all_ldflags) $< -o $@ $(LDLIBS)
# The node's, in the same way.
$(B)/tests/node.a: $(filter-out %/main.o,$(node_objs))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcsD $@ $^
$(B)/tests/unit/storage-node/test_%: $(B)/obj/tests/unit/storage-node/test_%.o $(B)/tests/node.a $(B)/tests/support.a $(MODULES:%=$(B)/lib/%.a)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(all_ldflags) -o $@ $< $(B)/tests/support.a $(B)/tests/node.a $(link_all) $(libs_node) -lcmocka
$(call objs,$(filter tests/unit/storage-node/%,$(unit_src))): | $(GEN_H)
# What several tests share: tests/support/*.c (programs of their own there are named prog_*.c).
support_src := $(filter-out tests/support/prog_%,$(wildcard tests/support/*.c))
$(call objs,$(wildcard tests/support/*.c)): | $(GEN_H)
$(B)/tests/support.a: $(call objs,$(support_src))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcsD $@ $^
.PHONY: unit
unit: $(unit_bin) $(test_programs) jit
.SECONDARY:

# Fuzz targets: with a plain main over their corpus they are ordinary tests; `make fuzz-NAME` links
# libFuzzer instead and runs it for FUZZ_SECONDS over the same corpus.
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_bin   := $(fuzz_names:%=$(B)/tests/fuzz/fuzz_%)
FUZZ_SECONDS ?= 60
ifeq ($(VARIANT),fuzz)
fuzz_main :=
fuzz_link := -fsanitize=fuzzer
else
fuzz_main := $(B)/obj/tests/fuzz/corpus_main.o
endif
$(call objs,$(wildcard tests/fuzz/*.c)): | $(GEN_H)
$(B)/tests/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(fuzz_main) $(MODULES:%=$(B)/lib/%.a) $(B)/tests/support.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(all_ldflags) $(fuzz_link) -o $@ $< $(fuzz_main) $(B)/tests/support.a $(link_all) $(all_libs)
.PHONY: fuzz $(fuzz_names:%=fuzz-%)
fuzz: $(fuzz_bin) jit
$(fuzz_names:%=fuzz-%): fuzz-%:
	+$(Q)$(MAKE) --no-print-directory VARIANT=fuzz CC=clang-19 build/fuzz/tests/fuzz/fuzz_$* jit
	@mkdir -p build/fuzz/corpus/$*
	build/fuzz/tests/fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -timeout=30 -rss_limit_mb=4096 \
		build/fuzz/corpus/$* tests/fuzz/corpus/$*

# ---- the commands of the README --------------------------------------------------------------------
# Each first installs what is missing, then starts make anew, which finds it, on all processors
# unless -j says otherwise.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
again = $(MAKE) --no-print-directory $(jobs)
deps:
	@packaging/install-packages build test

demo:
	@packaging/install-packages build
	+@$(again) all
	@B=$(B) packaging/demo

# Unit tests and fuzz corpora under ASan + UBSan, everything else as released.
.PHONY: check-all
check:
	@packaging/install-packages build test
	+@$(again) all unit programs
	+@$(again) VARIANT=asan unit fuzz
	@B=$(B) ASAN=build/asan tests/run

# In a virtual machine with another kernel and NVMe devices. By itself: it wants minutes and QEMU.
.PHONY: check-guest
check-guest:
	@packaging/install-packages build test guest
	+@$(again) all programs $(test_programs) \
		$(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/scan/test_engine_kernel*.c))
	@B=$(B) tests/guest/check $(GUEST_TESTS)

bench:
	@packaging/install-packages build test bench
	+@$(again) all bench-programs
	@B=$(B) tests/bench/run

# $(B)/programs: what the tests compile for BPF; $(B)/bench: one program per tests/bench/bench_*.c.
.PHONY: programs bench-programs
bench_bin := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
bench_bpf := $(patsubst tests/bench/programs/%.bpf.c,$(B)/bench/programs/%.bpf.o,$(wildcard tests/bench/programs/*.bpf.c))
bench-programs: $(bench_bin) $(bench_bpf) $(B)/fold_stdin $(B)/bench/lines_c jit
$(call objs,tests/bench/prog_fold_stdin.c): | $(GEN_H)
$(B)/fold_stdin: $(B)/obj/tests/bench/prog_fold_stdin.o $(client_objs) $(MODULES:%=$(B)/lib/%.a)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(all_ldflags) -o $@ $< $(client_objs) $(link_all) $(all_libs)
$(B)/bench/lines_c: tests/bench/prog_lines.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O3 -march=native -o $@ $<
$(B)/bench/programs/%.bpf.o: tests/bench/programs/%.bpf.c bpf/nearfold.bpf.h
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) $(BPF_CFLAGS) -c $< -o $@

# The rivals in C: one source, three compilers.
ref_flags := -std=gnu17 -O3 -Itests/bench -c tests/bench/ref_loops.c
bench_refs := $(B)/bench/ref_gcc.o $(B)/bench/ref_clang.o $(B)/bench/ref_scalar.o
$(B)/bench/ref_gcc.o $(B)/bench/ref_clang.o $(B)/bench/ref_scalar.o: tests/bench/ref_loops.c tests/bench/ref_loops.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)case $@ in \
	*gcc*) gcc -march=native -DREF=gcc $(ref_flags) -o $@;; \
	*clang*) $(BPF_CC) -march=native -DREF=clang $(ref_flags) -o $@;; \
	*) gcc -fno-tree-vectorize -DREF=scalar $(ref_flags) -o $@;; esac
# A neighbour, where it is installed.
ifeq ($(shell pkg-config --exists libdpdk 2>/dev/null && echo yes),yes)
$(B)/obj/tests/bench/ref_dpdk.o: CPPFLAGS += -DHAVE_DPDK $(filter-out -march=%,$(shell pkg-config --cflags libdpdk))
libs_dpdk := -Wl,--as-needed -lrte_bpf -lrte_eal
endif
$(B)/bench/bench_%: libs_bench = $(libs_dpdk)
bench_refs += $(B)/obj/tests/bench/ref_dpdk.o
$(B)/bench/bench_%: $(B)/obj/tests/bench/bench_%.o $(B)/obj/tests/bench/bench.o $(bench_refs) $(MODULES:%=$(B)/lib/%.a)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(all_ldflags) -o $@ $< $(B)/obj/tests/bench/bench.o $(bench_refs) $(link_all) $(all_libs) $(libs_bench)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
		$(DESTDIR)$(PREFIX)/lib/nearfold $(DESTDIR)$(PREFIX)/include \
		$(DESTDIR)$(PREFIX)/share/nearfold/examples $(DESTDIR)$(PREFIX)/share/nearfold/bench-programs \
		$(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(B)/nearfold $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(B)/nearfoldd $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(B)/libnearfold.so $(DESTDIR)$(PREFIX)/lib/libnearfold.so.0
	ln -sf libnearfold.so.0 $(DESTDIR)$(PREFIX)/lib/libnearfold.so
	[ ! -e $(B)/nearfold-jit.so ] || \
		install -m 755 $(B)/nearfold-jit.so $(DESTDIR)$(PREFIX)/lib/nearfold/
	install -m 644 compute-client/nearfold.h bpf/nearfold.bpf.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 bpf/examples/*.bpf.c $(DESTDIR)$(PREFIX)/share/nearfold/examples/
	install -m 644 $(bench_program_objs) $(DESTDIR)$(PREFIX)/share/nearfold/bench-programs/
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' packaging/nearfold.pc.in \
		> $(DESTDIR)$(PREFIX)/lib/pkgconfig/nearfold.pc
	sed 's|@PREFIX@|$(PREFIX)|' packaging/nearfoldd.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/nearfoldd.service
	install -m 644 packaging/nearfold.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/nearfold
	if command -v scdoc >/dev/null; then for m in docs/*.1.scd; do \
		scdoc < $$m > $(DESTDIR)$(PREFIX)/share/man/man1/$$(basename $$m .scd) || exit 1; done; fi

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

compile_commands.json:
	bear -- $(MAKE) -B all

clean:
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
