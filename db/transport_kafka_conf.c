/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of librdkafka, and sentences for its errors. */
#include "db/transport_kafka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 64 /* of an option; librdkafka's longest has 43 */
#define KEY_MAX 16384 /* bytes of a private key in PEM form */
#define TOPIC_MAX 249 /* Kafka's own limit */

/* ---- options ---- */

/* What the feed's promises stand on, and what is set elsewhere. */
static const struct {
	const char *name, *why;
} refused[] = {
    {"acks", "the feed waits for all replicas"},
    {"request.required.acks", "the feed waits for all replicas"},
    {"enable.idempotence", "the feed's order depends on it"},
    {"enable.gapless.guarantee", "the feed sends again what is missing"},
    {"transactional.id", "the feed has no transactions"},
    {"delivery.report.only.error", "the feed counts what arrived"},
    {"bootstrap.servers", "set brokers of the feed"},
    {"metadata.broker.list", "set brokers of the feed"},
    {"plugin.library.paths", "a sensor loads no foreign code"},
    {"test.mock.num.brokers", "events would go nowhere"},
};

/* Ours, which options may change. Retries end, so that a broker's refusal is
 * told as what it is. */
static const char *const defaults[][2] = {
    {"client.id", "stripwire"},
    {"queue.buffering.max.kbytes", "16384"},
    {"retries", "20"},
    {"retry.backoff.ms", "250"},
    {"reconnect.backoff.max.ms", "2000"},
};

static bool
is_secret(const char *name)
{
	static const char *const words[] = {
	    "password", "secret", "key", "token", "oauth", "pem", "jaas"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(name, words[i]) != NULL)
			return true;
	return false;
}

static int
set(rd_kafka_conf_t *k, const char *name, const char *value, char *err)
{
	char text[256] = "";

	switch (rd_kafka_conf_set(k, name, value, text, sizeof(text))) {
	case RD_KAFKA_CONF_OK:
		return 0;
	case RD_KAFKA_CONF_UNKNOWN:
		return transport_error(err,
		    "%s is no option of librdkafka %s: its CONFIGURATION.md "
		    "lists them",
		    name, rd_kafka_version_str());
	default:
		return transport_error(err,
		    "librdkafka does not accept the value of %s%s%.180s", name,
		    is_secret(name) ? "" : ": ", is_secret(name) ? "" : text);
	}
}

/* The key is read now, as long as we may; what it is in is wiped. */
static int
read_key(rd_kafka_conf_t *k, const char *path, char *err)
{
	char pem[KEY_MAX];
	FILE *f = fopen(path, "re");
	size_t n = f != NULL ? fread(pem, 1, sizeof(pem) - 1, f) : 0;
	int r = f == NULL ? errno : ferror(f) ? EIO : 0;

	if (f != NULL)
		fclose(f);
	pem[n] = '\0';
	r = r != 0 ? transport_error(err,
			 "ssl.key.location %.180s cannot be read: %s", path,
			 strerror(r))
		   : set(k, "ssl.key.pem", pem, err);
	explicit_bzero(pem, sizeof(pem));
	return r;
}

static int
set_option(rd_kafka_conf_t *k, const char *option, char *err)
{
	char name[NAME_MAX_LEN];
	const char *eq = strchr(option, '=');
	size_t n = eq != NULL ? (size_t)(eq - option) : 0;

	if (n == 0 || n >= sizeof(name))
		return transport_error(err,
		    "an option of librdkafka is written name=value, with a "
		    "name of at most %d bytes",
		    NAME_MAX_LEN - 1);
	memcpy(name, option, n);
	name[n] = '\0';
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(name, refused[i].name) == 0)
			return transport_error(err,
			    "the option %s cannot be set: %s", name,
			    refused[i].why);
	if (strcmp(name, "ssl.key.location") == 0)
		return read_key(k, eq + 1, err);
	return set(k, name, eq + 1, err);
}

