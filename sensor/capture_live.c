/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libpcap's ring of the kernel (TPACKET_V3): a block is handed over when it is
 * full or LIVE_BLOCK_MS old, which is the time that an alert waits at most for its
 * packet.
 *
 * Between opening and joining the group a socket gets everything; what is
 * older than the joining is not ours and passed over.
 */
#include "sensor/capture_live.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sensor/fanout.h"

struct live {
	pcap_t *pcap;
	int linktype;
	int64_t since; /* packets before are another's */
	bool nano;
	uint64_t buffer;
	void (*fn)(void *ctx, struct packet *pkt); /* during live_read() */
	void *ctx;
};

static int
say(char *err, size_t errlen, const struct live_config *cfg, const char *what)
{
	(void)snprintf(err, errlen, "%s: %s", cfg->interface, what);
	return -1;
}

static int
set_timestamps(pcap_t *p, const struct live_config *cfg, char *err, size_t n)
{
	int type;

	if (cfg->timestamps[0] == '\0')
		return 0;
	type = pcap_tstamp_type_name_to_val(cfg->timestamps);
	if (type == PCAP_ERROR)
		return say(err, n, cfg,
		    "no such kind of timestamps (host, "
		    "adapter, ...; see pcap-tstamp(7))");
	if (pcap_set_tstamp_type(p, type) != 0)
		return say(err, n, cfg,
		    "it cannot make that kind of "
		    "timestamps; leave it unset");
	return 0;
}

/* pcap_activate()'s errors in words of what to do. */
static int
activate(pcap_t *p, const struct live_config *cfg, char *err, size_t n)
{
	char why[PCAP_ERRBUF_SIZE + 80];
	int status = pcap_activate(p);

	if (status > 0) { /* it works, but */
		(void)snprintf(why, sizeof(why), "%s",
		    status == PCAP_WARNING ? pcap_geterr(p)
					   : pcap_statustostr(status));
		(void)say(err, n, cfg, why);
	}
	if (status >= 0)
		return 0;
	if (status == PCAP_ERROR_PERM_DENIED)
		return say(err, n, cfg,
		    "no permission to capture: run it as "
		    "root or with CAP_NET_RAW");
	if (status == PCAP_ERROR_NO_SUCH_DEVICE)
		return say(err, n, cfg, "there is no such interface");
	if (status == PCAP_ERROR_IFACE_NOT_UP)
		return say(err, n, cfg,
		    "the interface is down: ip link set "
		    "... up");
	(void)snprintf(why, sizeof(why), "%s",
	    status == PCAP_ERROR ? pcap_geterr(p) : pcap_statustostr(status));
	return say(err, n, cfg, why);
}

static int
set_filter(pcap_t *p, const struct live_config *cfg, char *err, size_t n)
{
	struct bpf_program prog;
	char why[PCAP_ERRBUF_SIZE + 80];
	int status;

	if (cfg->filter[0] == '\0')
		return 0;
	status = pcap_compile(p, &prog, cfg->filter, 1, PCAP_NETMASK_UNKNOWN);
	if (status == 0) {
		status = pcap_setfilter(p, &prog);
		pcap_freecode(&prog);
	}
	if (status == 0)
		return 0;
	(void)snprintf(why, sizeof(why), "filter \"%.60s\": %s", cfg->filter,
	    pcap_geterr(p));
	return say(err, n, cfg, why);
}

static int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
prepare(struct live *l, const struct live_config *cfg, char *err, size_t n)
{
	pcap_t *p = l->pcap;
	char why[PCAP_ERRBUF_SIZE];

	(void)pcap_set_snaplen(p, (int)cfg->snaplen);
	(void)pcap_set_promisc(p, cfg->promiscuous);
	(void)pcap_set_timeout(p, LIVE_BLOCK_MS);
	(void)pcap_set_buffer_size(p, (int)cfg->buffer);
	l->buffer = cfg->buffer;
	l->nano = pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO) == 0;
	if (set_timestamps(p, cfg, err, n) == -1 ||
	    activate(p, cfg, err, n) == -1 || set_filter(p, cfg, err, n) == -1)
		return -1;
	l->linktype = pcap_datalink(p);
	if (pcap_setnonblock(p, 1, why) == -1)
		return say(err, n, cfg, why);
	if (cfg->workers < 2)
		return 0;
	if (fanout_join(pcap_fileno(p), cfg->group, cfg->workers) == -1) {
		(void)snprintf(why, sizeof(why),
		    "the kernel does not share packets among workers (%s): "
		    "run with one",
		    strerror(errno));
		return say(err, n, cfg, why);
	}
	l->since = clock_now();
	return 0;
}

struct live *
live_open(const struct live_config *cfg, char *err, size_t errlen)
{
	struct live *l = calloc(1, sizeof(*l));
	char why[PCAP_ERRBUF_SIZE];

	err[0] = '\0';
	if (l == NULL) {
		(void)say(err, errlen, cfg, "out of memory");
		return NULL;
	}
	l->pcap = pcap_create(cfg->interface, why);
	if (l->pcap == NULL)
		(void)say(err, errlen, cfg, why);
	if (l->pcap == NULL || prepare(l, cfg, err, errlen) == -1) {
		live_close(l);
		return NULL;
	}
	return l;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	if (l->pcap != NULL)
		pcap_close(l->pcap);
	free(l);
}

int
live_fd(const struct live *l)
{
	return pcap_get_selectable_fd(l->pcap);
}

uint64_t
live_buffer(const struct live *l)
{
	return l->buffer;
}

const char *
live_link_name(const struct live *l)
{
	return pcap_datalink_val_to_name(l->linktype);
}

static void
on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct live *l = (struct live *)user;
	struct packet pkt;

	memset(&pkt, 0, sizeof(pkt));
	pkt.time = (int64_t)h->ts.tv_sec * 1000000000 +
		   (int64_t)h->ts.tv_usec * (l->nano ? 1 : 1000);
	if (pkt.time < l->since)
		return;
	pkt.frame = frame;
	pkt.caplen = h->caplen;
	pkt.wirelen = h->len > h->caplen ? h->len : h->caplen;
	pkt.linktype = l->linktype;
	l->fn(l->ctx, &pkt);
}

int
live_read(struct live *l, int max, void (*fn)(void *ctx, struct packet *pkt),
    void *ctx, char *err, size_t errlen)
{
	int got;

	l->fn = fn;
	l->ctx = ctx;
	got = pcap_dispatch(l->pcap, max, on_frame, (u_char *)l);
	if (got >= 0)
		return got;
	(void)snprintf(err, errlen, "%s", pcap_geterr(l->pcap));
	return -1;
}

void
live_counters_add(struct live_counters *sum, const struct live_counters *more)
{
	sum->received += more->received;
	sum->dropped += more->dropped;
	sum->if_dropped += more->if_dropped;
}

bool
live_counters(struct live *l, struct live_counters *out)
{
	struct pcap_stat s;

	if (pcap_stats(l->pcap, &s) != 0)
		return false;
	/* libpcap's first counts the second in (pcap_stats(3)) */
	*out = (struct live_counters){
	    s.ps_recv - s.ps_drop, s.ps_drop, s.ps_ifdrop};
	return true;
}
