/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to the mail decoders: the state of one flow, and what smtp.c, imap.c,
 * pop3.c and sieve.c share. Everybody else uses mail.h.
 *
 * mail.c cuts bytes into lines, bodies, counted runs and TLS records and hands
 * lines to the protocol (struct mail_ops). mail_detect.c finds the protocol,
 * mail_starttls.c follows the change to TLS, mail_use.c makes the
 * observations that all protocols have, mail_part.c borrows what is needed for
 * a while only.
 */
#ifndef STRIPWIRE_MAIL_CORE_H
#define STRIPWIRE_MAIL_CORE_H

#include "decoders/body.h"
#include "decoders/line.h"
#include "decoders/mail.h"
#include "decoders/queue.h"
#include "decoders/sasl.h"
#include "decoders/tls_record.h"

#define MAIL_HELD 6 /* bytes that may turn out to be a TLS record */
#define MAIL_INJECT_TEXT 120
#define MAIL_LINE_C2S \
	512 /* RFC 5321 4.5.3.1.4; of AUTH the beginning is enough */
#define MAIL_LINE_S2C LINE_KEEP
#define MAIL_NAME_SHORT 48 /* longer names are rare */
#define MAIL_CLEAR_MAX 4 /* observations of clear use, each kind, each arming */

enum half_mode {
	HALF_LINE = 0,
	HALF_DOT, /* body up to the dot */
	HALF_COUNT, /* `count` bytes to skip */
	HALF_KEEP, /* `count` bytes to keep in the line buffer */
	HALF_TLS,
	HALF_OFF /* nothing is wanted any more */
};

struct half { /* one direction */
	uint8_t mode; /* enum half_mode */
	uint8_t is_body; /* HALF_COUNT: the bytes are a message */
	uint8_t is_public; /* the bytes last delivered hold no secret */
	uint8_t spoke; /* a line or record went by */
	uint8_t torn; /* behind a hole, and nothing makes sense yet */
	uint8_t nheld;
	uint8_t held[MAIL_HELD];
	uint16_t strange; /* lines seen while the protocol is unknown */
	struct line_buf line;
	uint64_t count;
	struct body body;
};

/* Text that went by between asking for TLS and the first record (B1, B2). */
struct inject {
	uint32_t bytes, eager; /* eager: of a TLS record before the answer */
	uint8_t before_answer, unasked;
	uint8_t lines;
	char text[MAIL_INJECT_TEXT]; /* printable, masked */
	struct pkt_ref pkt; /* packet of its first byte */
};

/* A command whose use in clear is to be reported when it is answered. */
struct clear_use {
	uint8_t pending; /* no answer yet; it is in PART_CLEAR_USE */
	uint8_t is_login; /* else it is MAIL */
	uint8_t said[2]; /* by is_login: observations since last armed */
	uint8_t accepted[2]; /* one of them was accepted */
	uint8_t ever[2];
};

struct clear_text {
	char verb[OBS_VERB_MAX];
	char text[128]; /* printable, masked */
	struct pkt_ref pkt;
};

/* A reply seen before its command (the tap shows directions with a skew). */
struct owed {
	uint8_t positive, has_list;
	uint16_t code;
	char text[128];
};

struct smtp_state {
	uint8_t in_reply; /* a reply in several lines is under way */
	uint8_t in_list; /* it is a list of capabilities */
	uint8_t provisional, ehlo_seen, lmtp, rcpt_ok;
	uint8_t in_bdat, bdat_last;
	uint8_t anonymous_tls; /* X-ANONYMOUSTLS was asked for */
	uint16_t greet_code;
};

struct pop3_state {
	uint8_t in_list; /* the lines of CAPA are under way */
	uint8_t bare_lf; /* how the reply before a body ended */
};

struct sieve_state {
	uint8_t in_list; /* the lines of a list are under way */
	uint8_t cont[2]; /* by enum dir: the line goes on behind a literal */
	uint8_t keep; /* the client's literal is a response */
	uint8_t codes_said;
	uint8_t status; /* of a reply that ends behind a literal; its line,
			   printable, is in PART_STATUS */
};

#define SIEVE_STATUS_TEXT 128
#define IMAP_TAGS 24

struct imap_tag {
	uint32_t id; /* keyed hash of the tag; 0 free */
	uint8_t verb; /* enum imap_verb */
	uint8_t mark; /* its reply settles m->clear or m->unknown_verb */
};

