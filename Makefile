# Sentinel.  "make" builds, "make deps" installs what Debian needs,
# "make check" proves it.  Objects go to $(B); nothing else is written.

B ?=		build
PREFIX ?=	/usr/local
SYSCONFDIR ?=	/etc
MANDIR ?=	$(PREFIX)/share/man
SBINDIR ?=	$(PREFIX)/sbin
BINDIR ?=	$(PREFIX)/bin
DOCDIR ?=	$(PREFIX)/share/doc/sentinel
UNITDIR ?=	/usr/lib/systemd/system
SYSUSERSDIR ?=	/usr/lib/sysusers.d
TMPFILESDIR ?=	/usr/lib/tmpfiles.d
# What starts daemons here: any of systemd, sysv, rc.d.
ifeq ($(shell uname -s),OpenBSD)
INIT ?=		rc.d
else
INIT ?=		systemd sysv
endif
CC ?=		cc
PKG_CONFIG ?=	pkg-config
VERSION :=	$(shell cat VERSION)

DEPS =		gcc make pkg-config libevent-dev node-llhttp libtls-dev \
		libssl-dev libnghttp2-dev libprotobuf-c-dev \
		protobuf-c-compiler libprotobuf-dev libyaml-dev \
		libdb5.3-dev libyajl-dev libseccomp-dev libbsd-dev
DEPS_CHECK =	libcmocka-dev clang libclang-rt-14-dev mandoc cppcheck \
		docker.io docker-registry busybox-static iproute2 nftables \
		podman netavark \
		python3 python3-grpcio python3-grpc-tools curl jq procps \
		util-linux nghttp2-client openssl apache2-utils

PKGS =		libtls libssl libcrypto libevent libnghttp2 libprotobuf-c \
		yaml-0.1 yajl libseccomp libbsd
