/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of findings: the names of the catalogue, a title, where the cause
 * may sit, and what to do next. A finding states what was seen; who is to
 * blame is for people, so "where" names every honest cause that fits.
 */
#include "rules/finding.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "decoders/format.h"

#define ON_PATH "on the path, near the client or near the server"
#define REQUIRE_TLS                                                           \
	"require TLS for this server on the client (MTA-STS, DANE or a "      \
	"policy map; in mail programs: TLS required, not \"if available\"), " \
	"then look at what stands between the two"
#define RENEW "renew or replace the certificate on the server"
#define CHECK_CERT                                                          \
	"compare the key with the one on the server itself; until that is " \
	"explained, do not send credentials there"
#define UPDATE_TLS                                                             \
	"update the older of the two sides, or its settings, so that TLS 1.2 " \
	"or later with a current suite is used"

static const struct finding_info infos[FIND_COUNT] = {
    /* an alert without a finding: a rule asked for what was said */
    [FIND_NONE] = {"content", "content that a rule asks for",
	"what the rule was written for tells",
	"see the rule (stripwire rules explain) and its references"},
    [FIND_STARTTLS_STRIPPED] = {"starttls-stripped",
	"STARTTLS missing from the server's list",
	ON_PATH "; or the server's configuration was changed", REQUIRE_TLS},
    [FIND_STARTTLS_MANGLED] = {"starttls-mangled", "STARTTLS made unreadable",
	"near the server or on the path: firewalls that inspect mail do this "
	"as well as attackers",
	"look for a firewall or mail inspection between the two and turn off "
	"its masking of STARTTLS; require TLS on the client"},
    [FIND_STARTTLS_REFUSED] = {"starttls-refused",
	"STARTTLS offered and then refused",
	"on the path; or the server cannot do TLS at the moment (its own log "
	"will say)",
	"look into the server's log for this session: if it holds no refusal, "
	"it was made on the path. Require TLS on the client"},
    [FIND_STARTTLS_IGNORED] = {"starttls-ignored",
	"the client did not use STARTTLS where it was due",
	"at the client, or on the path before the server",
	"ask on the client's side what list of capabilities it saw; require "
	"TLS for authentication on the server"},
    [FIND_STARTTLS_COMMAND_INJECTION] = {"starttls-command-injection",
	"commands sent in clear behind STARTTLS",
	"at the client or on the path before the server (CVE-2011-0411)",
	"make sure that the server throws away what came before TLS; find out "
	"who added the commands"},
    [FIND_STARTTLS_RESPONSE_INJECTION] = {"starttls-response-injection",
	"replies in clear behind the go-ahead for TLS",
	"on the path, or a server that answers too early",
	"make sure that the client throws away what came before TLS (update "
	"it); find out who added the replies"},
    [FIND_TLS_ABORTED_AFTER_STARTTLS] = {"tls-aborted-after-starttls",
	"TLS was agreed on and did not come about",
	"on the path; or one side could not go on with TLS (versions, "
	"certificate, a crash)",
	"look into the logs of both sides for the reason; if neither names "
	"one, the connection was broken on the path"},
    [FIND_PLAINTEXT_FALLBACK] = {"plaintext-fallback",
	"the client went on in plaintext where TLS was due",
	"on the path, or near the client; the client allows it", REQUIRE_TLS},
    [FIND_EHLO_REFUSED] = {"ehlo-refused",
	"EHLO refused, so that no capabilities are offered",
	ON_PATH "; or a very old server", REQUIRE_TLS},
    [FIND_CAPABILITY_REFUSED] = {"capability-refused",
	"the capability list was refused",
	ON_PATH "; or the server is in trouble", REQUIRE_TLS},
    [FIND_PROTOCOL_DOWNGRADE] = {"protocol-downgrade",
	"the server speaks an old protocol without TLS",
	ON_PATH "; or a very old server", REQUIRE_TLS},
    [FIND_AUTH_DOWNGRADE] = {"auth-downgrade",
	"only plaintext authentication is left in the list",
	ON_PATH "; or the server's configuration was changed",
	"compare with the list the server itself gives; allow only mechanisms "
	"that do not show the password"},
    [FIND_IMAP_PREAUTH] = {"imap-preauth",
	"IMAP PREAUTH in clear: the client cannot ask for TLS",
	"on the path; or a server set up to trust this client by address",
	"let the client refuse PREAUTH without TLS; compare with the server's "
	"own greeting"},
    [FIND_IMAP_DATA_BEFORE_AUTH] = {"imap-data-before-auth",
	"mailbox data before authentication and without TLS",
	"on the path, or a broken server",
	"update the client so that it ignores such data; compare with what the "
	"server itself sends"},
    [FIND_IMAP_UNSOLICITED_REPLY] = {"imap-unsolicited-reply",
	"an answer to a command that was never sent",
	"on the path, or a broken server",
	"compare with what the server itself sends; update the client"},
    [FIND_IMAP_REFERRAL] = {"imap-referral",
	"the client is sent to another server, in clear",
	"on the path, or the server's own redirection",
	"check that the named server belongs to the operator; let the client "
	"follow referrals only inside TLS"},
    [FIND_IMAP_ALERT_IN_CLEAR] = {"imap-alert-in-clear",
	"a message for the user's eyes, in clear before TLS",
	"on the path, or the server itself",
	"do not trust what the message says; compare with what the server "
	"itself sends"},
    [FIND_RST_INJECTED] = {"rst-injected",
	"a reset that the named sender did not send",
	"on the path, or an intrusion prevention system or firewall that ends "
	"connections",
	"look at the switches and hosts between the two; if an own device "
	"sends resets, name it with --authorized-resetter"},
    [FIND_FIN_INJECTED] = {"fin-injected",
	"an end of connection that the named sender did not send", ON_PATH,
	"look at the switches and hosts between the two"},
    [FIND_TCP_CONTENT_CONFLICT] = {"tcp-content-conflict",
	"two different contents for the same place in the stream",
	"on the path: somebody was faster than the real sender",
	"compare both versions; look at the switches and hosts between the "
	"two"},
    [FIND_HANDSHAKE_HIJACK] = {"handshake-hijack",
	"two answers to one connection request",
	"on the path; or anycast and SYN cookies",
	"find out which of the two hosts is the real one"},
    [FIND_CERT_SELF_SIGNED] = {"cert-self-signed",
	"the certificate is signed by itself",
	"at the server; or on the path if it was another one before",
	"on a server for users: get a certificate from a public or own CA; "
	"between mail servers it is common, DANE makes it safe"},
    [FIND_CERT_CHANGED] = {"cert-changed",
	"the certificate changed to one that cannot be trusted",
	"on the path; or the server was set up anew", CHECK_CERT},
    [FIND_CERT_NAME_MISMATCH] = {"cert-name-mismatch",
	"the certificate is not for the name that was asked for",
	"at the server, or on the path", CHECK_CERT},
    [FIND_CERT_EXPIRED] = {"cert-expired", "the certificate has expired",
	"at the server", RENEW},
    [FIND_CERT_NOT_YET_VALID] = {"cert-not-yet-valid",
	"the certificate is not valid yet", "at the server, or a wrong clock",
	RENEW},
    [FIND_CERT_INCOMPLETE_CHAIN] = {"cert-incomplete-chain",
	"an intermediate certificate is missing", "at the server",
	"let the server send its intermediate certificates with its own"},
    [FIND_CERT_UNTRUSTED] = {"cert-untrusted",
	"the certificate comes from an unknown authority",
	"at the server (an own CA), or on the path", CHECK_CERT},
    [FIND_CERT_WEAK_KEY] = {"cert-weak-key",
	"the certificate's key is too short", "at the server", RENEW},
    [FIND_CERT_WEAK_SIGNATURE] = {"cert-weak-signature",
	"the certificate is signed with a broken hash", "at the server", RENEW},
    [FIND_CERT_BAD_USAGE] = {"cert-bad-usage",
	"the certificate is not one for a server", "at the server", RENEW},
    [FIND_CERT_INTERCEPTOR] = {"cert-interceptor",
	"the certificate was made by an intercepting product",
	"on the path, or at the client (antivirus, proxy, firewall)",
	"if the product is your own, pin its CA; if not, somebody reads this "
	"mail"},
    [FIND_CERT_REVOKED] = {"cert-revoked",
	"the certificate was revoked by its authority",
	"at the server, or whoever has its key", RENEW},
    [FIND_CERT_BAD_ACCEPTED] = {"cert-bad-accepted",
	"the client went on with a bad certificate", "at the client",
	"turn on certificate checking in the client"},
    [FIND_CERT_REJECTED_BY_CLIENT] = {"cert-rejected-by-client",
	"the client did not accept the certificate",
	"at the server, on the path, or a root missing at the client",
	"compare the certificate with the server's own; if it is right, the "
	"client lacks the root"},
    [FIND_TLS_OLD_VERSION] = {"tls-old-version",
	"an outdated version of TLS was chosen", "at the client or server",
	UPDATE_TLS},
    [FIND_TLS_WEAK_CIPHER] = {"tls-weak-cipher",
	"a weak cipher suite was chosen", "at the client or server",
	UPDATE_TLS},
    [FIND_TLS_DOWNGRADE] = {"tls-downgrade", "the TLS version was pressed down",
	ON_PATH,
	"allow only current versions on both sides; look at what stands "
	"between the two"},
    [FIND_TLS_FINGERPRINT_CHANGED] = {"tls-fingerprint-changed",
	"another TLS implementation answers than before",
	"on the path; or the server was replaced",
	"compare the key with the one on the server itself; if it was "
	"replaced, say so by stripwire history ack"},
    [FIND_PLAINTEXT_CREDENTIALS] = {"plaintext-credentials",
	"a password crossed the network in clear",
	"at the client, which allows it, and at the server, which accepts it",
	"change this password; allow logins only inside TLS on server and "
	"client"},
    [FIND_CHALLENGE_RESPONSE_IN_CLEAR] = {"challenge-response-in-clear",
	"a password's proof crossed the network in clear",
	"at the client, which allows it, and at the server, which accepts it",
	"allow logins only inside TLS: the password can be guessed from the "
	"proof"},
    [FIND_PLAINTEXT_MAIL] = {"plaintext-mail",
	"a message crossed the network in clear where TLS is usual", ON_PATH,
	REQUIRE_TLS},
    [FIND_TLS_PORT_MISMATCH] = {"tls-port-mismatch",
	"TLS where plaintext is usual, or plaintext where TLS is",
	"the server's configuration; or something that answers in its place",
	"ask whoever runs the server whether it is meant so"},
    [FIND_SENSOR_RESTARTED] = {"sensor-restarted",
	"a process of the sensor died and was replaced",
	"the sensor itself; or somebody who sends it what makes it fail",
	"keep the saved packet and report it; connections that this process "
	"followed were not seen to their end"},
    [FIND_SENSOR_PACKETS_LOST] = {"sensor-packets-lost",
	"packets were lost before the sensor saw them",
	"the sensor's machine or its span port: too much traffic for them",
	"more workers or a larger capture buffer; what is lost is not looked "
	"at, and attacks in it are not found"},
    [FIND_SENSOR_ALERTS_LOST] = {"sensor-alerts-lost",
	"alerts could not be stored",
	"the disk of the database: full, read-only or failing",
	"look at the log and the disk; alerts of that time are in the feed, "
	"if one is written, and nowhere else"},
};

