/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the configuration to what the pipeline takes.
 */
#include "sensor/setup.h"

#include <string.h>
#include <unistd.h>

#include "db/event.h"
#include "decoders/tls_hello.h"
#include "sensor/options.h"

/* What an empty text stands for. */
static const char *
or_null(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

static void
set_feeds(struct setup *o, const struct config *f)
{
	struct pipeline_config *p = &o->cfg;

	p->stream = 0;
	for (unsigned i = 0; i < f->nfeeds; i++) {
		o->feeds[i] =
		    (struct store_feed){f->feed[i]->name, f->feed[i]->events};
		p->stream |= f->feed[i]->events & ~((1u << EVENT_STORED) - 1);
	}
	p->feeds = o->feeds;
	p->nfeeds = f->nfeeds;
	p->keep_event_days = (unsigned)f->event_days;
	p->max_events = f->max_events;
}

/* From the configuration to the pipeline's. */
void
setup_from_config(struct setup *o, const struct config *f)
{
	struct pipeline_config *p = &o->cfg;

	p->rules_path = or_null(f->rules);
	p->thresholds_path = or_null(f->thresholds);
	p->classification_path = or_null(f->classification);
	p->interceptors_path = or_null(f->interceptors);
	p->db_path = f->database;
	p->eve_path = or_null(f->eve);
	p->eve_types = f->eve_types;
	p->host = or_null(f->sensor_name);
	if (p->host == NULL && gethostname(o->host, sizeof(o->host) - 1) == 0)
		p->host = o->host;
	p->trust = (const char *const *)f->trust;
	p->ntrust = f->ntrust;
	p->no_system_trust = !f->system_trust;
	p->resetters = f->resetters;
	o->tls = (struct tls_policy){
	    .min_version = (uint16_t)(TLS_10 + f->tls_min_version),
	    .min_dh_bits = (uint16_t)f->tls_min_dh_bits,
	    .min_curve_bits = (uint16_t)f->tls_min_curve_bits,
	    .accepted = f->tls_accept};
	p->tls = &o->tls;
	p->vars = f->vars;
	p->user_names = (enum names_mode)f->user_names;
	p->judged_flows = (uint32_t)f->judged_flows;
	p->servers = (uint32_t)f->history_servers;
	p->pairs = (uint32_t)f->history_pairs;
	p->tls_bytes = f->tls_bytes;
	p->incident_window = (int64_t)f->incident_window * 60 * 1000000000;
	p->incident_repeat = (int64_t)f->incident_repeat * 3600 * 1000000000;
	p->incident_fold =
	    f->incident_alerts != 0 ? (uint32_t)f->incident_alerts : UINT32_MAX;
	p->keep_days = (unsigned)f->retention_days;
	p->keep_bytes = f->retention_size;
	set_feeds(o, f);
	p->tracker = (struct tracker_config){.max_flows = (uint32_t)f->flows,
	    .max_sessions = (uint32_t)f->sessions,
	    .max_pending = f->pending_bytes,
	    .reassembly = (enum reassembly)f->reassembly};
}

int
setup_find_policy(struct setup *o, const char *command)
{
	if (o->cfg.rules_path == NULL)
		o->cfg.rules_path = options_data_file(
		    o->rules_path, "sensor.rules", command, "-r");
	if (o->cfg.interceptors_path == NULL)
		o->cfg.interceptors_path =
		    options_data_file(o->interceptors_path, "interceptors.list",
			command, "--interceptors");
	return o->cfg.rules_path == NULL || o->cfg.interceptors_path == NULL
		   ? -1
		   : 0;
}
