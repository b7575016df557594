# Everything runs in .venv, which scripts/bootstrap.py makes from the lock the first time
# and leaves alone until the lock changes.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test check bench-audiences lock bench-send bench-memory bench-wire bench-render bench-mjml bench-machines bench-social bench-feeds chaos simulate-relay clean
.DEFAULT_GOAL := help

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo:  ## the main job, whole: one campaign to newsletter, feed and social, with its report
	@$(PYTHON) scripts/bootstrap.py run
	@$(BIN)/comms demo

test:  ## formatting, types, import contracts, generated docs, and every test
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python scripts/check.py

check:  ## the same without the tests
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python scripts/check.py --no-tests

bench-audiences:  ## a million members: import, segments, planning, beside sqlite-utils and full scans
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.audiences

lock:  ## renew requirements*.txt from pyproject.toml (needs uv)
	@$(PYTHON) scripts/lock.py

bench-send:  ## how fast a newsletter goes out, file to ledger, beside other ways (needs postfix)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.send

bench-memory:  ## what control needs for fifty thousand and for a million (needs postfix)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.control_memory

bench-wire:  ## the mail clients alone, beside Postfix's own (needs postfix)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.wire

bench-render:  ## complete messages made a second and core, beside other ways (nodemailer where Node.js is here)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.render

chaos:  ## kills, faulty servers, full disks, power cuts: who was lost; writes docs/reliability.md
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.chaos --docs docs/reliability.md

simulate-relay:  ## a whole relay, 22 associations and 60,000 people: who was missed, who got two
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.simulate_relay

bench-machines:  ## control on one machine, senders on two others, one of them cut off (needs root, Redis)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.machines

bench-mjml:  ## our MJML beside MJML's own, pixel by pixel (needs Node.js and Chromium)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.mjml

bench-social:  ## fifty posts on each network through cut lines and killed senders, beside posting again
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.social

bench-feeds:  ## a feed of a thousand entries served from memory, beside nginx and a file (needs nginx-light, wrk)
	@$(PYTHON) scripts/bootstrap.py dev
	@$(BIN)/python -m bench.feeds

clean:  ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
