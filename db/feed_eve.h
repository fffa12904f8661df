/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts as JSON lines in the form of Suricata's EVE, so that what reads EVE
 * reads Stripwire: the keys and their order are Suricata's, and what is ours
 * stands in the object "stripwire". Same alert, same bytes.
 *
 * Trouble with the output never stops detection: lines that cannot be written
 * are counted and dropped, it is said once, and writing goes on when there is
 * room again; a line is never left half written in a file of our own.
 */
#ifndef STRIPWIRE_FEED_EVE_H
#define STRIPWIRE_FEED_EVE_H

#include "rules/alert.h"
#include "rules/incident.h"

#define EVE_LINE_MAX 131072 /* any alert fits, with every byte escaped */
#define EVE_FLUSH_MS 1000 /* a file is at most this far behind */

struct eve;

/* path: a file, which is written anew, or "-" for standard output. host: the
 * sensor's name in each line, NULL for none. NULL with a sentence in err. The
 * caller ignores SIGPIPE. */
struct eve *eve_open(
    const char *path, const char *host, char *err, size_t errlen);

/* The same, behind what stands in the file already: a service. */
struct eve *eve_open_append(
    const char *path, const char *host, char *err, size_t errlen);

/* A line. Pipes and terminals get it at once, files within EVE_FLUSH_MS if
 * eve_poll() is called that often. pcap_file: NULL when live. */
void eve_alert(struct eve *e, const struct alert *a, const char *pcap_file);
/* An event of its own (event_type incident) when one opens, grows in severity
 * or ends. */
void eve_incident(
    struct eve *e, const struct incident *i, enum incident_event what);
/* Any other event: n bytes with their newline. */
void eve_line(struct eve *e, const char *line, size_t n);
void eve_poll(struct eve *e);
void eve_flush(struct eve *e);

/* A sentence when writing has begun to fail, once for each kind of trouble;
 * NULL when there is nothing new to say. */
const char *eve_problem(struct eve *e);

/* Writes what is pending and frees e. -1 with a sentence if lines were lost. */
int eve_close(struct eve *e, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* One alert as one line, with the newline, NUL-terminated. Returns its
 * length, 0 if it does not fit into cap or there is no memory. */
size_t eve_format(char *buf, size_t cap, const struct alert *a,
    const char *host, const char *pcap_file);

/* Likewise of an incident. */
size_t eve_format_incident(char *buf, size_t cap, const struct incident *i,
    enum incident_event what, const char *host);

#endif
