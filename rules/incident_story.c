/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One table gives each finding its part in a story; all else follows from
 * what an incident has counted. Where interference sits is an inference from
 * whom it met and whom not: what meets all clients of a server, from several
 * networks, is near the server (a firewall that masks STARTTLS is); what meets
 * one client while others have TLS at the same server, or one client at
 * several servers, is near that client. With nobody to compare, nothing is
 * claimed.
 */
#include "rules/incident.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decoders/format.h"

struct part {
	uint8_t story, stage;
};

#define INTERFERED(story)                       \
	{                                       \
		STORY_##story, STAGE_INTERFERED \
	}
#define FACT(story)              \
	{                        \
		STORY_##story, 0 \
	}

static const struct part parts[FIND_COUNT] = {
    [FIND_STARTTLS_STRIPPED] = INTERFERED(STRIPPED),
    [FIND_STARTTLS_MANGLED] = INTERFERED(STRIPPED),
    [FIND_STARTTLS_REFUSED] = INTERFERED(STRIPPED),
    [FIND_STARTTLS_IGNORED] = INTERFERED(STRIPPED),
    [FIND_STARTTLS_COMMAND_INJECTION] = INTERFERED(INJECTED),
    [FIND_STARTTLS_RESPONSE_INJECTION] = INTERFERED(INJECTED),
    [FIND_TLS_ABORTED_AFTER_STARTTLS] = INTERFERED(BROKEN),
    [FIND_PLAINTEXT_FALLBACK] = {STORY_BROKEN, STAGE_UNPROTECTED},
    [FIND_EHLO_REFUSED] = INTERFERED(STRIPPED),
    [FIND_CAPABILITY_REFUSED] = INTERFERED(STRIPPED),
    [FIND_PROTOCOL_DOWNGRADE] = INTERFERED(STRIPPED),
    [FIND_AUTH_DOWNGRADE] = INTERFERED(STRIPPED),
    [FIND_IMAP_PREAUTH] = INTERFERED(INJECTED),
    [FIND_IMAP_DATA_BEFORE_AUTH] = INTERFERED(INJECTED),
    [FIND_IMAP_UNSOLICITED_REPLY] = INTERFERED(INJECTED),
    [FIND_IMAP_REFERRAL] = INTERFERED(INJECTED),
    [FIND_IMAP_ALERT_IN_CLEAR] = FACT(CLEAR),
    [FIND_RST_INJECTED] = INTERFERED(BROKEN),
    [FIND_FIN_INJECTED] = INTERFERED(BROKEN),
    [FIND_TCP_CONTENT_CONFLICT] = INTERFERED(INJECTED),
    [FIND_HANDSHAKE_HIJACK] = INTERFERED(INJECTED),
    [FIND_CERT_SELF_SIGNED] = FACT(FAULT),
    [FIND_CERT_CHANGED] = INTERFERED(INTERCEPTED),
    [FIND_CERT_NAME_MISMATCH] = FACT(FAULT),
    [FIND_CERT_EXPIRED] = FACT(FAULT),
    [FIND_CERT_NOT_YET_VALID] = FACT(FAULT),
    [FIND_CERT_INCOMPLETE_CHAIN] = FACT(FAULT),
    [FIND_CERT_UNTRUSTED] = FACT(FAULT),
    [FIND_CERT_WEAK_KEY] = FACT(FAULT),
    [FIND_CERT_WEAK_SIGNATURE] = FACT(FAULT),
    [FIND_CERT_BAD_USAGE] = FACT(FAULT),
    [FIND_CERT_INTERCEPTOR] = INTERFERED(INTERCEPTED),
    [FIND_CERT_REVOKED] = FACT(FAULT),
    [FIND_CERT_BAD_ACCEPTED] = {STORY_FAULT, STAGE_UNPROTECTED},
    [FIND_CERT_REJECTED_BY_CLIENT] = FACT(FAULT),
    [FIND_TLS_OLD_VERSION] = FACT(FAULT),
    [FIND_TLS_WEAK_CIPHER] = FACT(FAULT),
    [FIND_TLS_DOWNGRADE] = INTERFERED(INTERCEPTED),
    [FIND_TLS_FINGERPRINT_CHANGED] = INTERFERED(INTERCEPTED),
    [FIND_PLAINTEXT_CREDENTIALS] = {STORY_CLEAR, STAGE_EXPOSED},
    [FIND_CHALLENGE_RESPONSE_IN_CLEAR] = {STORY_CLEAR, STAGE_EXPOSED},
    [FIND_PLAINTEXT_MAIL] = {STORY_CLEAR, STAGE_EXPOSED},
    [FIND_TLS_PORT_MISMATCH] = FACT(CLEAR),
};

