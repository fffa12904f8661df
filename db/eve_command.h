/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of IMAP and POP3 with their answers, shaped like Suricata's pop3. */
#ifndef STRIPWIRE_EVE_COMMAND_H
#define STRIPWIRE_EVE_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "rules/judge.h"

/* One of those that are told: see eve_event.h. */
bool eve_is_command(const struct judge_view *v);
/* {"request": {"command", "args"}, "response": {"success", "status", "data"}};
 * the response is left out where none was seen. */
json_t *eve_command(const struct judge_view *v);
/* Its object "stripwire". */
json_t *eve_command_own(const struct judge_view *v);

#endif
