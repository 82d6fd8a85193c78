#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages of packages.txt that are missing. Takes a
# fraction of a second when none is. SETUP_PACKAGES and SETUP_UID are for tests.
set -eu

list=${SETUP_PACKAGES:-$(dirname "$0")/packages.txt}
uid=${SETUP_UID:-$(id -u)}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "setup: this is no Debian system; see $list for what is needed" >&2
	exit 3
fi

wanted=$(sed 's/#.*//' "$list" | tr -s ' \n' '\n' | sed '/^$/d' | sort -u)
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
missing=$(printf '%s\n' "$wanted" | grep -vxF "$have" || true)
if [ -z "$missing" ]; then
	[ "${1-}" = --quiet ] || echo "All packages are installed."
	exit 0
fi
missing=$(printf '%s' "$missing" | tr '\n' ' ')
missing=${missing% }

if [ "$uid" != 0 ]; then
	cat >&2 <<-END
		These Debian packages are missing: $missing
		Install them, and run make again:
		  sudo apt-get install --no-install-recommends $missing
	END
	exit 3
fi

echo "Installing: $missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one word per package
install() {
	apt-get install -y -q --no-install-recommends $missing </dev/null
}
# A new machine has no package lists, an old one has stale ones.
if ! apt-cache show linux-source-6.12 >/dev/null 2>&1 || ! install; then
	apt-get update -q
	install
fi