PKG_CFLAGS :=	$(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS :=	$(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
LIBS =		$(PKG_LIBS) -ldb-5.3

WARN =		-Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual \
		-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
		-Wformat=2 -Wimplicit-fallthrough -Wvla -Wundef
HARDEN =	-fstack-protector-strong -fstack-clash-protection \
		-fcf-protection -fPIE
LDHARDEN =	-pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT =		-O2 -g
ifdef WERROR
WARN +=		-Werror
endif
ifdef SANITIZE
# _FORTIFY_SOURCE hides what ASan wants to see.
OPT =		-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
		-fno-sanitize-recover=all -DSENTINEL_SANITIZE
LDHARDEN +=	-fsanitize=address,undefined
else
HARDEN +=	-D_FORTIFY_SOURCE=2
endif

CPPFLAGS +=	-D_GNU_SOURCE -DSENTINEL_VERSION='"$(VERSION)"' \
		-Ilib -I$(B)/pb -isystem /usr/share/include/llhttp \
		$(PKG_CFLAGS)
ALL_CFLAGS =	-std=c11 $(OPT) $(WARN) $(HARDEN) $(CFLAGS)

# Generated and third-party sources keep their own warning flags.
PB_PROTOS =	sentinel ipc store
PB_WKT =	google/protobuf/timestamp google/protobuf/duration
PB_OBJS =	$(PB_PROTOS:%=$(B)/pb/%.pb-c.o) $(PB_WKT:%=$(B)/pb/%.pb-c.o)
PB_HDRS =	$(PB_PROTOS:%=$(B)/pb/%.pb-c.h) $(PB_WKT:%=$(B)/pb/%.pb-c.h)
PB_INC :=	$(shell $(PKG_CONFIG) --variable=includedir protobuf 2>/dev/null || echo /usr/include)
LLHTTP_OBJS =	$(B)/llhttp/api.o $(B)/llhttp/http.o $(B)/llhttp/llhttp.o

objs =		$(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))
LIB_OBJS :=	$(call objs,lib)
SENTINELD_OBJS := $(call objs,sentineld)
AGENTD_OBJS :=	$(call objs,sentinel-agentd)
CTL_OBJS :=	$(call objs,sentinelctl)
BINS =		$(B)/sentineld $(B)/sentinel-agentd $(B)/sentinelctl

all: $(BINS)

$(B)/libsentinel.a: $(LIB_OBJS) $(PB_OBJS) $(LLHTTP_OBJS)
	@rm -f $@
	ar rcs $@ $^

# Everything of a program but its main(), for the unit tests.
$(B)/sentineld.a: $(filter-out %/main.o,$(SENTINELD_OBJS))
$(B)/sentinel-agentd.a: $(filter-out %/main.o,$(AGENTD_OBJS))
$(B)/sentinelctl.a: $(filter-out %/main.o,$(CTL_OBJS))
$(B)/sentineld.a $(B)/sentinel-agentd.a $(B)/sentinelctl.a:
	@rm -f $@
	ar rcs $@ $^

$(B)/sentineld: $(SENTINELD_OBJS) $(B)/libsentinel.a
$(B)/sentinel-agentd: $(AGENTD_OBJS) $(B)/libsentinel.a
$(B)/sentinelctl: $(CTL_OBJS) $(B)/libsentinel.a
$(BINS):
	$(CC) $(OPT) $(LDHARDEN) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/obj/%.o: %.c | $(PB_HDRS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/pb/%.pb-c.c $(B)/pb/%.pb-c.h: proto/%.proto
	@mkdir -p $(@D)
	protoc-c -Iproto -I$(PB_INC) --c_out=$(B)/pb $<
$(B)/pb/google/protobuf/%.pb-c.c $(B)/pb/google/protobuf/%.pb-c.h: $(PB_INC)/google/protobuf/%.proto
	@mkdir -p $(@D)
	protoc-c -I$(PB_INC) --c_out=$(B)/pb $<
$(B)/pb/%.o: $(B)/pb/%.c | $(PB_HDRS)
	$(CC) $(CPPFLAGS) -std=c11 $(OPT) $(HARDEN) -w -c -o $@ $<
# Strict mode: refuse what only lenient parsers accept (request smuggling).
$(B)/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 $(OPT) $(HARDEN) -w \
	    -DLLHTTP_STRICT_MODE=1 -c -o $@ $<
.SECONDARY:

include regress/Makefile.inc
include demo.mk
include bench.mk
include image.mk

# Nothing to do when every package is there, so no network is needed then.
deps:
	@sh .ci/deps $(DEPS) $(DEPS_CHECK)

install: all $(INIT:%=install-%)
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
	    $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(DOCDIR)
	install -m 755 $(B)/sentineld $(B)/sentinel-agentd $(DESTDIR)$(SBINDIR)
	install -m 755 $(B)/sentinelctl $(DESTDIR)$(BINDIR)
	for s in 5 7 8; do \
		install -m 644 man/*.$$s $(DESTDIR)$(MANDIR)/man$$s || exit 1; \
	done
	install -m 644 etc/sentinel.conf $(DESTDIR)$(DOCDIR)

install-systemd:
	install -d $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(TMPFILESDIR) \
	    $(DESTDIR)$(UNITDIR)
	install -m 644 etc/sentinel.sysusers \
	    $(DESTDIR)$(SYSUSERSDIR)/sentinel.conf
	install -m 644 etc/sentinel.tmpfiles \
	    $(DESTDIR)$(TMPFILESDIR)/sentinel.conf
	for d in sentineld sentinel-agentd; do \
		sed 's,/usr/local/sbin,$(SBINDIR),' etc/$$d.service \
		    >$(DESTDIR)$(UNITDIR)/$$d.service && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$d.service || exit 1; \
	done

# One script; under systemd it hands over to the units.
install-sysv:
	install -d $(DESTDIR)$(SYSCONFDIR)/init.d
	set -e; for d in sentineld:server sentinel-agentd:agent; do \
		f=$(DESTDIR)$(SYSCONFDIR)/init.d/$${d%:*}; \
		sed -e "s,@daemon@,$${d%:*},g" -e "s,@part@,$${d#*:},g" \
		    -e 's,@sbindir@,$(SBINDIR),g' etc/sentinel.init >$$f; \
		chmod 755 $$f; \
	done

install-rc.d:
	install -d $(DESTDIR)$(SYSCONFDIR)/rc.d
	set -e; for d in sentineld sentinel_agentd; do \
		f=$(DESTDIR)$(SYSCONFDIR)/rc.d/$$d; \
		sed 's,/usr/local/sbin,$(SBINDIR),' etc/rc.d/$$d >$$f; \
		chmod 755 $$f; \
	done

# Where there is no systemd-sysusers: a user for each process.
users:
	awk '$$1 == "u" { print $$2 }' etc/sentinel.sysusers | \
	while read -r u; do \
		id "$$u" >/dev/null 2>&1 || useradd -r -M -U \
		    -d /run/sentinel/empty -s /usr/sbin/nologin "$$u" || \
		    exit 1; \
	done

clean:
	rm -rf $(B)

-include $(LIB_OBJS:.o=.d) $(SENTINELD_OBJS:.o=.d) $(AGENTD_OBJS:.o=.d) \
    $(CTL_OBJS:.o=.d)

.PHONY: all deps install install-systemd install-sysv install-rc.d users clean