static const char *const severities[] = {
    "info", "low", "medium", "high", "critical"};

static const struct {
	uint32_t tag;
	const char *name;
} tags[] = {
    {EVT_DURING_TLS_HANDSHAKE, "during-tls-handshake"},
    {EVT_INVALID_REPLY, "invalid-reply"},
    {EVT_SELECTIVE, "selective"},
    {EVT_FIRST_SIGHT, "first-sight"},
    {EVT_WAS_TRUSTED, "was-trusted"},
    {EVT_AFTER_FORGED_RST, "after-forged-rst"},
    {EVT_KNOWN_TOOL, "known-tool"},
    {EVT_SAME_CONNECTION, "same-connection"},
    {EVT_NO_HISTORY, "no-history"},
    {EVT_NO_SNI, "no-sni"},
    {EVT_OPPORTUNISTIC, "opportunistic"},
    {EVT_AFTER_ATTACK, "after-attack"},
    {EVT_WAS_TLS, "was-tls"},
    {EVT_ALL_CLIENTS, "all-clients"},
    {EVT_STARTTLS_IS_NEW, "starttls-is-new"},
    {EVT_PINNED, "pinned"},
    {EVT_BARE_LF, "bare-lf"},
    {EVT_NUL, "nul"},
    {EVT_ODD_DOT, "odd-dot"},
};
#define NTAGS (sizeof(tags) / sizeof(tags[0]))
#define NSEVERITIES (sizeof(severities) / sizeof(severities[0]))

