# SPDX-License-Identifier: GPL-3.0-or-later
#
# The only build file. The two commands that matter to a newcomer:
#
#   make run    install what is missing, build, analyse pcaps/, print findings
#   make test   install what the tests need, build, run them all
#
# BUILD names the variant (release, asan, fuzz), each in its own folder.
BUILD ?= release
B     ?= build/$(BUILD)
PREFIX ?= /usr/local
DATADIR = $(PREFIX)/share/stripwire

CC      = gcc
CC.fuzz = clang
ifneq ($(CC.$(BUILD)),)
CC = $(CC.$(BUILD))
endif

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
       -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Werror
CPPFLAGS = -D_GNU_SOURCE -I. -I$(B) -DSTRIPWIRE_DATADIR='"$(DATADIR)"'
SAN = -fsanitize=address,undefined -fno-sanitize-recover=all \
      -fno-omit-frame-pointer
CFLAGS.release  = -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS.asan     = -O1 -g $(SAN)
CFLAGS.fuzz     = -O1 -g $(SAN) -fsanitize=fuzzer-no-link
LDFLAGS.release = -pie -Wl,-z,relro,-z,now
LDFLAGS.asan    = $(SAN)
LDFLAGS.fuzz    = $(SAN)

# gcc optimises the program as a whole: 4 to 8 % less CPU. Objects hold plain
# code as well, of which tests and tools are made.
ifeq ($(BUILD)$(findstring clang,$(CC)),release)
LTO = -flto=auto
NO_LTO = -fno-lto
CFLAGS.release += $(LTO) -ffat-lto-objects
endif

# V=1 shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)' $(2))

CFLAGS  = -std=c11 $(WARN) $(CFLAGS.$(BUILD))
LDFLAGS = $(LDFLAGS.$(BUILD))
LDLIBS  = -lnids -lpcap -lseccomp -lsqlite3 -lssl -lcrypto -lidn2 -ljansson -lyaml -lpcre2-8 -lz \
          $(shell pkg-config --libs rdkafka)

# Hyperscan (amd64) or vectorscan, which has its interface; without either the
# patterns of rules are looked for one by one. HYPERSCAN= leaves it out.
HYPERSCAN ?= $(shell pkg-config --exists libhs 2>/dev/null && echo yes)
ifneq ($(HYPERSCAN),)
CPPFLAGS += -DHAVE_HYPERSCAN
LDLIBS += -lhs
endif

SRC  = $(filter-out sensor/main.c,$(wildcard decoders/*.c rules/*.c db/*.c sensor/*.c))
OBJ  = $(SRC:%.c=$(B)/%.o)
LIB  = $(B)/libstripwire.a
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
FUZZ = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
TOOL = $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))

all: stripwire

# ---- for people ----

help:
	@echo 'make run      install what is missing, build, analyse pcaps/'
	@echo 'make test     install what the tests need, build, run them all'
	@echo 'make lab      as root: real servers, clients and attacks (ARGS=--short)'
	@echo 'make          build; make install PREFIX=/usr/local'
	@echo 'make deps     install what building and the tests need'
	@echo 'make lint     format, layers, sizes, licence, clang-tidy'
	@echo 'make unit     the unit tests alone'
	@echo 'make bless    expected results anew (T=NAME: one)'
	@echo 'make bench    speed beside a bare loop (BENCH=quick)'
	@echo 'make profile  where the instructions of a workload go (W=a)'
	@echo 'make long     what takes hours: load, kills, mutation, fuzzing'
	@echo 'make clean'

run:
	@tests/deps.sh run
	@$(MAKE) --no-print-directory -s stripwire
	@./stripwire read -d stripwire.db --trust pcaps/ca-root.pem pcaps

test:
	@tests/deps.sh test
	@tests/receivers.sh
	@tests/run.sh

deps:
	@tests/deps.sh test
	@tests/receivers.sh
	@tests/deps.sh test --list

# One golden result (or all: T=) made anew; shows what changed.
bless: stripwire
	@tests/golden.sh --bless $(T)

# Speed beside a bare loop over the same file: full size, or BENCH=quick.
# ARGS: --bytes 200M, --only abe, --rounds N
bench: stripwire
	@tests/bench/bench.sh $(ARGS)

# Where the instructions of workload W go, by function.
W = a
profile: stripwire
	@tests/deps.sh test
	@tests/bench/profile.sh $(W)

# Real servers, clients and attacks against the running sensor; needs root.
# ARGS: --short, --offload on|off|both, --record DIR, --keep
lab:
	@tests/deps.sh lab
	@$(MAKE) --no-print-directory -s stripwire
	@tests/lab/lab.py $(ARGS)

# Hours, not minutes: fuzzing and mutation at length.
long:
	@tests/deps.sh test
	@tests/long.sh

lint:
	@tests/deps.sh test
	@tests/lint.sh

install: stripwire
	install -D -m 755 stripwire $(DESTDIR)$(PREFIX)/bin/stripwire
	install -D -m 644 sensor.rules $(DESTDIR)$(DATADIR)/sensor.rules
	install -D -m 644 interceptors.list \
	    $(DESTDIR)$(DATADIR)/interceptors.list
	install -D -m 644 packaging/stripwire.conf \
	    $(DESTDIR)$(DATADIR)/stripwire.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/bin|$(PREFIX)/bin|' packaging/stripwire.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/stripwire.service
	install -D -m 644 docs/stripwire.1 \
	    $(DESTDIR)$(PREFIX)/share/man/man1/stripwire.1
	install -D -m 644 docs/stripwire.conf.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man5/stripwire.conf.5

clean:
	rm -rf build stripwire

# ---- how it is built ----

stripwire: $(B)/stripwire
	$(Q)cp -f $< $@

$(B)/stripwire: $(B)/sensor/main.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) -O2 $(LTO) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $(OBJ)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The schema travels in the binary: each line becomes a line of a C string.
$(B)/%_sql.h: db/%.sql
	@mkdir -p $(@D)
	$(Q){ echo 'static const char $*_sql[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $<; echo ';'; } >$@

$(B)/db/store_schema.o: $(B)/schema_sql.h $(B)/upgrade_2_sql.h \
    $(B)/upgrade_3_sql.h $(B)/upgrade_4_sql.h $(B)/upgrade_5_sql.h \
    $(B)/upgrade_6_sql.h

$(B)/unit/%: $(B)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(NO_LTO) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/tools/%: $(B)/tests/tools/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(NO_LTO) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# For tests/live.py: packets with certain words kill or hang a worker, and a
# signal hangs the judge.
$(B)/hooks/%.o: sensor/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -DSTRIPWIRE_TEST_HOOKS $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/stripwire-hooks: $(B)/hooks/worker_live.o $(B)/hooks/judge_process.o \
    $(B)/sensor/main.o $(LIB)
	$(Q)$(CC) $(NO_LTO) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

unit: $(UNIT)
	@for t in $(UNIT); do echo "$$t"; $$t || exit 1; done

unit-programs: $(UNIT)
fuzz-programs: $(FUZZ)
tools: $(TOOL)
hooks: $(B)/stripwire-hooks

-include $(OBJ:.o=.d) $(B)/sensor/main.d $(wildcard $(B)/hooks/*.d) $(wildcard $(B)/tests/*/*.d)
.PHONY: all help run test deps bless bench profile lab long lint install clean unit \
    unit-programs fuzz-programs tools hooks
.SECONDARY:
