# shellcheck shell=bash disable=SC2034
# Sourced: the programs each job needs, with the Debian packages they come from.

build_needs=(cc:build-essential pkg-config:pkg-config node:nodejs npm:npm git:git
    /etc/ssl/certs/ca-certificates.crt:ca-certificates)
test_needs=(chromium:chromium chromedriver:chromium-driver rsyslogd:rsyslog collectd:collectd-core
    zstd:zstd logger:bsdutils python3:python3 python3.ensurepip:python3-venv)
lint_needs=(cc:build-essential shellcheck:shellcheck)
