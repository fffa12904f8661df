/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of words, and the distance between two. The distance is that of
 * optimal string alignment: typing errors are one letter too many, too few,
 * another, or two in the wrong order. Words longer than WORD_MAX are near to
 * nothing, which bounds the work.
 */
#include "rules/rule_words.h"

#include <string.h>

#define WORD_MAX 48
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name, *description;
} classtypes[] = {
    {"not-suspicious", "Not Suspicious Traffic"},
    {"unknown", "Unknown Traffic"},
    {"bad-unknown", "Potentially Bad Traffic"},
    {"attempted-recon", "Attempted Information Leak"},
    {"successful-recon-limited", "Information Leak"},
    {"successful-recon-largescale", "Large Scale Information Leak"},
    {"attempted-dos", "Attempted Denial of Service"},
    {"successful-dos", "Denial of Service"},
    {"attempted-user", "Attempted User Privilege Gain"},
    {"unsuccessful-user", "Unsuccessful User Privilege Gain"},
    {"successful-user", "Successful User Privilege Gain"},
    {"attempted-admin", "Attempted Administrator Privilege Gain"},
    {"successful-admin", "Successful Administrator Privilege Gain"},
    {"rpc-portmap-decode", "Decode of an RPC Query"},
    {"shellcode-detect", "Executable code was detected"},
    {"string-detect", "A suspicious string was detected"},
    {"suspicious-filename-detect", "A suspicious filename was detected"},
    {"suspicious-login",
	"An attempted login using a suspicious username was detected"},
    {"system-call-detect", "A system call was detected"},
    {"tcp-connection", "A TCP connection was detected"},
    {"trojan-activity", "A Network Trojan was detected"},
    {"unusual-client-port-connection", "A client was using an unusual port"},
    {"network-scan", "Detection of a Network Scan"},
    {"denial-of-service", "Detection of a Denial of Service Attack"},
    {"non-standard-protocol", "Detection of a non-standard protocol or event"},
    {"protocol-command-decode", "Generic Protocol Command Decode"},
    {"web-application-activity",
	"access to a potentially vulnerable web application"},
    {"web-application-attack", "Web Application Attack"},
    {"misc-activity", "Misc activity"},
    {"misc-attack", "Misc Attack"},
    {"icmp-event", "Generic ICMP event"},
    {"inappropriate-content", "Inappropriate Content was Detected"},
    {"policy-violation", "Potential Corporate Privacy Violation"},
    {"default-login-attempt",
	"Attempt to login by a default username and password"},
    {"targeted-activity", "Targeted Malicious Activity was Detected"},
    {"exploit-kit", "Exploit Kit Activity Detected"},
    {"external-ip-check", "Device Retrieving External IP Address Detected"},
    {"domain-c2", "Domain Observed Used for C2 Detected"},
    {"pup-activity", "Possibly Unwanted Program Detected"},
    {"credential-theft", "Successful Credential Theft Detected"},
    {"social-engineering", "Possible Social Engineering Attempted"},
    {"coin-mining", "Crypto Currency Mining Activity Detected"},
    {"command-and-control", "Malware Command and Control Activity Detected"},
};

static const char *const reference_kinds[] = {"url", "cve", "bugtraq", "bid",
    "arachnids", "mcafee", "nessus", "osvdb", "msb", "md5", "et", "etpro",
    "exploitdb", "openpacket", "secunia", "telus", "threatexpert", "xforce"};

/* In the full language later, or outside mail. */
static const struct {
	const char *name, *hint;
} not_yet[] = {
    {"priority", "severity grades the alert"},
    {"threshold", ""},
    {"detection_filter", ""},
    {"content", "finding says what to look for"},
    {"pcre", "finding says what to look for"},
    {"incident", ""},
    {"history", ""},
    {"target", ""},
    {"flow", "every finding belongs to an established connection"},
    {"flowbits", ""},
    {"xbits", ""},
    {"hostbits", ""},
    {"flowint", ""},
    {"tag", "evidence asks for what a finding rests on"},
    {"tls.cert_issuer", "finding:cert-interceptor knows intercepting CAs"},
};