static const char *const story_names[STORY_COUNT] = {
    [STORY_NONE] = "none",
    [STORY_FAULT] = "server-fault",
    [STORY_CLEAR] = "in-clear",
    [STORY_BROKEN] = "broken-handshake",
    [STORY_STRIPPED] = "stripping",
    [STORY_INTERCEPTED] = "interception",
    [STORY_INJECTED] = "injection",
};

/* A certificate that is bad where a good one was known is no fault of the
 * server's keeper until that is shown. */
enum incident_story
story_of(const struct finding *f)
{
	if (f->id >= FIND_COUNT)
		return STORY_NONE;
	if ((f->tags & EVT_WAS_TRUSTED) != 0 &&
	    parts[f->id].story == STORY_FAULT)
		return STORY_INTERCEPTED;
	return (enum incident_story)parts[f->id].story;
}

uint8_t
story_stage(const struct finding *f)
{
	if (f->id >= FIND_COUNT)
		return 0;
	if ((f->tags & EVT_WAS_TRUSTED) != 0 &&
	    parts[f->id].story == STORY_FAULT)
		return parts[f->id].stage | STAGE_INTERFERED;
	return parts[f->id].stage;
}

bool
story_is_interference(enum incident_story s)
{
	return s >= STORY_BROKEN;
}

const char *
story_name(enum incident_story s)
{
	return s < STORY_COUNT ? story_names[s] : story_names[STORY_NONE];
}

enum incident_story
story_by_name(const char *name)
{
	for (unsigned i = 0; i < STORY_COUNT; i++)
		if (strcmp(name, story_names[i]) == 0)
			return (enum incident_story)i;
	return STORY_NONE;
}

uint8_t
stages_severity(uint8_t stages)
{
	if ((stages & STAGE_INTERFERED) == 0)
		return SEV_INFO;
	if ((stages & STAGE_EXPOSED) != 0)
		return SEV_CRITICAL;
	return (stages & STAGE_UNPROTECTED) != 0 ? SEV_HIGH : SEV_INFO;
}

const char *
stages_text(char *buf, size_t cap, uint8_t stages)
{
	snprintf(buf, cap, "%s%s%s",
	    (stages & STAGE_INTERFERED) != 0 ? ",interfered" : "",
	    (stages & STAGE_UNPROTECTED) != 0 ? ",unprotected" : "",
	    (stages & STAGE_EXPOSED) != 0 ? ",exposed" : "");
	if (buf[0] == ',')
		memmove(buf, buf + 1, strlen(buf));
	return buf;
}

/* ---- where ---- */

enum incident_place
incident_place(const struct incident *i)
{
	if (!story_is_interference((enum incident_story)i->story))
		return PLACE_NONE;
	if (i->nclients <= 1)
		return i->nfine != 0 || i->nsites > 1 ? PLACE_CLIENT
						      : PLACE_UNKNOWN;
	if (i->nnetworks <= 1)
		return i->nfine != 0 || i->nsites > 1 ? PLACE_NETWORK
						      : PLACE_UNKNOWN;
	return i->nfine == 0 ? PLACE_SERVER : PLACE_MIXED;
}

/* ---- sentences ---- */

