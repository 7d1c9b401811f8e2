# A server, an agent and a real engine with a registry, to look at: see
# regress/lab/demo.sh.  The packages and the build come from a second make,
# because this one asked pkg-config before they were there.

DEMO_DIR ?=	$(B)/demo

demo:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory -j2 all
	@B='$(B)' sh regress/lab/demo.sh up '$(DEMO_DIR)'
demo-down:
	@B='$(B)' sh regress/lab/demo.sh down '$(DEMO_DIR)'

.PHONY: demo demo-down
