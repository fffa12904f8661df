/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kafka by librdkafka: an idempotent producer that waits for all replicas.
 *
 * Acknowledgements of several partitions come in any order. Messages on their
 * way stand in a ring in the order in which they were handed over, and what
 * has arrived is what stands before the first one that has not.
 *
 * A producer that failed is not mended but made anew by connect(): that costs
 * duplicates, which the events' ids remove, and nothing has to be known of the
 * states that it may be in.
 */
#include "db/transport_kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING 16384u /* messages on their way; a power of two */
#define SLICE_MS 500 /* of waiting for metadata, before errors are looked at */

struct slot {
	int64_t seq;
	bool arrived;
};

struct transport {
	const struct transport_config *c;
	rd_kafka_conf_t *conf;
	rd_kafka_t *rk; /* NULL: not connected */
	rd_kafka_topic_t *topic;
	struct slot *ring;
	uint64_t first, next; /* on their way; modulo RING */
	uint64_t room_at; /* flush returns when `first` is here */
	int64_t arrived;
	int64_t progress; /* ms: an acknowledgement, or nothing on its way */
	/* the first message that failed */
	bool failed;
	uint64_t failed_at;
	rd_kafka_resp_err_t failed_why;
	/* the last that librdkafka told of the brokers */
	rd_kafka_resp_err_t trouble;
	bool hopeless; /* ... and waiting does not help */
	char text[160];
};

/* ---- librdkafka's calls, from within rd_kafka_poll() ---- */

static void
on_error(rd_kafka_t *rk, int e, const char *reason, void *arg)
{
	struct transport *t = arg;

	(void)rk;
	if (e == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		t->hopeless = true;
		if (t->trouble != RD_KAFKA_RESP_ERR_NO_ERROR)
			return; /* which says more */
	}
	t->trouble = e;
	if (e == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
	    e == RD_KAFKA_RESP_ERR__SSL || e == RD_KAFKA_RESP_ERR__FATAL)
		t->hopeless = true;
	snprintf(t->text, sizeof(t->text), "%s", reason);
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct transport *t = arg;
	uint64_t n = (uintptr_t)m->_private;

	(void)rk;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		t->ring[n % RING].arrived = true;
		t->progress = transport_now_ms();
		t->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
		t->hopeless = false;
	} else if (!t->failed || n < t->failed_at) {
		t->failed = true;
		t->failed_at = n;
		t->failed_why = m->err;
	}
}

static void
serve(struct transport *t, int wait_ms)
{
	rd_kafka_poll(t->rk, wait_ms);
	while (t->first < t->next && t->ring[t->first % RING].arrived) {
		if (t->ring[t->first % RING].seq != 0)
			t->arrived = t->ring[t->first % RING].seq;
		t->first++;
	}
}

/* ---- connecting ---- */

static void
kafka_disconnect(struct transport *t)
{
	if (t->rk == NULL)
		return;
	rd_kafka_purge(t->rk, RD_KAFKA_PURGE_F_QUEUE |
				  RD_KAFKA_PURGE_F_INFLIGHT |
				  RD_KAFKA_PURGE_F_NON_BLOCKING);
	rd_kafka_topic_destroy(t->topic);
	rd_kafka_destroy(t->rk);
	t->rk = NULL;
	t->first = t->next = 0;
}

static int
new_producer(struct transport *t, char *err)
{
	char text[200] = "";
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(t->conf);

	t->failed = t->hopeless = false;
	t->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
	t->first = t->next = t->room_at = 0;
	t->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (t->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return transport_error(
		    err, "librdkafka does not accept the options: %s", text);
	}
	t->topic = rd_kafka_topic_new(t->rk, t->c->topic, NULL);
	if (t->topic != NULL)
		return 0;
	rd_kafka_destroy(t->rk);
	t->rk = NULL;
	return transport_error(
	    err, "librdkafka does not accept the topic %s", t->c->topic);
}

/* What the brokers say of the topic. */
static rd_kafka_resp_err_t
ask(struct transport *t, int wait_ms)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_resp_err_t e =
	    rd_kafka_metadata(t->rk, 0, t->topic, &md, wait_ms);

	if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
		return e;
	e = md->topic_cnt == 1 ? md->topics[0].err
			       : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	rd_kafka_metadata_destroy(md);
	return e;
}

