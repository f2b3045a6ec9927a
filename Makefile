# Tern: build, run and test. `make help` lists what there is.
#
# A variant is a set of flags with a directory of its own:
#   release (build/)  debug  asan  stress  (build/debug/ ...)
# Adding a file edits nothing here: every src/<folder>/*.c goes into the archive of its folder, every
# tests/unit/<folder>/test_*.c becomes a program linked with the archives that src/LAYERS allows.

CC      ?= cc
VARIANT ?= release
PREFIX  ?= /usr/local
DESTDIR ?=
PORT    ?= 6379
T       ?=
F       ?=

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wimplicit-fallthrough -Wno-unused-parameter -Wno-missing-field-initializers
CFLAGS_release := -O3 -flto=auto
CFLAGS_debug   := -O1 -g -DTERN_DEBUG
CFLAGS_asan    := -O1 -g -DTERN_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=undefined \
                  -fno-omit-frame-pointer
CFLAGS_stress  := $(CFLAGS_asan) -DTERN_STRESS
CFLAGS_coverage := -O0 -g --coverage -DTERN_DEBUG

is_gcc := $(shell $(CC) --version 2>/dev/null | grep -qi 'gcc\|free software' && echo yes)
ifeq ($(is_gcc),yes)
AR := $(if $(shell command -v gcc-ar),gcc-ar,ar)
CFLAGS_release += -fno-fat-lto-objects
else
CFLAGS_release := -O3
AR := ar
endif
ifneq ($(WERROR),)
WARNINGS += -Werror
endif

BUILD   := build$(if $(filter release,$(VARIANT)),,/$(VARIANT))$(if $(BUILD_SUFFIX),/$(BUILD_SUFFIX))
OBJ     := $(BUILD)/obj
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -fno-math-errno -iquote include -iquote src $(WARNINGS) $(CFLAGS_$(VARIANT)) $(CFLAGS)
LINK_FLAGS = $(CFLAGS_$(VARIANT)) $(CFLAGS) $(LDFLAGS)

# Folders in link order: the highest first, which is src/LAYERS upside down.
FOLDERS  := $(foreach f,$(shell sed -n 's/^\([a-z]*\) *:.*/\1/p' src/LAYERS | tac),$(if $(wildcard src/$f/*.c),$f))
archive   = $(OBJ)/lib$1.a
objects   = $(patsubst src/%.c,$(OBJ)/%.o,$(wildcard src/$1/*.c))
ARCHIVES := $(foreach f,$(FOLDERS),$(call archive,$f))
# below FOLDER: the folder, the ones it may include, and what these stand on, highest first
listed    = $(shell sed -n 's/^$1 *: *//p' src/LAYERS)
below     = $(filter $1 $(foreach f,$1 $(call listed,$1),$f $(call listed,$f)),$(FOLDERS))

SERVER     := $(BUILD)/tern-server
UNIT_SRC   := $(wildcard tests/unit/*/test_*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
TRANSCRIPT := $(BUILD)/tools/transcript

.PHONY: all help run test test-deps unit unit-build check bench fuzz coverage analyze format layers where install clean
.SECONDARY:

all: $(SERVER)

help:
	@echo 'make            build build/tern-server'
	@echo 'make run        build and serve on port $(PORT) (PORT=, ARGS=)'
	@echo 'make test       install what the tests need and run them (T=list/lpush or T=ds/dict for one)'
	@echo 'make check      warnings as errors with gcc and clang, sanitizers, stress build'
	@echo 'make bench      side-by-side load against the servers on the PATH'
	@echo 'make fuzz F=x   fuzz tests/fuzz/fuzz_x.c (SECONDS=600)'
	@echo 'make coverage FOLDER=engine, analyze FOLDER=engine, format, layers, where CMD=get'
	@echo 'make install PREFIX= DESTDIR=, clean'

$(SERVER): $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(LINK_FLAGS) -o $@ -Wl,--whole-archive $(ARCHIVES) -Wl,--no-whole-archive

define folder_rules
$$(call archive,$1): $$(call objects,$1)
	@mkdir -p $$(@D)
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$f)))

$(OBJ)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: tests/unit/<folder>/test_x.c -> build/<variant>/unit/<folder>/test_x
unit_folder = $(patsubst %/,%,$(dir $(patsubst $(BUILD)/unit/%,%,$1)))
.SECONDEXPANSION:
$(BUILD)/unit/%: tests/unit/%.c Makefile $$(foreach f,$$(call below,$$(call unit_folder,$$@)),$$(call archive,$$f))
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -iquote tests/unit -MMD -MP -o $@ $< \
		-Wl,--whole-archive $(firstword $(filter %.a,$^)) -Wl,--no-whole-archive \
		$(wordlist 2,99,$(filter %.a,$^)) $(LDFLAGS) -lcmocka -lm

unit-build: $(UNIT_TESTS)

$(TRANSCRIPT): tests/tools/transcript.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $<

# Lua programs without a server: build/tools/lua_run FILE
$(BUILD)/tools/lua_run: tests/tools/lua_run.c Makefile $(call archive,lua) $(call archive,base)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(call archive,lua) $(call archive,base)

run: $(SERVER)
	$(SERVER) --port $(PORT) $(ARGS)

test:
	@tests/run $(T)

test-deps:
	@tests/run --install

check:
	@tests/check

bench: $(SERVER)
	@tests/bench/run $(ARGS)

fuzz:
	@tests/fuzz/run $(F) $(SECONDS)

coverage:
	@tests/tools/coverage $(FOLDER)

analyze:
	@tests/tools/analyze $(FOLDER)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

layers:
	@tests/tools/layers

where:
	@grep -nE '^ *\{"$(CMD)",' src/commands/*.c src/server/*.c; true

install: $(SERVER)
	install -D -m 755 $(SERVER) $(DESTDIR)$(PREFIX)/bin/tern-server
	install -D -m 644 redis.conf.example $(DESTDIR)$(PREFIX)/share/tern/redis.conf.example

clean:
	rm -rf build

# The value of a variable, for the scripts: make -s print-SERVER VARIANT=asan
print-%:
	@echo '$($*)'

-include $(wildcard $(OBJ)/*/*.d $(BUILD)/unit/*/*.d)
