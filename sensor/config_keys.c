/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every key there is. The defaults here are the defaults of the program:
 * config_init() reads them as if they stood in a file.
 */
#include <stddef.h>

#include "db/event.h"
#include "rules/names.h"
#include "rules/weak_suites.h"
#include "sensor/config.h"
#include "sensor/tracker.h"

#define AT(field) offsetof(struct config, field)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const char *const names_words[] = {[NAMES_CLEAR] = "clear",
    [NAMES_HASHED] = "hashed",
    [NAMES_NONE] = "none",
    NULL};
static const char *const event_words[] = {[EVENT_ALERT] = "",
    [EVENT_INCIDENT] = "",
    [EVENT_FLOW] = "flow",
    [EVENT_TLS] = "tls",
    [EVENT_SMTP] = "smtp",
    [EVENT_IMAP] = "imap",
    [EVENT_POP3] = "pop3",
    [EVENT_STATS] = "stats",
    NULL};
static const char *const reassembly_words[] = {
    [REASSEMBLY_ON_DEMAND] = "on-demand", [REASSEMBLY_ALWAYS] = "always", NULL};

static const char *const version_words[] = {
    "1.0", "1.1", "1.2", "1.3", NULL}; /* TLS_10 and up */
static const char *const weakness_words[] = {"", [WEAK_NULL] = "null",
    [WEAK_ANON] = "anonymous", [WEAK_EXPORT] = "export", [WEAK_RC2] = "rc2",
    [WEAK_RC4] = "rc4", [WEAK_DES] = "des", [WEAK_3DES] = "3des", NULL};