struct imap_state {
	uint16_t ntags; /* of those in PART_TAGS, in use */
	uint16_t overflow; /* commands whose tag found no place */
	uint8_t maybe_authed; /* something may have been missed */
	uint8_t early_said, codes_said;
	uint8_t listed; /* a list came since CAPABILITY was asked for */
	uint8_t cont[2]; /* by enum dir: the line goes on behind a literal */
	uint8_t arg; /* LOGIN: arguments complete */
	uint8_t verb; /* of the command under way, enum imap_verb */
	uint32_t id; /* its tag */
	uint32_t wait_id; /* the client waits with a literal for "+" */
	uint32_t stray_id; /* tagged reply to a tag not seen so far */
	uint8_t stray_settled; /* it was reported */
};

struct stray { /* while imap_state.stray_id is set */
	char text[128];
	struct pkt_ref pkt;
};

struct proxied {
	struct obs_proxy head; /* version 0: nothing to tell */
	struct pkt_ref pkt;
};

struct greet {
	char host[OBS_NAME_MAX];
	char text[OBS_TEXT_MAX];
	struct pkt_ref pkt;
};

/* A list as far as it was read; obs_caps without what comes from elsewhere. */
struct caps_acc {
	uint8_t source, refused, starttls, logindisabled;
	uint16_t code, nwords, nlines;
	uint16_t used; /* of words */
	uint32_t mechs;
	char words[OBS_WORDS_MAX];
};

/* The others are held where they are used: struct queue, struct line_buf. */
#define PARTS_HELD PART_QUEUE
#define PARTS_ELSEWHERE (~0u << PARTS_HELD) /* in mail.borrowed */

/* In the order of how often it is needed. */
struct mail {
	struct mail_env *env;
	uint64_t flow;
	int64_t time; /* latest */
	const struct pkt_ref *pkt; /* of the bytes being fed, else NULL */
	uint32_t vis;
	uint16_t client_port, server_port;
	uint8_t proto; /* enum proto */
	uint8_t phase; /* enum phase */
	bool implicit_tls, quit;
	bool starved; /* there was nothing to borrow: it ends */
	uint8_t greeted; /* or the greeting went by unseen */
	uint8_t authed, ended;
	uint8_t tls_up; /* a record was seen: tls is in use */
	uint8_t asked_again; /* STARTTLS sent ahead of the answer to one */
	uint8_t tls_plain; /* plaintext was answered after the go-ahead */
	uint8_t skewed; /* replies came before their commands */
	uint8_t list_loss; /* the list under way is not whole */
	uint8_t contents_said; /* 1 << enum body_protected */
	uint8_t demanded; /* OBS_TLS_DEMANDED made so far */
	uint8_t unknowns; /* OBS_VERB_UNKNOWN made so far */
	uint8_t unknown_masked; /* unknown_verb is not as it was sent */
	uint8_t proxy; /* enum proxy_step, mail_proxy.c */
	uint8_t oddities; /* enum oddity, so far */
	uint16_t borrowed; /* 1 << enum mail_part */
	uint16_t proxy_left; /* bytes behind the addresses */
	struct clear_use clear;
	struct half half[2];
	struct queue queue; /* not of IMAP, which has tags */
	union {
		struct smtp_state smtp;
		struct imap_state imap;
		struct pop3_state pop3;
		struct sieve_state sieve;
	} u;
	struct pkt_ref last_pkt;
	void *part[PARTS_HELD]; /* by enum mail_part; NULL: not borrowed */
	char unknown_verb[OBS_VERB_MAX]; /* a verb nobody has, unanswered */
};

struct mail_ops {
	void (*start)(struct mail *m);
	void (*line)(struct mail *m, enum dir dir, const struct line *l);
	/* a dotted body ended, a counted run was skipped or kept */
	void (*run_end)(struct mail *m, enum dir dir);
	void (*gap)(struct mail *m, enum dir dir);
	/* does it begin like a line of the protocol, not like the rest of one? */
	bool (*is_whole)(enum dir dir, struct slice line);
	void (*flush)(struct mail *m); /* the dialogue is over, or TLS begins */
	/* what may be shown of a client's line, complete or not */
	void (*show)(char *buf, size_t cap, struct slice line);
	/* may the beginning of a line be shown? */
	bool (*partial_is_public)(enum dir dir, struct slice partial);
};