static const char *const not_yet_plain[] = {"nocase", "offset", "depth",
    "distance", "within", "startswith", "endswith", "bsize", "rawbytes",
    "fast_pattern", "isdataat", "dsize", "byte_test", "byte_jump",
    "byte_extract", "byte_math", "base64_decode", "base64_data", "pkt_data",
    "file_data", "file.data", "filename", "fileext", "filemagic", "filestore",
    "filesize", "filemd5", "filesha1", "filesha256", "file.name", "file.magic",
    "dataset", "datarep", "lua", "luajit", "iprep", "geoip", "app-layer-event",
    "app-layer-protocol", "decode-event", "stream-event", "stream_size",
    "flags", "seq", "ack", "window", "ttl", "tos", "ipopts", "ip_proto",
    "ipv4.hdr", "ipv6.hdr", "sameip", "id", "fragbits", "fragoffset",
    "fragment_offset", "tcp.flags", "tcp.hdr", "tcp.mss", "tcp.ack", "tcp.seq",
    "tcp.window", "itype", "icode", "icmp_id", "icmp_seq", "noalert", "bypass",
    "prefilter", "requires", "replace", "xor", "to_lowercase", "to_uppercase",
    "to_md5", "to_sha1", "to_sha256", "strip_whitespace", "compress_whitespace",
    "dotprefix", "pcrexform", "url_decode", "flow.age", "flow.pkts_toclient",
    "flow.pkts_toserver", "flow.bytes_toclient", "flow.bytes_toserver",
    "smtp.greeting", "smtp.command", "smtp.helo", "smtp.capability",
    "smtp.reply", "smtp.mail_from", "smtp.rcpt_to", "imap.command",
    "imap.capability", "imap.response", "imap.request", "pop3.command",
    "pop3.capability", "auth.mechanism", "auth.user", "tls.sni", "tls_sni",
    "tls.version", "ssl_version", "ssl_state", "tls.subject", "tls.issuerdn",
    "tls.fingerprint", "tls.store", "tls_store", "tls.cert_subject",
    "tls_cert_subject", "tls_cert_issuer", "tls.cert_serial", "tls_cert_serial",
    "tls.cert_fingerprint", "tls_cert_fingerprint", "tls.certs",
    "tls_cert_notbefore", "tls_cert_notafter", "tls_cert_expired",
    "tls_cert_valid", "tls.cert_chain_len", "tls.subjectaltname", "tls.alpn",
    "tls.random", "tls.random_time", "tls.random_bytes", "ja3.hash", "ja3_hash",
    "ja3.string", "ja3_string", "ja3s.hash", "ja3s.string", "ja4.hash",
    "email.from", "email.to", "email.cc", "email.subject", "email.date",
    "email.message_id", "email.x_mailer", "email.url", "email.received",
    "mime_anomaly", "http.uri", "http.host", "http.method", "http.header",
    "http.cookie", "http.user_agent", "http.request_body", "http.response_body",
    "http.stat_code", "http_uri", "http_host", "http_method", "http_header",
    "uricontent", "urilen", "dns.query", "dns_query", "dns.opcode", "ssh.proto",
    "ssh.software", "smb.share", "dce_iface", "krb5_msg_type", "snmp.version",
    "sip.method", "mqtt.type", "ftpbounce", "ftpdata_command", "asn1", "rpc",
    "l3_proto", "vlan.id", "vlan.layers"};

static const char *const other_protocols[] = {"ip", "udp", "icmp", "icmpv6",
    "tcp-pkt", "tcp-stream", "pkthdr", "ether", "arp", "sctp", "http", "http1",
    "http2", "ftp", "ftp-data", "ssh", "dns", "smb", "dcerpc", "dhcp", "nfs",
    "krb5", "snmp", "sip", "rdp", "rfb", "mqtt", "ntp", "tftp", "ike", "quic",
    "modbus", "dnp3", "enip", "telnet", "bittorrent-dht", "pgsql", "ldap",
    "websocket", "mdns", "doh2", "ssl"};

static bool
is_in(const char *const *names, size_t n, struct lex_word w)
{
	for (size_t i = 0; i < n; i++)
		if (lex_word_is(w, names[i]))
			return true;
	return false;
}

const char *
classtype_description(const char *name)
{
	for (size_t i = 0; i < COUNT(classtypes); i++)
		if (strcmp(classtypes[i].name, name) == 0)
			return classtypes[i].description;
	return NULL;
}

bool
reference_kind_known(struct lex_word w)
{
	return is_in(reference_kinds, COUNT(reference_kinds), w);
}

const char *
keyword_not_yet(struct lex_word w)
{
	for (size_t i = 0; i < COUNT(not_yet); i++)
		if (lex_word_is(w, not_yet[i].name))
			return not_yet[i].hint;
	return is_in(not_yet_plain, COUNT(not_yet_plain), w) ? "" : NULL;
}

bool
protocol_not_yet(struct lex_word w)
{
	return is_in(other_protocols, COUNT(other_protocols), w);
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool
swapped(struct lex_word a, const char *b, size_t i, size_t j)
{
	return i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b[j - 2]) &&
	       lower(a.p[i - 2]) == lower(b[j - 1]);
}

static unsigned
distance(struct lex_word a, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *t;

	for (size_t j = 0; j <= blen; j++)
		last[j] = before[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned diff = lower(a.p[i - 1]) != lower(b[j - 1]);

			row[j] = min3(
			    last[j] + 1, row[j - 1] + 1, last[j - 1] + diff);
			if (swapped(a, b, i, j) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		t = before;
		before = last;
		last = row;
		row = t;
	}
	return last[blen];
}

/* A name that was not written to its end is as near as a typing error. */
static bool
starts_with(const char *name, struct lex_word w)
{
	return w.len >= 3 && strncmp(name, w.p, w.len) == 0;
}

void
nearest_init(struct nearest *n, struct lex_word w)
{
	n->w = w;
	n->best = w.len < 3 ? 2 : (unsigned)w.len / 3 + 1;
	n->name = NULL;
}

void
nearest_try(struct nearest *n, const char *name)
{
	size_t len = strlen(name);
	unsigned d;

	if (n->w.len == 0 || n->w.len > WORD_MAX || len > WORD_MAX)
		return;
	d = starts_with(name, n->w) ? 1 : distance(n->w, name, len);
	if (d < n->best) {
		n->best = d;
		n->name = name;
	}
}

void
nearest_classtype(struct nearest *n)
{
	for (size_t i = 0; i < COUNT(classtypes); i++)
		nearest_try(n, classtypes[i].name);
}

void
nearest_reference_kind(struct nearest *n)
{
	for (size_t i = 0; i < COUNT(reference_kinds); i++)
		nearest_try(n, reference_kinds[i]);
}

void
nearest_error(struct lex *l, const struct nearest *n, const char *what)
{
	char shown[64];

	lex_show(shown, sizeof(shown), n->w);
	if (n->w.len == 0)
		lex_error(l, n->w.at, "the name of a %s is missing", what);
	else if (n->name != NULL)
		lex_error(l, n->w.at, "unknown %s '%s': did you mean '%s'?",
		    what, shown, n->name);
	else
		lex_error(l, n->w.at, "unknown %s '%s'", what, shown);
}