const struct finding_info *
finding_info(enum finding_id id)
{
	return &infos[(unsigned)id < FIND_COUNT ? id : FIND_NONE];
}

enum finding_id
finding_by_name(const char *name)
{
	for (unsigned i = FIND_NONE + 1; i < FIND_COUNT; i++)
		if (strcasecmp(name, infos[i].name) == 0)
			return (enum finding_id)i;
	return FIND_NONE;
}

const char *
severity_name(enum severity s)
{
	return (unsigned)s < NSEVERITIES ? severities[s] : "?";
}

int
severity_by_name(const char *name)
{
	for (unsigned i = 0; i < NSEVERITIES; i++)
		if (strcasecmp(name, severities[i]) == 0)
			return (int)i;
	return -1;
}

const char *
evidence_tag_name(uint32_t tag)
{
	for (unsigned i = 0; i < NTAGS; i++)
		if (tags[i].tag == tag)
			return tags[i].name;
	return "?";
}

uint32_t
evidence_tag_by_name(const char *name)
{
	for (unsigned i = 0; i < NTAGS; i++)
		if (strcasecmp(name, tags[i].name) == 0)
			return tags[i].tag;
	return 0;
}

void
finding_init(struct finding *f, enum finding_id id, const struct obs *o)
{
	memset(f, 0, offsetof(struct finding, evidence));
	memset(&f->advice, 0, sizeof(*f) - offsetof(struct finding, advice));
	f->id = (uint16_t)id;
	f->vis = o->vis;
	f->flow = o->flow;
	f->time = o->time;
	f->pkt = o->pkt;
}

