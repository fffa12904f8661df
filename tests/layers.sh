#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Include arrows run one way: decoders <- rules <- db <- sensor. Private
# headers stay where they belong. Prints each breach; fails if there is one.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0

# who: a folder; what: an include pattern it must not have
forbid() {
	found=$(grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" \
		$1/*.c $1/*.h 2>/dev/null | grep -vE "${3:-^$}")
	[ -z "$found" ] && return
	echo "$found" | sed "s|\$|   <- $4|"
	bad=1
}

forbid decoders 'rules/|db/|sensor/' '' 'decoders may include decoders only'
forbid rules 'db/|sensor/' '' 'rules may include decoders and rules only'
forbid db 'sensor/' '' 'db may not include sensor'
# system doors
forbid rules 'sys/socket|netinet/|pcap' '' 'rules touch no packet or socket'
forbid decoders 'fcntl|sys/socket|stdio_ext' '' 'decoders do no input or output'
for d in decoders rules db sensor; do
	forbid $d 'nids\.h' '^sensor/stream_nids\.c:' \
		'nids.h belongs to sensor/stream_nids.c'
	forbid $d 'pcap(/|\.h)' '^sensor/(capture[a-z_]*|stream_nids)\.c:' \
		'pcap.h belongs to sensor/capture*.c'
	forbid $d 'idn2\.h' '^decoders/idn\.c:' \
		'idn2.h belongs to decoders/idn.c'
	forbid $d 'hs/' '^rules/multi\.c:' \
		'hs/hs.h belongs to rules/multi.c'
	forbid $d 'pcre2' '^rules/content\.c:' \
		'pcre2.h belongs to rules/content.c'
	forbid $d 'yaml\.h' '^sensor/config_tree\.c:' \
		'yaml.h belongs to sensor/config_tree.c'
	forbid $d 'sqlite3\.h' '^db/' 'sqlite3.h belongs to db/'
	forbid $d 'openssl/' '^(decoders/x509[a-z_]*\.[ch]|decoders/hash\.c|sensor/verifier[a-z_]*\.[ch]|db/transport_tls[a-z_]*\.[ch]):' \
		'openssl/ belongs to x509, the verifier, the hash file and TLS transport'
	forbid $d 'librdkafka/' '^db/transport_kafka[a-z_]*\.[ch]:' \
		'librdkafka/ belongs to db/transport_kafka*.c'
done
[ $bad -eq 0 ] && echo "layers: clean"
exit $bad
