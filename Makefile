# metagate: make run, make test. `make help` lists the rest.

VERSION  = 0.1.0
# Of the environment or the command line; make's own default is cc, which a
# machine may lack.
ifeq ($(origin CC),default)
CC       = gcc
endif
RUN_DIR  ?=
NET      ?=
B        ?= build/release

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
       -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
       -Wvla -Wundef -Wformat=2
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
# include/ is open to all; a room of fcgi/ is named by whoever includes from it
# ("json/json.h"), and so is a folder of handlers/. .ci/lint holds the arrows.
INCLUDES = -Iinclude -Ifcgi -Ihandlers
CFLAGS_COMMON = -std=c17 -D_GNU_SOURCE $(WARN) -O2 -g $(INCLUDES) -pthread -MMD -MP
# Frame pointers: for perf and debuggers.
CFLAGS_release = $(HARDEN) -fno-omit-frame-pointer
# No _FORTIFY_SOURCE: its _chk functions are not all intercepted.
CFLAGS_asan = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
       -fno-omit-frame-pointer -O1 -fPIE -DMETAGATE_ASAN
LDFLAGS_release = -pie -Wl,-z,relro,-z,now
LDFLAGS_asan = -fsanitize=address,undefined -pie
LIBS = -lfcgi -lrdkafka -lcjson -lmariadb -lpq -linih -lcurl -lcrypto -lz -lisal -lzstd -lsmartcols -pthread -lm
LIBS_release = -lprofiler -ltcmalloc -lstdc++

FLAVOUR = $(notdir $(B))
CFLAGS_ALL = $(CFLAGS_COMMON) $(CFLAGS_$(FLAVOUR)) $(CFLAGS)
LDFLAGS_ALL = $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS)

SRC  = $(wildcard fcgi/*/*.c handlers/*.c handlers/*/*.c handlers/*/*/*.c)
# Folders whose files the binary carries: include/embed.h.
EMBED = nginx nginx/ui sql
# The two gperftools calls without a C interface; no gperftools under asan.
CXX_release = $(B)/fcgi/profile/profiler_heap.o
OBJ  = $(SRC:%.c=$(B)/%.o) $(EMBED:%=$(B)/embed/%.o) $(CXX_$(FLAVOUR)) \
       $(B)/embed/build_info.o
# All but main, as an archive: a test takes out of it what it calls, so that
# linking a hundred of them costs little, and a test that includes a source
# file, or brings dialects of its own, leaves ours in it.
CORE = $(B)/core.a
CORE_OBJ = $(filter-out $(B)/fcgi/command/main.o,$(OBJ))
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(shell find tests/unit -name '*_test.c' | LC_ALL=C sort))
# Programs that tests drive: tests/support/*.c.
HELPERS = $(patsubst tests/%.c,$(B)/%,$(wildcard tests/support/*.c))

.PHONY: all release asan unit clean run start stop status test drills mutants bench \
       bench-compare bench-growth bench-memory bench-instances bench-clusters bench-feeds deps lint fmt install deb token help
all: release
release:
	@$(MAKE) --no-print-directory B=build/release build/release/metagate || $(TELL)
asan:
	@$(MAKE) --no-print-directory B=build/asan build/asan/metagate || $(TELL)
# What a build that has failed may have missed.
TELL = { .package/deps --tell run build; false; }
unit: $(UNIT) $(HELPERS)

$(B)/metagate: $(OBJ)
	$(CC) $(LDFLAGS_ALL) -o $@ $(OBJ) $(LIBS) $(LIBS_$(FLAVOUR))

# The first time that something of a folder is compiled is told, also by -s.
$(B)/%.o: %.c
	@mkdir -p $(dir $@)
	@! mkdir $(dir $@).told 2>/dev/null || echo "  compiling $(patsubst %/,%,$(dir $<))"
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(B)/%.o: %.cc
	@mkdir -p $(dir $@)
	$(CXX) $(filter-out -std=% -Wstrict-prototypes -Wmissing-prototypes, \
	    $(CFLAGS_ALL)) -std=c++17 -c -o $@ $<

define EMBED_RULE
$$(B)/embed/$(1).c: fcgi/base/embed.awk $$(wildcard $(1) $(1)/* $(1)/*/*)
	@mkdir -p $$(dir $$@)
	LC_ALL=C awk -v folder=$(1) -f fcgi/base/embed.awk \
	    $$(sort $$(wildcard $(1)/*.$(2) $(1)/*/*.$(2))) > $$@.new
	mv $$@.new $$@
endef
$(eval $(call EMBED_RULE,nginx,conf))
$(eval $(call EMBED_RULE,nginx/ui,*))
$(eval $(call EMBED_RULE,sql,sql))

# Written anew only when it says something else.
COMMIT = $(shell git rev-parse --verify -q HEAD 2>/dev/null || \
       printf '%040d' 0)
$(B)/embed/build_info.c: FORCE
	@mkdir -p $(dir $@)
	@printf '#include "build_info.h"\nconst char build_version[] = "%s";\nconst char build_commit[] = "%s";\n' \
	    '$(VERSION)' '$(COMMIT)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

$(B)/embed/%.o: $(B)/embed/%.c
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(CORE): $(CORE_OBJ)
	@rm -f $@
	$(AR) rcs $@ $(CORE_OBJ)

# Compiled and linked apart: when a source changes, its tests are linked only,
# more than a hundred of them, for which gold takes half the time.
GOLD_asan = $(if $(shell command -v ld.gold),-fuse-ld=gold)
$(B)/%.o: tests/%.c
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS_ALL) -Itests/unit -c -o $@ $<

