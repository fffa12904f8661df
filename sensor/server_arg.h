/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server and what is pinned of it, as people type them:
 * "192.0.2.1:25", "[2001:db8::1]:993", "mx.example.org:25", "*.example.org:25";
 * "starttls=required", "tls-min=1.2" ...
 */
#ifndef STRIPWIRE_SERVER_ARG_H
#define STRIPWIRE_SERVER_ARG_H

#include "rules/pins.h"

/* Fills pin->key and pin->name. The protocol is that of the port; of another
 * port it stays unknown until "proto=" says it. -1 with a sentence. */
int server_arg_parse(struct pin *pin, const char *text, char *err,
    size_t errlen) __attribute__((warn_unused_result));

/* One "key=value". -1 with a sentence. */
int pin_arg_parse(struct pin *pin, const char *text, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* "mx.example.org:25", "[2001:db8::1]:25" */
#define SERVER_ARG_MAX (SERVER_NAME_MAX + 16)
char *server_arg_print(
    char buf[SERVER_ARG_MAX], const struct server_key *k, const char *name);

#endif