void
finding_copy(struct finding *to, const struct finding *f)
{
	size_t tail = offsetof(struct finding, advice);

	memcpy(to, f, offsetof(struct finding, evidence));
	memcpy(
	    to->evidence, f->evidence, f->nevidence * sizeof(f->evidence[0]));
	memcpy(&to->advice, &f->advice, sizeof(*to) - tail);
}

static uint8_t
clamp_confidence(int v)
{
	return (uint8_t)(v < 0 ? 0 : v > 100 ? 100 : v);
}

void
finding_add(struct finding *f, int weight, const char *fmt, ...)
{
	struct evidence *e;
	va_list ap;

	f->confidence = clamp_confidence(f->confidence + weight);
	if (f->nevidence == FINDING_EVIDENCE_MAX)
		return;
	e = &f->evidence[f->nevidence++];
	e->weight = (int16_t)weight;
	va_start(ap, fmt);
	(void)format_text_list(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
}

const char *
finding_best_evidence(const struct finding *f)
{
	const struct evidence *best = NULL;

	for (unsigned i = 0; i < f->nevidence; i++)
		if (f->evidence[i].text[0] != '\0' &&
		    (best == NULL || f->evidence[i].weight > best->weight))
			best = &f->evidence[i];
	return best != NULL ? best->text : "";
}