const struct config_key config_keys[] = {
    {.name = "database",
	.type = CONFIG_PATHNAME,
	.at = AT(database),
	.range = "path of a file",
	.initial = DB_DEFAULT,
	.help = "Alerts, history of servers, certificates (SQLite). A path "
		"that does not begin with / starts in the working folder, "
		"here and below."},
    {.name = "rules",
	.type = CONFIG_INPUT,
	.at = AT(rules),
	.range = "path of a file or folder",
	.initial = "",
	.help = "Which findings become alerts, and how grave they are; of a "
		"folder all *.rules. Default: sensor.rules beside the "
		"program, in the install prefix or in the working folder."},
    {.name = "thresholds",
	.type = CONFIG_INPUT,
	.at = AT(thresholds),
	.range = "path of a file",
	.initial = "",
	.help = "A threshold.config: suppress, threshold and rate_filter as "
		"Suricata has them, and severity, which grades anew in some "
		"networks. Default: none."},
    {.name = "classification",
	.type = CONFIG_INPUT,
	.at = AT(classification),
	.range = "path of a file",
	.initial = "",
	.help = "A classification.config, for rules with classes of their "
		"own. Default: the classes that Suricata ships are known."},
    {.name = "interceptors",
	.type = CONFIG_INPUT,
	.at = AT(interceptors),
	.range = "path of a file",
	.initial = "",
	.help = "Names of products that issue certificates in the name of "
		"others. Default: interceptors.list, looked for like "
		"sensor.rules."},
    {.name = "eve",
	.type = CONFIG_PATHNAME,
	.at = AT(eve),
	.range = "path of a file",
	.initial = "",
	.help = "Alerts as JSON lines (EVE) as they are raised. Default: "
		"none are written."},
    {.name = "eve_types",
	.type = CONFIG_WORDS,
	.at = AT(eve_types),
	.range = "list of flow, tls, smtp, imap, pop3, stats",
	.initial = "",
	.words = event_words,
	.help = "What is written there beside alerts and incidents: "
		"connections when they end, TLS handshakes, mail "
		"transactions, logins and the like in clear, counters."},
    {.name = "sensor_name",
	.type = CONFIG_TEXT,
	.at = AT(sensor_name),
	.range = "1 to 64 characters",
	.initial = "",
	.max = 64,
	.help = "Name of this sensor in the JSON. Default: that of this "
		"machine."},
    {.name = "user_names",
	.type = CONFIG_WORD,
	.at = AT(user_names),
	.range = "clear, hashed or none",
	.initial = "clear",
	.words = names_words,
	.help = "How the names of users are stored and shown. hashed: as "
		"user-0123456789ab, by a key that is kept in the database, "
		"so that the same user is known again; without a database, "
		"in this run only. none: not at all. What stands before '@' "
		"in mail addresses is treated likewise. What was stored "
		"before is not changed."},
    {.name = "reassembly",
	.type = CONFIG_WORD,
	.at = AT(reassembly),
	.range = "on-demand or always",
	.initial = "on-demand",
	.words = reassembly_words,
	.help = "always: every segment goes through libnids, not only those "
		"out of order. The findings are the same."},
    {.name = "authorized_resetters",
	.type = CONFIG_RESETTERS,
	.at = AT(resetters),
	.range = "list of MAC addresses and of tcpkill, libnids, ips-reject, "
		 "syn-copy, train-1460; at most 32 addresses",
	.initial = "",
	.help = "Own devices that end connections by forged resets, such as "
		"an intrusion prevention system: no finding. By the MAC "
		"address that their frames come from, or by how they make "
		"resets; their IP address is in none of their packets."},
    {.name = "trust.system",
	.type = CONFIG_SWITCH,
	.at = AT(system_trust),
	.range = "yes or no",
	.initial = "yes",
	.help = "Trust the certificate authorities that this system trusts."},
    {.name = "trust.files",
	.type = CONFIG_INPUTS,
	.at = AT(trust),
	.range = "list of at most 32 paths",
	.initial = "",
	.help = "Files (PEM) of certificate authorities to trust as well."},
    {.name = "variables",
	.type = CONFIG_VARIABLES,
	.at = AT(vars),
	.range = "map of at most 256 names to an entry or a list of entries",
	.initial = "",
	.help = "What $NAMES in rules stand for. Names that end in PORTS hold "
		"ports (25, \"587:\", 8000:8080), all others addresses "
		"(192.0.2.1, 10.0.0.0/8, 10.0.0.1-10.0.0.9). !x is all but "
		"x and needs quotes, as do entries that begin or end with a "
		"colon. $NAME is one that was set above. Those that are "
		"not set are any."},
    {.name = "tls.min_version",
	.type = CONFIG_WORD,
	.at = AT(tls_min_version),
	.range = "1.0, 1.1, 1.2 or 1.3",
	.initial = "1.2",
	.words = version_words,
	.help = "A server that chooses an older version of TLS is a finding "
		"(tls-old-version). Default by RFC 8996 and NIST SP "
		"800-52r2."},
    {.name = "tls.min_dh_bits",
	.type = CONFIG_NUMBER,
	.at = AT(tls_min_dh_bits),
	.range = "512 to 16384 bits",
	.initial = "2048",
	.min = 512,
	.max = 16384,
	.help = "A Diffie-Hellman group below that is a finding "
		"(tls-weak-cipher). Default by RFC 9325."},
    {.name = "tls.min_curve_bits",
	.type = CONFIG_NUMBER,
	.at = AT(tls_min_curve_bits),
	.range = "160 to 521 bits",
	.initial = "224",
	.min = 160,
	.max = 521,
	.help = "The same for elliptic curves. x25519 has 255."},
    {.name = "tls.accept",
	.type = CONFIG_WORDS,
	.at = AT(tls_accept),
	.range = "list of null, anonymous, export, rc2, rc4, des, 3des",
	.initial = "",
	.words = weakness_words,
	.help = "Weaknesses of cipher suites that are no finding here."},
    {.name = "incidents.window",
	.type = CONFIG_NUMBER,
	.at = AT(incident_window),
	.range = "1 to 1440 minutes",
	.initial = "10",
	.min = 1,
	.max = 1440,
	.help = "Alerts between the same two hosts, or of the same kind at the "
		"same server, that lie no further apart are one incident."},
    {.name = "incidents.repeat",
	.type = CONFIG_NUMBER,
	.at = AT(incident_repeat),
	.range = "1 to 720 hours",
	.initial = "24",
	.min = 1,
	.max = 720,
	.help = "What an incident holds already joins it as long as it is no "
		"longer quiet; then it ends."},
    {.name = "incidents.alerts",
	.type = CONFIG_NUMBER,
	.at = AT(incident_alerts),
	.range = "0 to 1000000 alerts",
	.initial = "20",
	.min = 0,
	.max = 1000000,
	.help = "So many alerts of one finding are raised in an incident (and "
		"capture), then those that bring news: another client, server "
		"or user, "
		"a higher severity. The rest is counted in the incident. 0: "
		"all are raised."},
    {.name = "retention.days",
	.type = CONFIG_NUMBER,
	.at = AT(retention_days),
	.range = "0 to 36500 days",
	.initial = "0",
	.max = 36500,
	.help = "stripwire run takes alerts that are older out of the "
		"database, with their notes and connections, then incidents, "
		"captures and certificates that none of those left is about. "
		"What is known of servers stays. 0: they are kept."},
    {.name = "retention.size",
	.type = CONFIG_BYTES,
	.at = AT(retention_size),
	.range = "0 to 1024GiB",
	.initial = "0",
	.max = 1024 * GIB,
	.help = "The same with the oldest alerts while the database holds "
		"more than that, be they acknowledged or not. 0: it may "
		"grow."},
    {.name = "feeds",
	.type = CONFIG_FEEDS,
	.at = AT(feed),
	.range = "map of at most 16 names to maps",
	.initial = "",
	.help = "Where alerts and incidents, and other events, are sent, each "
		"below a name of letters, digits, _ and -. See "
		"stripwire.conf(5) and docs/feeds.md."},
    {.name = "events.keep_days",
	.type = CONFIG_NUMBER,
	.at = AT(event_days),
	.range = "0 to 3650 days",
	.initial = "7",
	.max = 3650,
	.help = "So long stripwire run keeps events in the database that every "
		"feed has sent, for stripwire feed --replay. Alerts are sent "
		"again without them too, incidents are not."},
    {.name = "events.max",
	.type = CONFIG_NUMBER,
	.at = AT(max_events),
	.range = "1000 to 100000000 events",
	.initial = "500000",
	.min = 1000,
	.max = 100000000,
	.help = "More are not kept, about 2 KiB each: of a feed whose receiver "
		"is away for longer the oldest are given up and counted."},
    {.name = "run.interfaces",
	.type = CONFIG_TEXT,
	.at = AT(interfaces),
	.range = "names of 1 to 8 interfaces, commas between",
	.initial = "",
	.max = 200,
	.help = "What stripwire run captures from. Both directions of a "
		"connection may come in on different ones."},
    {.name = "run.workers",
	.type = CONFIG_NUMBER,
	.at = AT(workers),
	.range = "1 to 64 processes",
	.initial = "1",
	.min = 1,
	.max = 64,
	.help = "Processes that look at packets; a core is kept busy by one. "
		"Limits below are shared among them."},
    {.name = "run.buffer",
	.type = CONFIG_BYTES,
	.at = AT(buffer),
	.range = "1MiB to 1GiB",
	.initial = "64MiB",
	.min = MIB,
	.max = GIB,
	.help = "The kernel's buffer of packets, for each worker and "
		"interface."},
    {.name = "run.snaplen",
	.type = CONFIG_NUMBER,
	.at = AT(snaplen),
	.range = "256 to 262144 bytes",
	.initial = "65535",
	.min = 256,
	.max = 262144,
	.help = "Bytes of each frame that are captured. Frames that are cut "
		"leave holes in what is seen."},
    {.name = "run.promiscuous",
	.type = CONFIG_SWITCH,
	.at = AT(promiscuous),
	.range = "yes or no",
	.initial = "yes",
	.help = "Also frames that are for other machines, which is what a span "
		"port shows."},
    {.name = "run.timestamps",
	.type = CONFIG_TEXT,
	.at = AT(timestamps),
	.range = "a kind of timestamps, see pcap-tstamp(7)",
	.initial = "",
	.max = 40,
	.help = "Who takes the time of a packet, such as host or adapter. "
		"Default: the kernel."},
    {.name = "run.filter",
	.type = CONFIG_TEXT,
	.at = AT(filter),
	.range = "an expression, see pcap-filter(7)",
	.initial = "",
	.max = 1000,
	.help = "Packets that do not match are not looked at. With a filter on "
		"ports, mail on other ports and in tunnels is not seen. "
		"Default: none is needed, what cannot be mail costs "
		"little."},
    {.name = "run.user",
	.type = CONFIG_TEXT,
	.at = AT(user),
	.range = "name of a user",
	.initial = "",
	.max = 64,
	.help = "Who the processes become if started as root; the database's "
		"folder must be theirs. Default: stripwire, or nobody if "
		"there is none."},
    {.name = "run.socket",
	.type = CONFIG_PATHNAME,
	.at = AT(socket),
	.range = "path of a socket",
	.initial = "/run/stripwire/status.sock",
	.help = "Where stripwire status asks. Its folder is made if it is "
		"missing."},
    {.name = "run.log",
	.type = CONFIG_PATHNAME,
	.at = AT(log),
	.range = "path of a file",
	.initial = "",
	.help = "Log of the service; opened anew at SIGHUP. Default: standard "
		"error, which is the journal under systemd."},
    {.name = "run.crash_folder",
	.type = CONFIG_PATHNAME,
	.at = AT(crash_folder),
	.range = "path of a folder",
	.initial = "",
	.help = "Where the packet is saved that made a process fail (the last "
		"16 of them, mode 0600, letters and digits masked). Default: "
		"none is saved."},
    {.name = "run.whole_packets",
	.type = CONFIG_SWITCH,
	.at = AT(whole_packets),
	.range = "yes or no",
	.initial = "no",
	.help = "Save these packets as they are. They may hold passwords and "
		"mail."},
    {.name = "limits.flows",
	.type = CONFIG_NUMBER,
	.at = AT(flows),
	.range = "1024 to 16777216 connections, rounded up to a power of two",
	.initial = "262144",
	.min = 1024,
	.max = 1 << 24,
	.power_of_two = true,
	.help = "TCP connections that are followed at a time, mail or not. "
		"When there are more, the idlest go."},
    {.name = "limits.sessions",
	.type = CONFIG_NUMBER,
	.at = AT(sessions),
	.range = "64 to 1048576 connections",
	.initial = "65536",
	.min = 64,
	.max = 1 << 20,
	.help = "Mail connections that are decoded at a time."},
    {.name = "limits.judged_flows",
	.type = CONFIG_NUMBER,
	.at = AT(judged_flows),
	.range = "64 to 1048576 connections",
	.initial = "65536",
	.min = 64,
	.max = 1 << 20,
	.help = "Mail connections whose facts are kept for judgement at a "
		"time."},
    {.name = "limits.history_servers",
	.type = CONFIG_NUMBER,
	.at = AT(history_servers),
	.range = "1024 to 1048576 entries",
	.initial = "32768",
	.min = 1024,
	.max = 1 << 20,
	.help = "Servers of which is known what they did before, 2.8 KB each; "
		"one counts by its address and by its name. When there are "
		"more, those not seen for longest go, well-known ones last."},
    {.name = "limits.history_pairs",
	.type = CONFIG_NUMBER,
	.at = AT(history_pairs),
	.range = "4096 to 4194304 entries",
	.initial = "131072",
	.min = 4096,
	.max = 1 << 22,
	.help = "Likewise clients of a server, and networks of clients, 0.1 KB "
		"each."},
    {.name = "limits.pending_bytes",
	.type = CONFIG_BYTES,
	.at = AT(pending_bytes),
	.range = "1MiB to 16GiB",
	.initial = "64MiB",
	.min = MIB,
	.max = 16 * GIB,
	.help = "Bytes that wait behind a missing segment, all connections "
		"together."},
    {.name = "limits.tls_bytes",
	.type = CONFIG_BYTES,
	.at = AT(tls_bytes),
	.range = "1MiB to 16GiB",
	.initial = "64MiB",
	.min = MIB,
	.max = 16 * GIB,
	.help = "Buffers of TLS handshakes in progress, all connections "
		"together."},
};
const unsigned config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);