$(UNIT): %: %.o $(CORE)
	$(CC) -o $@ $< $(CORE) $(LDFLAGS_ALL) $(GOLD_$(FLAVOUR)) -lcmocka $(LIBS) $(LIBS_$(FLAVOUR))

$(HELPERS): %: %.o $(CORE)
	$(CC) -o $@ $< $(CORE) $(LDFLAGS_ALL) $(GOLD_$(FLAVOUR)) $(LIBS) $(LIBS_$(FLAVOUR))

# ---- fuzz targets: seeds by `make fuzz-seeds`, search by `make fuzz` ----

FUZZ_SECONDS ?= 60
FUZZ_NAMES = $(patsubst tests/fuzz/%.c,%, \
       $(filter-out tests/fuzz/run_seeds.c,$(wildcard tests/fuzz/*.c)))
FUZZ = $(FUZZ_NAMES:%=$(B)/fuzz/%)
# Under libFuzzer, which brings its own main, all is compiled by clang.
CFLAGS_fuzz = $(CFLAGS_asan) -fsanitize=fuzzer-no-link
LDFLAGS_fuzz = $(LDFLAGS_asan)
FUZZ_MAIN = $(if $(filter fuzz,$(FLAVOUR)),-fsanitize=fuzzer,$(B)/fuzz/run_seeds.o)

.PHONY: fuzz fuzz-seeds
fuzz-seeds: $(FUZZ)
$(FUZZ): %: %.o $(B)/fuzz/run_seeds.o $(CORE)
	$(CC) -o $@ $< $(FUZZ_MAIN) $(CORE) $(LDFLAGS_ALL) $(GOLD_$(FLAVOUR)) $(LIBS) $(LIBS_$(FLAVOUR))
# The same, of which gcov tells how much of the sources COVER the seeds reach.
SEEDED = $(CC) $(CFLAGS_ALL) -U_FORTIFY_SOURCE -O0 -Itests/unit
$(B)/seeds/%: tests/fuzz/%.c tests/fuzz/run_seeds.c $(CORE)
	@mkdir -p $@.covered
	set -e; for f in $(COVER); do $(SEEDED) --coverage -c \
	    -o $@.covered/$$(basename $$f .c).o $$f; done
	$(SEEDED) -o $@ $< tests/fuzz/run_seeds.c $@.covered/*.o $(CORE) \
	    $(LDFLAGS_ALL) $(LIBS) $(LIBS_$(FLAVOUR)) -lgcov
fuzz: ## search with libFuzzer, FUZZ_SECONDS for each target
	@$(MAKE) --no-print-directory B=build/fuzz CC=clang fuzz-seeds
	@set -e; for t in $(FUZZ_NAMES); do \
	    mkdir -p build/fuzz/corpus/$$t; echo "== $$t, $(FUZZ_SECONDS) s"; \
	    build/fuzz/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	        -print_final_stats=0 -verbosity=0 -artifact_prefix=build/fuzz/$$t- \
	        build/fuzz/corpus/$$t tests/fuzz/seeds/$$t; done

# ---- a deployment: RUN_DIR and NET choose which ----

METAGATE = build/release/metagate $(if $(RUN_DIR),--run-dir '$(RUN_DIR)') \
       $(if $(NET),--net '$(NET)')

# All cores, unless make was told how many.
ALL_CORES = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
BUILD = $(MAKE) --no-print-directory -s $(ALL_CORES) release

run: deps ports ## install what is missing, build, run a deployment in the foreground
	@$(BUILD)
	@exec $(METAGATE) up
start: deps ports ## the same in the background
	@$(BUILD)
	@$(METAGATE) start
# Before a build of a minute or two; `up` looks again, and more closely.
.PHONY: ports
ports: | deps
	@.package/ports '$(RUN_DIR)' '$(NET)'
stop: ## stop the deployment of make start (or of make run elsewhere)
	@$(METAGATE) stop
status: ## what runs
	@$(METAGATE) status

# NAME and SCOPE are taken as they are: no shell looks into them.
token: export TOKEN_NAME = $(NAME)
token: export TOKEN_SCOPE = $(SCOPE)
token: export TOKEN_REVOKE = $(REVOKE)
token: export TOKEN_ROTATE = $(ROTATE)
token: export TOKEN_EXPIRES = $(EXPIRES)
token: export TOKEN_KEEP = $(KEEP)
token: export TOKEN_MARK = $(patsubst yes,secrets,$(SECRETS))
token: release ## NAME=who SCOPE=read|write|admin|profile|machine [SECRETS=yes] [EXPIRES=30d], or ROTATE=who [KEEP=1h], or REVOKE=who
	@if [ -n "$$TOKEN_REVOKE" ]; then \
	    $(METAGATE) token revoke "$$TOKEN_REVOKE"; \
	elif [ -n "$$TOKEN_ROTATE" ]; then \
	    $(METAGATE) token rotate "$$TOKEN_ROTATE" \
	        $${TOKEN_KEEP:+--keep "$$TOKEN_KEEP"} \
	        $${TOKEN_EXPIRES:+--expires "$$TOKEN_EXPIRES"}; \
	elif [ -n "$$TOKEN_NAME" ]; then \
	    $(METAGATE) token add "$$TOKEN_NAME" "$$TOKEN_SCOPE" \
	        $${TOKEN_MARK:+"$$TOKEN_MARK"} \
	        $${TOKEN_EXPIRES:+--expires "$$TOKEN_EXPIRES"}; \
	else $(METAGATE) token list; fi

# ---- for developers ----

test: ## install what is missing, then every test; what .ci/run calls
	@.package/deps run build test comp
	@tests/run
drills: ## a Debian that boots with the package, a source that is broken; minutes, as root
	@.package/deps run build test drills
	@$(BUILD)
	@$(MAKE) --no-print-directory -s $(ALL_CORES) B=build/asan build/asan/metagate build/asan/support/source_shell build/asan/support/seal_shell build/asan/support/kafka_shell build/asan/support/encode_shell
	@/usr/bin/python3 -m pytest -q -c tests/pytest.ini --rootdir tests \
	    tests/drills $(DRILLS)
mutants: ## ROOM=json or FAMILY=doris [N=20] [SEED=1]: do its tests notice a mutation?
	@.package/deps build run test
	@tests/mutants$(if $(FAMILY),-woven) $(or $(FAMILY),$(ROOM)) \
	    -n $(or $(N),20) --seed $(or $(SEED),1)
bench: release ## beside PHP, Go, Node and the limit, then instances and feeds; BENCH="--work get_cluster …": that alone
	@.package/deps build run bench
	@tests/bench/run $(BENCH)
	@$(if $(BENCH),,$(MAKE) --no-print-directory bench-instances bench-feeds)
bench-growth: release ## with the store, with connections, while idle
	@.package/deps build run bench
	@tests/bench/growth $(BENCH)
bench-memory: release ## whether memory stays, and what leaders hold
	@.package/deps build run bench
	@tests/bench/memory $(BENCH)
bench-instances: ## what an instance, its backup and a restore cost beside the bare programs
	@.package/deps build run
	@$(MAKE) --no-print-directory -s B=build/release build/release/support/instance_bench
	@build/release/support/instance_bench $(BENCH)
bench-clusters: release ## what a cluster costs beside the bare starts of its servers, and a failover
	@.package/deps build run comp bench
	@tests/bench/clusters $(BENCH)
bench-feeds: release ## what replicating costs beside mariadb-binlog and a native replica
	@.package/deps build run bench
	@$(MAKE) --no-print-directory -s B=build/release build/release/support/seal_shell build/release/support/kafka_shell build/release/support/producer_shell build/release/support/encode_shell
	@mkdir -p build/bench
	@tests/bench/feeds $(BENCH)
bench-compare: release ## OLD=commit: this tree and an older one side by side
	@.package/deps build run bench
	@tests/bench/compare '$(OLD)' $(BENCH)
lint: release ## cppcheck, include arrows, format, hardening, longest functions
	@.ci/lint
fmt: ## format the sources (tables in include/ are aligned by hand)
	@.ci/lint --files | xargs clang-format -i

GROUPS ?= run build
deps: ## install missing Debian packages: GROUPS="run build deb test drills comp bench"
	@.package/deps $(GROUPS)

PREFIX ?= /usr/local
# /etc, where logrotate looks, for an installation of the whole system; else
# nothing is written outside PREFIX.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
install: release ## below PREFIX, SYSCONFDIR, DESTDIR (.package/systemd/README.md)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' \
	    VERSION='$(VERSION)' .package/install
deb: ## a Debian package of it in build/deb; DEBFULLNAME and DEBEMAIL sign
	@.package/deps build deb
	@$(BUILD)
	@VERSION='$(VERSION)' .package/deb

help: ## this list
	@awk -F ': .*## |: ## ' '/^[a-z-]+: .*##/ { printf "  make %-15s %s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))
	@echo "RUN_DIR=$(if $(RUN_DIR),$(RUN_DIR),run, as root /var/lib/metagate/onebox)  NET=$(or $(NET),127.0.0 or what it was started with)"

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(UNIT:=.d) $(FUZZ:=.d) $(HELPERS:=.d) \
       $(B)/fuzz/run_seeds.d