static void say(char buf[STORY_TEXT_MAX], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends. */
static void
say(char buf[STORY_TEXT_MAX], const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	format_text_list(buf + n, STORY_TEXT_MAX - n, fmt, ap);
	va_end(ap);
}

/* "3", or where no more could be told apart "64 or more" */
static const char *
many(char buf[24], const struct incident *i, uint32_t n, uint8_t more)
{
	snprintf(buf, 24, "%u%s", n, (i->more & more) != 0 ? " or more" : "");
	return buf;
}

static bool
has(const struct incident *i, enum finding_id id)
{
	return i->count[id].alerts != 0;
}

/* As firewalls do that inspect mail. */
static bool
is_overwritten(const struct incident *i)
{
	return has(i, FIND_STARTTLS_MANGLED) &&
	       i->count[FIND_STARTTLS_MANGLED].alerts >=
		   i->count[FIND_STARTTLS_STRIPPED].alerts;
}

static const char *
title_of_stripping(const struct incident *i)
{
	if (is_overwritten(i))
		return "STARTTLS overwritten in the server's list";
	if (has(i, FIND_STARTTLS_STRIPPED) || has(i, FIND_STARTTLS_MANGLED) ||
	    has(i, FIND_STARTTLS_IGNORED))
		return "STARTTLS taken away";
	if (has(i, FIND_STARTTLS_REFUSED))
		return "STARTTLS refused";
	if (has(i, FIND_EHLO_REFUSED) || has(i, FIND_CAPABILITY_REFUSED) ||
	    has(i, FIND_PROTOCOL_DOWNGRADE))
		return "the list of capabilities withheld";
	return "authentication reduced to what can be read";
}

static const char *
title_of_interception(const struct incident *i)
{
	if (has(i, FIND_CERT_INTERCEPTOR))
		return "an intercepting product's certificate";
	if (has(i, FIND_CERT_CHANGED) || has(i, FIND_CERT_SELF_SIGNED) ||
	    has(i, FIND_CERT_UNTRUSTED) || has(i, FIND_CERT_NAME_MISMATCH))
		return "another certificate than the server's";
	if (has(i, FIND_TLS_DOWNGRADE))
		return "TLS forced to an older version";
	return "TLS is not as it was";
}

static const char *
title_of_story(const struct incident *i)
{
	switch ((enum incident_story)i->story) {
	case STORY_BROKEN:
		if (has(i, FIND_RST_INJECTED) || has(i, FIND_FIN_INJECTED))
			return "connections broken off in another's name";
		return "TLS handshakes that come to nothing";
	case STORY_STRIPPED:
		return title_of_stripping(i);
	case STORY_INTERCEPTED:
		return title_of_interception(i);
	case STORY_INJECTED:
		return "text of somebody else in the dialogue";
	case STORY_CLEAR:
		return has(i, FIND_PLAINTEXT_CREDENTIALS) ||
			       has(i, FIND_CHALLENGE_RESPONSE_IN_CLEAR)
			   ? "passwords in clear"
			   : "mail in clear";
	default:
		return "certificate or TLS of a server at fault";
	}
}

const char *
incident_title(char buf[STORY_TEXT_MAX], const struct incident *i)
{
	char n[24];

	buf[0] = '\0';
	say(buf, "%s", title_of_story(i));
	if (!story_is_interference((enum incident_story)i->story)) {
		if (i->nusers > 1)
			say(buf, ", of %s users",
			    many(n, i, i->nusers, MORE_USERS));
		return buf;
	}
	if (has(i, FIND_PLAINTEXT_CREDENTIALS) ||
	    has(i, FIND_CHALLENGE_RESPONSE_IN_CLEAR)) {
		if (i->nusers > 1)
			say(buf, ", passwords of %s users exposed",
			    many(n, i, i->nusers, MORE_USERS));
		else
			say(buf, ", password exposed");
	} else if ((i->stages & STAGE_EXPOSED) != 0) {
		say(buf, ", mail exposed");
	} else if ((i->stages & STAGE_UNPROTECTED) != 0) {
		say(buf, ", the client went on all the same");
	}
	return buf;
}

static void
say_fine(char buf[STORY_TEXT_MAX], const struct incident *i)
{
	char n[24];

	if (i->nfine != 0)
		say(buf, "; %s other client%s of the server had TLS meanwhile",
		    many(n, i, i->nfine, MORE_FINE), i->nfine == 1 ? "" : "s");
}

const char *
incident_where(char buf[STORY_TEXT_MAX], const struct incident *i)
{
	char n[24], networks[24];

	buf[0] = '\0';
	switch ((enum incident_place)i->place) {
	case PLACE_NONE:
		say(buf, "at the server or its clients: their settings");
		break;
	case PLACE_UNKNOWN:
		say(buf,
		    "on the path between the two%s; nobody else came to "
		    "compare with",
		    i->nclients > 1 ? ", all clients being of one network"
				    : "");
		break;
	case PLACE_CLIENT:
		say(buf, "near the client");
		if (i->nsites > 1)
			say(buf, ": it was met at %u servers", i->nsites);
		say_fine(buf, i);
		break;
	case PLACE_NETWORK:
		say(buf, "near the clients: all %s are of one network",
		    many(n, i, i->nclients, MORE_CLIENTS));
		say_fine(buf, i);
		break;
	case PLACE_SERVER:
		say(buf,
		    "near the server, or the server itself: all %s clients "
		    "that came were met, from %s networks",
		    many(n, i, i->nclients, MORE_CLIENTS),
		    many(networks, i, i->nnetworks, MORE_NETWORKS));
		break;
	case PLACE_MIXED:
		say(buf,
		    "on the path of some clients: %s of several networks were "
		    "met",
		    many(n, i, i->nclients, MORE_CLIENTS));
		say_fine(buf, i);
		break;
	}
	if (is_overwritten(i))
		say(buf,
		    ". Firewalls that inspect mail overwrite STARTTLS in this "
		    "way; they stand near the server as a rule");
	return buf;
}

static void
advise_path(char buf[STORY_TEXT_MAX], const struct incident *i)
{
	switch ((enum incident_place)i->place) {
	case PLACE_CLIENT:
	case PLACE_NETWORK:
		say(buf,
		    "Look at the network of the client: gateway, Wi-Fi, ARP, "
		    "security products on the host. ");
		break;
	case PLACE_SERVER:
		say(buf,
		    "Look at what stands in front of the server (firewall, "
		    "mail inspection, load balancer), and ask the server "
		    "itself from inside. ");
		break;
	default:
		say(buf,
		    "Look at the switches and hosts between the two; ask the "
		    "server from another network to compare. ");
	}
	say(buf,
	    "Require TLS on the client (MTA-STS, DANE or a policy map; in mail "
	    "programs: TLS required).");
}

const char *
incident_advice(char buf[STORY_TEXT_MAX], const struct incident *i)
{
	buf[0] = '\0';
	if ((i->stages & STAGE_EXPOSED) != 0 &&
	    (has(i, FIND_PLAINTEXT_CREDENTIALS) ||
		has(i, FIND_CHALLENGE_RESPONSE_IN_CLEAR)))
		say(buf, "Change the password%s that could be read. ",
		    i->nusers > 1 ? "s" : "");
	switch ((enum incident_story)i->story) {
	case STORY_CLEAR:
		say(buf, "Let the server refuse logins without TLS, and mail "
			 "programs require it.");
		break;
	case STORY_INTERCEPTED:
		say(buf,
		    "Compare the key with the one on the server itself; until "
		    "that is explained, send no credentials there. ");
		advise_path(buf, i);
		break;
	case STORY_FAULT:
		say(buf,
		    "Mend certificate and settings on the server; the alerts "
		    "say what is wrong.");
		break;
	default:
		advise_path(buf, i);
	}
	return buf;
}

const char *
incident_sentence(char *buf, size_t cap, const struct alert *a)
{
	const char *why = finding_best_evidence(&a->finding);
	int n;

	if (a->finding.id == FIND_PLAINTEXT_CREDENTIALS ||
	    a->finding.id == FIND_CHALLENGE_RESPONSE_IN_CLEAR)
		n = format_text(buf, cap, "%s", why);
	else
		n = format_text(buf, cap, "%s: %s", a->msg, why);
	if (n >= (int)cap && cap > 4)
		memcpy(buf + cap - 4, "...", 4);
	return buf;
}