/* A topic that is being made has no leader, or is not known, for a moment. */
static int
await_topic(struct transport *t, int64_t until, char *err)
{
	for (;;) {
		int64_t left = until - transport_now_ms();
		rd_kafka_resp_err_t e = ask(t, left < 1		 ? 1
					       : left < SLICE_MS ? (int)left
								 : SLICE_MS);

		serve(t, 0);
		if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
			return 0;
		if (t->trouble != RD_KAFKA_RESP_ERR_NO_ERROR &&
		    (t->hopeless || transport_now_ms() >= until))
			return kafka_error(t->c, t->trouble, t->text, err);
		if (transport_now_ms() >= until ||
		    e == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
		    e == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
			return kafka_error(t->c, e, "", err);
		serve(t, 100);
	}
}

static int
kafka_connect(struct transport *t, char *err)
{
	int64_t until = transport_now_ms() + t->c->timeout_ms;

	kafka_disconnect(t);
	if (new_producer(t, err) != 0)
		return -1;
	if (await_topic(t, until, err) != 0) {
		kafka_disconnect(t);
		return -1;
	}
	t->progress = transport_now_ms();
	return 0;
}

/* ---- sending ---- */

/* Whether the connection has to be given up. */
static int
check(struct transport *t, char *err)
{
	char text[160];
	rd_kafka_resp_err_t e;

	if (t->rk == NULL)
		return transport_error(
		    err, "not connected to the brokers %.100s", t->c->brokers);
	e = rd_kafka_fatal_error(t->rk, text, sizeof(text));
	if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kafka_error(t->c, e, text, err);
	if (t->failed)
		return kafka_error(t->c, t->failed_why, "", err);
	if (t->first == t->next ||
	    transport_now_ms() - t->progress < t->c->timeout_ms)
		return 0;
	if (t->trouble != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kafka_error(t->c, t->trouble, t->text, err);
	return kafka_error(t->c, RD_KAFKA_RESP_ERR__TIMED_OUT,
	    "connected, but nothing was acknowledged", err);
}

static int
no_room(struct transport *t)
{
	t->room_at = t->first + (t->next - t->first) / 2 + 1;
	return 1;
}

static int
kafka_send(struct transport *t, const struct message *m, char *err)
{
	if (t->rk != NULL)
		serve(t, 0);
	if (check(t, err) != 0)
		return -1;
	if (t->next - t->first == RING)
		return no_room(t);
	size_t key = strlen(m->key);
	t->ring[t->next % RING] = (struct slot){.seq = m->seq};
	if (rd_kafka_produce(t->topic, RD_KAFKA_PARTITION_UA,
		RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)m->bytes, m->len,
		key != 0 ? m->key : NULL, key,
		(void *)(uintptr_t)t->next) != 0) {
		rd_kafka_resp_err_t e = rd_kafka_last_error();

		if (e == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return no_room(t);
		return kafka_error(t->c, e, "", err);
	}
	if (t->first == t->next)
		t->progress = transport_now_ms();
	t->next++;
	return 0;
}

static int
kafka_flush(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	int64_t until = transport_now_ms() + wait_ms, left = 0;
	int r;

	for (;;) {
		if (t->rk != NULL)
			serve(t, (int)left);
		*arrived = t->arrived;
		if ((r = check(t, err)) != 0)
			return r;
		left = until - transport_now_ms();
		if (t->first == t->next || left <= 0 ||
		    (t->room_at != 0 && t->first >= t->room_at))
			break;
		if (left > SLICE_MS)
			left = SLICE_MS;
	}
	t->room_at = 0;
	return 0;
}

/* ---- */

static void
kafka_close(struct transport *t)
{
	kafka_disconnect(t);
	if (t->conf != NULL)
		rd_kafka_conf_destroy(t->conf);
	free(t->ring);
	free(t);
}

static struct transport *
kafka_open(const struct transport_config *c, char *err)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->ring = calloc(RING, sizeof(*t->ring))) == NULL) {
		free(t);
		transport_error(err, "no memory");
		return NULL;
	}
	t->c = c;
	if ((t->conf = kafka_conf(c, err)) == NULL) {
		kafka_close(t);
		return NULL;
	}
	rd_kafka_conf_set_opaque(t->conf, t);
	rd_kafka_conf_set_error_cb(t->conf, on_error);
	rd_kafka_conf_set_dr_msg_cb(t->conf, on_delivery);
	return t;
}

const struct transport_ops transport_kafka = {.name = "kafka",
    .memory = MEMORY_CERTAIN,
    .open = kafka_open,
    .connect = kafka_connect,
    .send = kafka_send,
    .flush = kafka_flush,
    .disconnect = kafka_disconnect,
    .close = kafka_close};
