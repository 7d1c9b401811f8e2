# "make bench": what the server costs beside the bare libraries, in ratios of
# one run.  Prints figures and decides nothing; regress/bench has the parts.

BENCH_AGENTS ?=	1000
BENCH_SECONDS ?= 5
BENCH_BINS =	$(B)/bench/load $(B)/bench/client $(B)/bench/ask $(B)/bench/bare \
		$(B)/bench/lists

$(B)/bench/load: regress/bench/load.c regress/bench/agents.c \
    regress/bench/enrol.c regress/bench/bench.h
$(B)/bench/client: regress/bench/client.c
$(B)/bench/ask: regress/bench/ask.c
$(B)/bench/bare: regress/bench/bare.c
$(B)/bench/lists: regress/bench/lists.c
$(BENCH_BINS): $(B)/sentinelctl.a $(B)/libsentinel.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Isentinelctl $(ALL_CFLAGS) $(LDHARDEN) -o $@ \
	    $(filter %.c,$^) $(B)/sentinelctl.a $(B)/libsentinel.a $(LIBS)

bench: all $(BENCH_BINS)
	@B=$(B) BENCH_AGENTS=$(BENCH_AGENTS) BENCH_SECONDS=$(BENCH_SECONDS) \
	    sh regress/bench/run.sh
	@B=$(B) sh regress/bench/update.sh

.PHONY: bench
