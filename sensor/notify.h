/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What systemd wants to hear (sd_notify(3)): a datagram to the socket that
 * $NOTIFY_SOCKET names. Without one, nothing happens.
 */
#ifndef STRIPWIRE_NOTIFY_H
#define STRIPWIRE_NOTIFY_H

#include <stdint.h>

/* state: lines such as "READY=1". */
void notify_send(const char *state);
/* ms between signs of life that are asked for ($WATCHDOG_USEC); 0: none. */
int64_t notify_watchdog_ms(void);

#endif