extern const struct mail_ops smtp_ops, imap_ops, pop3_ops, sieve_ops;

/* ---- mail.c ---- */

/* Fills the header and hands it to the sink. o->time and o->pkt are the
 * current ones where they are not set. */
void mail_emit(struct mail *m, struct obs *o, enum dir dir);
/* Makes both directions opaque. */
void mail_stop(struct mail *m, enum phase phase);
void mail_body_begin(struct mail *m, enum dir dir, bool bare_lf);
void mail_count_begin(struct mail *m, enum dir dir, uint64_t n, bool is_body);
void mail_keep_begin(struct mail *m, enum dir dir, uint64_t n);
/* Leaves a body or run that turned out to be none. */
void mail_run_abort(struct mail *m, enum dir dir);
void mail_set_secret(struct mail *m, enum dir dir); /* not public */
const struct pkt_ref *mail_now(const struct mail *m);
bool mail_is_whole(const struct mail *m); /* nothing missing so far */

/* ---- mail_part.c ---- */

void *mail_part_borrow(struct mail *m, enum mail_part part);
void mail_part_return(struct mail *m, enum mail_part part);

/* Needs less of the decoder's memory than to look at the pointer. */
static inline bool
mail_has_part(const struct mail *m, enum mail_part part)
{
	return (m->borrowed & 1u << part) != 0;
}

/* Borrowed if it is not yet; then it is cleared. */
static inline void *
mail_part(struct mail *m, enum mail_part part)
{
	return mail_has_part(m, part) ? m->part[part]
				      : mail_part_borrow(m, part);
}

static inline void
mail_part_end(struct mail *m, enum mail_part part)
{
	if (mail_has_part(m, part))
		mail_part_return(m, part);
}

/* Before bytes of a line are kept. */
void mail_line_room(struct mail *m, enum dir dir);
bool mail_queue_push(struct mail *m, uint8_t verb, uint8_t mark, bool in_step);
void mail_parts_look(struct mail *m);

/* Gives back what holds nothing. */
static inline void
mail_parts_idle(struct mail *m)
{
	if ((m->borrowed & PARTS_ELSEWHERE) != 0)
		mail_parts_look(m);
}

void mail_parts_end(struct mail *m);

/* ---- mail_line.c ---- */

/* A line, before it is read: makes the observations that are wanted. */
void mail_tell_line(struct mail *m, enum dir dir, const struct line *l);

/* ---- mail_detect.c ---- */

/* NULL: none of ours. */
const struct mail_ops *mail_ops_of(enum proto proto);
enum proto mail_port_proto(uint16_t port); /* PROTO_UNKNOWN: not a mail port */
bool mail_port_is_tls(uint16_t port);
/* A line while the protocol is unknown; returns it once it is known. */
enum proto mail_detect(struct mail *m, enum dir dir, const struct line *l);

/* ---- mail_proxy.c ---- */

/* A line while the protocol is unknown: is it of a PROXY header? */
bool proxy_line(struct mail *m, const struct line *l);
bool proxy_is_under_way(const struct mail *m);
void proxy_run_end(struct mail *m); /* of what is kept, or passed by */
void proxy_emit(struct mail *m); /* what it said, if there was one */

/* ---- mail_starttls.c ---- */

void starttls_asked(struct mail *m, const char *verb, const char *text);
void starttls_answered(struct mail *m, enum answer_kind kind, uint16_t code,
    const char *verb, struct slice text);
/* Is there text of dir that will be told? Then each line is due. */
static inline bool
starttls_has_text(const struct mail *m, enum dir dir)
{
	const struct inject *both;

	if (!mail_has_part(m, PART_INJECT))
		return false;
	both = m->part[PART_INJECT];
	return both[dir].bytes > 0;
}

/* n bytes of text are about to be read: are they between asking and records? */
void starttls_count(struct mail *m, enum dir dir, size_t n);
/* A line of them is complete. */
void starttls_line(struct mail *m, enum dir dir, const char *printable);
void starttls_unasked(struct mail *m); /* the server spoke, nobody asked */
void starttls_record(struct mail *m, enum dir dir); /* first record */
void starttls_end(struct mail *m, enum dir dir); /* none will come */
/* May records begin anywhere? */
static inline bool
starttls_watches(const struct mail *m, enum dir dir)
{
	if (m->half[dir].line.lost || m->half[dir].torn)
		return true;
	if (m->half[dir].mode == HALF_TLS || m->tls_plain)
		return false;
	return m->phase == PHASE_TLS_ASKED || m->phase == PHASE_TLS_READY ||
	       m->phase == PHASE_TLS_HELLO;
}

