/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packets behind an alert, rebuilt as a capture that Wireshark opens:
 * nanosecond pcap, raw IP. They are not copies: headers are as recorded
 * (addresses, ports, numbers, flags, window, TTL, IP id), options are not
 * kept, checksums are computed, and the payload is the masked text of the
 * dialogue; what is not known of it is left out, as if by a snap length.
 */
#ifndef STRIPWIRE_EVIDENCE_PCAP_H
#define STRIPWIRE_EVIDENCE_PCAP_H

#include <stdio.h>

#include "rules/alert.h"

/* Writes to out. Returns how many packets, or -1 if writing failed (errno). */
int evidence_pcap_write(FILE *out, const struct alert *a)
    __attribute__((warn_unused_result));

#endif
