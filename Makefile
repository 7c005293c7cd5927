.PHONY: setup run test bench
.DEFAULT_GOAL := run

setup:
	@exec bin/setup

run:
	@exec env PORT=$(or $(PORT),8000) bin/run

test:
	@exec bin/test

bench:
	@exec bin/bench