/* ---- mail_use.c ---- */

void use_clear(
    struct mail *m, bool is_login, const char *verb, const char *text);
void use_clear_answered(struct mail *m, uint16_t code, bool ok);
void use_rearm(struct mail *m);
/* The exchange under way, or one of zeros. */
const struct sasl *mail_sasl(const struct mail *m);
/* AUTH or AUTHENTICATE: rest is what follows the verb, in l. */
void use_auth_begin(struct mail *m, struct slice rest, const struct line *l);
void use_auth_asked(struct mail *m); /* the server asks for a response */
/* A line of the client in the exchange. */
void use_auth_response(struct mail *m, const struct line *l);
/* The same where the mechanism has been taken apart already: a response, in
 * base64; total as sasl_response() has it. */
void use_auth_take(struct mail *m, struct slice text, uint64_t total);
/* The same of a command's line: rest is what follows the verb. */
void use_auth_show(char *buf, size_t cap, const char *verb, struct slice rest);
/* The outcome of the exchange under way, if there is one. */
void use_auth_answered(struct mail *m, bool ok, uint16_t code);
/* A reply that nothing seen so far asked for: its command may come yet. Where
 * a reply says only yes or no. */
void use_owed(struct mail *m, bool ok, struct slice line);
/* The same where no outcome was seen. shown: the command, or NULL for what may
 * be shown of the exchange. */
void use_auth_lost(struct mail *m, const char *shown);
/* Bytes of dir are missing, and the list under way has been ended: what waited
 * for its reply will not be known. Where replies come in the order of
 * commands. */
void use_gap(struct mail *m, enum dir dir);
void use_quit(struct mail *m, const char *verb, struct slice text);
void use_demanded(
    struct mail *m, const char *verb, uint16_t code, struct slice text);
bool use_text_demands_tls(struct slice text);
void use_verb_unknown(struct mail *m, uint16_t code, struct slice text);
/* A verb nobody has: remembers it, masked if it might be something else. False
 * if another waits for its reply already. */
bool use_unknown(struct mail *m, struct slice verb);
/* The reply to it. */
void use_unknown_answered(struct mail *m, bool ok, struct slice text);
void use_content(struct mail *m, enum dir dir, const struct body *b);
void use_verb_obs(struct mail *m, enum obs_kind kind, enum dir dir,
    const char *verb, struct slice text);

struct greeting {
	enum greeting_kind kind;
	uint16_t code;
	bool has_caps;
	struct slice host, text;
	const struct pkt_ref *pkt; /* NULL: of the bytes being fed */
};
void use_greeting(struct mail *m, const struct greeting *g);
/* Text that looks like a host name, or an empty slice. */
struct slice use_host_word(struct slice text);

/* All of a command that holds no secret, unless it runs on behind a CR. */
void use_show_open(char *buf, size_t cap, struct slice line);
/* letters to x, digits to 0 */
void use_mask_class(char *buf, size_t cap, struct slice s);

/* ---- mail_caps.c ---- */

/* The list under way, or one of zeros, borrowed for the purpose. */
struct caps_acc *caps_acc(struct mail *m);
/* Of it; 0: there is none. */
enum caps_source caps_source(const struct mail *m);
/* The argument of EHLO or HELO, which goes with the lists to come. */
void caps_set_name(struct mail *m, struct slice name);
void caps_begin(struct mail *m, enum caps_source source);
void caps_line(struct mail *m, struct slice line, bool overlong);
/* A line in the middle of a list whose reply code is spoilt: no offer, whatever
 * it says. */
void caps_spoilt(struct mail *m, const struct line *l);
/* IMAP: words between blanks, each a capability. */
void caps_words(struct mail *m, struct slice words);
void caps_emit(struct mail *m, struct slice text);
/* A list that was under way when the flow ended. */
void caps_flush(struct mail *m);
void caps_refused(
    struct mail *m, enum caps_source source, uint16_t code, struct slice text);

#endif
