# SPDX-License-Identifier: GPL-3.0-or-later
# The only build file. BUILD names the variant: release (default), asan, cov.
BUILD ?= release
B     ?= build/$(BUILD)
CC    ?= cc

WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Werror
CPPFLAGS = -D_GNU_SOURCE -I.
CFLAGS.release = -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS.asan    = -O1 -g -fsanitize=address,undefined \
		 -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS.release = -pie -Wl,-z,relro,-z,now
LDFLAGS.asan    = -fsanitize=address,undefined
CFLAGS  = -std=c11 $(WARN) $(CFLAGS.$(BUILD))
LDFLAGS = $(LDFLAGS.$(BUILD))
LDLIBS  = -lnids -lpcap -lsqlite3 -lcrypto -ljansson -lz

SRC  = $(filter-out sensor/main.c,$(wildcard decoders/*.c rules/*.c db/*.c sensor/*.c))
OBJ  = $(SRC:%.c=$(B)/%.o)
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))

all: stripwire

stripwire: $(B)/stripwire
	ln -f $< $@ 2>/dev/null || cp $< $@

$(B)/stripwire: $(B)/sensor/main.o $(B)/libstripwire.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libstripwire.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $(OBJ)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The schema travels in the binary: each line becomes a line of a C string.
$(B)/schema_sql.h: db/schema.sql
	@mkdir -p $(@D)
	{ echo 'static const char schema_sql[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $<; echo ';'; } >$@

$(B)/db/store_schema.o: $(B)/schema_sql.h
$(B)/db/store_schema.o: CPPFLAGS += -I$(B)

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/libstripwire.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

unit: $(UNIT)
	@for t in $(UNIT); do echo "$$t"; $$t || exit 1; done

clean:
	rm -rf build stripwire

-include $(OBJ:.o=.d) $(B)/sensor/main.d
.PHONY: all unit clean
.SECONDARY:
