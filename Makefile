# Each target is one script, which installs what is missing, says which step it is in, and can be run without make.
# ARGS go on: make demo ARGS='--listen 127.0.0.1:9000', make test ARGS='--package sonde-shared'.

.DEFAULT_GOAL := help
.PHONY: help demo test dev bench bars evaluate frames grouping lint release page

help:  ## this list
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo:  ## build all and start the demo; prints the link to open
	@scripts/demo.sh $(ARGS)

test:  ## run all tests, also those with real senders and a real browser
	@scripts/test.sh $(ARGS)

dev:  ## work on the page: rebuilt at each change, with the demo's server behind it
	@scripts/dev.sh $(ARGS)

lint:  ## formatting, clippy for server and browser, the scripts
	@scripts/lint.sh

bench:  ## how fast, beside a plain write and a file server; prints a table
	@scripts/bench.sh $(ARGS)

bars:  ## the promises about speed and memory, measured on this machine
	@scripts/bars.sh $(ARGS)

grouping:  ## how well log messages are grouped: make grouping ARGS=FOLDER
	@scripts/grouping.sh $(ARGS)

evaluate:  ## how well what changed is ranked: make evaluate ARGS=30
	@scripts/evaluate.sh $(ARGS)

frames:  ## what frame size and level give for lines: make frames ARGS=FILE
	@cargo run --release --package sonde --example frames -- $(ARGS)

page:  ## build the page alone, into dist/
	@scripts/page-tools.sh && scripts/page.sh

release:  ## one file with everything in it, target/release/sonde
	@scripts/release.sh
