# "make image": a container image FROM scratch, of the binaries and the
# libraries that they load, and nothing else.  Needs a Docker client and an
# engine; no network.
#
# One image for both daemons: the entry point is sentineld, which becomes the
# agent by SENTINEL_MODE=agent.

IMAGE ?=	sentinel:$(VERSION)
IMAGE_DIR =	$(B)/image
DOCKER ?=	docker
# Of the server's database: no self update to one that is newer.
IMAGE_SCHEMA =	$(shell sed -n 's/^\#define DB_SCHEMA[^0-9]*//p' sentineld/db.h | \
		    sed 's/[^0-9].*//')

$(IMAGE_DIR)/Dockerfile: $(BINS) etc/sentinel-image.conf image.mk
	rm -rf $(IMAGE_DIR)
	mkdir -p $(IMAGE_DIR)/root/usr/local/sbin \
	    $(IMAGE_DIR)/root/usr/local/bin $(IMAGE_DIR)/root/etc \
	    $(IMAGE_DIR)/root/run $(IMAGE_DIR)/root/data
	cp $(B)/sentineld $(B)/sentinel-agentd \
	    $(IMAGE_DIR)/root/usr/local/sbin
	cp $(B)/sentinelctl $(IMAGE_DIR)/root/usr/local/bin
	cp etc/sentinel-image.conf $(IMAGE_DIR)/root/etc/sentinel.conf
	ldd $(BINS) | grep -o '/[^ ]*' | grep -v ':$$' | sort -u | \
	    while read -r lib; do \
		mkdir -p "$(IMAGE_DIR)/root$${lib%/*}" && \
		cp -L "$$lib" "$(IMAGE_DIR)/root$$lib" || exit 1; \
	    done
	printf '%s\n' 'FROM scratch' 'COPY root /' \
	    'LABEL sentinel.self=true' \
	    'LABEL sentinel.schema=$(IMAGE_SCHEMA)' \
	    'LABEL org.opencontainers.image.title=sentinel' \
	    'LABEL org.opencontainers.image.version=$(VERSION)' \
	    'ENV PATH=/usr/local/bin:/usr/local/sbin' \
	    'VOLUME /data' 'EXPOSE 8080 9443' 'STOPSIGNAL SIGTERM' \
	    'HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["sentinelctl", "status"]' \
	    'ENTRYPOINT ["/usr/local/sbin/sentineld", "-d"]' >$@

image: $(IMAGE_DIR)/Dockerfile
	$(DOCKER) build --network none -q -t $(IMAGE) $(IMAGE_DIR)
	@echo "made $(IMAGE); sentineld(8), RUNNING IN A CONTAINER, has the" \
	    "commands to run it"

.PHONY: image