static int
check_topic(const char *topic, char *err)
{
	size_t n = strlen(topic);

	if (n == 0)
		return transport_error(err, "no topic is set");
	if (n > TOPIC_MAX || strcmp(topic, ".") == 0 ||
	    strcmp(topic, "..") == 0 ||
	    topic[strspn(topic,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-")] != '\0')
		return transport_error(err,
		    "the topic %.60s is no name for Kafka: letters, digits, "
		    "'.', '_' and '-', at most %d",
		    topic, TOPIC_MAX);
	return 0;
}

static int
set_all(rd_kafka_conf_t *k, const struct transport_config *c, char *err)
{
	char ms[16];

	rd_kafka_conf_set_log_cb(k, NULL);
	for (unsigned i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (set(k, defaults[i][0], defaults[i][1], err) != 0)
			return -1;
	snprintf(
	    ms, sizeof(ms), "%u", c->timeout_ms < 1000 ? 1000 : c->timeout_ms);
	if (set(k, "socket.connection.setup.timeout.ms", ms, err) != 0 ||
	    set(k, "enable.idempotence", "true", err) != 0 ||
	    set(k, "acks", "all", err) != 0 ||
	    set(k, "bootstrap.servers", c->brokers, err) != 0)
		return -1;
	for (unsigned i = 0; i < c->noptions; i++)
		if (set_option(k, c->option[i], err) != 0)
			return -1;
	return 0;
}

rd_kafka_conf_t *
kafka_conf(const struct transport_config *c, char *err)
{
	rd_kafka_conf_t *k;

	if (c->brokers[0] == '\0') {
		transport_error(err,
		    "no brokers are set: give host:port of one or more, with "
		    "commas between");
		return NULL;
	}
	if (check_topic(c->topic, err) != 0)
		return NULL;
	k = rd_kafka_conf_new();
	if (set_all(k, c, err) == 0)
		return k;
	rd_kafka_conf_destroy(k);
	return NULL;
}

/* ---- errors ---- */

/* What the broker says of the topic, or of a message for it. */
static const char *
of_topic(rd_kafka_resp_err_t e)
{
	switch (e) {
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		return "does not exist: create it (kafka-topics.sh --create), "
		       "or correct topic";
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return "is no valid name to the broker: correct topic";
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return "takes no message so large: raise max.message.bytes of "
		       "the topic, or lower batch.size of the feed's options";
	case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
	case RD_KAFKA_RESP_ERR_LOG_DIR_NOT_FOUND:
		return "cannot be written by its broker: is the broker's disk "
		       "full or broken?";
	case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
	case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
	case RD_KAFKA_RESP_ERR__ISR_INSUFF:
		return "has fewer replicas in sync than min.insync.replicas: "
		       "are brokers down or full?";
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
		return "may not be written by this user: allow it "
		       "(kafka-acls.sh --producer)";
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
		return "refuses the message by a rule of the brokers: their "
		       "log says which";
	case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
		return "has a partition without a leader: are brokers down?";
	default:
		return NULL;
	}
}

static const char *
of_brokers(rd_kafka_resp_err_t e)
{
	switch (e) {
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
	case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
		return "refuse the feed's user: check sasl.mechanism, "
		       "sasl.username and the password";
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return "do not let this user write idempotently: allow it "
		       "(kafka-acls.sh --idempotent)";
	case RD_KAFKA_RESP_ERR__SSL:
		return "cannot be spoken to in TLS: check ssl.ca.location, and "
		       "that the certificate holds the broker's name";
	case RD_KAFKA_RESP_ERR__RESOLVE:
		return "have a name that is not known: correct brokers, or the "
		       "resolver of this machine";
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
		return "cannot be reached: are they running and listening "
		       "there, is security.protocol right?";
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
		return "do not answer: are they running, does a firewall drop "
		       "it?";
	default:
		return NULL;
	}
}

int
kafka_error(const struct transport_config *c, rd_kafka_resp_err_t e,
    const char *text, char *err)
{
	const char *s;

	if (text[0] == '\0')
		text = rd_kafka_err2str(e);
	if ((s = of_topic(e)) != NULL)
		return transport_error(err, "the topic %.60s at %.50s %s",
		    c->topic, c->brokers, s);
	if ((s = of_brokers(e)) != NULL)
		return transport_error(
		    err, "the brokers %.50s %s (%.110s)", c->brokers, s, text);
	return transport_error(err,
	    "the brokers %.50s refuse messages for the topic %.50s: %.120s",
	    c->brokers, c->topic, text);
}
