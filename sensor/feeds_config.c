/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One field after the other. The password is the only text that is made here.
 */
#include "sensor/feeds_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_MAX 1024
#define PASSWORD_OPTION "sasl.password="

static bool
has_header(const struct config_feed *f)
{
	if (f->format == FORMAT_SYSLOG || f->header == 2)
		return true;
	if (f->header == 1)
		return false;
	return f->type == TRANSPORT_UDP || f->type == TRANSPORT_TCP ||
	       f->type == TRANSPORT_TLS ||
	       (f->type == TRANSPORT_UNIX && f->socket == 1);
}

static int
read_password(const char *path, char text[PASSWORD_MAX], char *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd != -1 ? read(fd, text, PASSWORD_MAX - 1) : -1;

	if (n == -1)
		(void)snprintf(err, TRANSPORT_ERROR_MAX,
		    "sasl_password_file %.150s cannot be read: %s", path,
		    strerror(errno));
	if (fd != -1)
		(void)close(fd);
	if (n == -1)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (text[0] != '\0')
		return 0;
	(void)snprintf(err, TRANSPORT_ERROR_MAX,
	    "sasl_password_file %.150s: its first line is empty", path);
	return -1;
}

/* The password as an option of librdkafka. */
static int
add_password(struct transport_config *t, const struct config_feed *f, char *err)
{
	char text[PASSWORD_MAX] = "", *option;
	size_t room;

	if (f->sasl_password_file[0] != '\0' &&
	    read_password(f->sasl_password_file, text, err) == -1)
		return -1;
	if (f->sasl_password[0] != '\0')
		(void)snprintf(text, sizeof(text), "%s", f->sasl_password);
	if (text[0] == '\0')
		return 0;
	room = sizeof(PASSWORD_OPTION) + strlen(text);
	option = malloc(room);
	if (option == NULL)
		(void)snprintf(err, TRANSPORT_ERROR_MAX, "out of memory");
	else
		(void)snprintf(option, room, PASSWORD_OPTION "%s", text);
	explicit_bzero(text, sizeof(text));
	if (option == NULL)
		return -1;
	t->option[t->noptions++] = option;
	return 0;
}

static void
set_transport(struct transport_config *t, const struct config_feed *f)
{
	*t = (struct transport_config){.kind = (enum transport_kind)f->type,
	    .path = f->path,
	    .datagram = f->socket == 1,
	    .rotate_bytes = f->rotate_size,
	    .rotate_s = f->rotate_hours * 3600,
	    .rotate_keep = (unsigned)f->rotate_keep,
	    .host = f->host != NULL ? f->host : "",
	    .port = f->port,
	    .lines = f->framing == 1,
	    .ca_file = f->ca_file,
	    .cert_file = f->cert_file,
	    .key_file = f->key_file,
	    .peer_name = f->server_name,
	    .brokers = f->brokers,
	    .topic = f->topic,
	    .timeout_ms = (unsigned)f->timeout * 1000};
	for (unsigned i = 0; i < f->noptions; i++)
		t->option[t->noptions++] = f->option[i];
}

int
feeds_config(struct feed_config *out, const struct config_feed *f,
    const char *host, char *err)
{
	*out = (struct feed_config){.name = f->name,
	    .format = (enum feed_format)f->format,
	    .events = f->events,
	    .me = {host != NULL ? host : "", (long)getpid(),
		(unsigned)f->facility, has_header(f)},
	    .resend_bytes = f->resend_size,
	    .resend_ms = (int64_t)f->resend_seconds * 1000,
	    .queue_bytes = f->queue_size};
	set_transport(&out->transport, f);
	return add_password(&out->transport, f, err);
}

void
feeds_config_free(struct feed_config *c)
{
	struct transport_config *t = &c->transport;
	char *last;

	if (t->noptions == 0)
		return;
	last = (char *)t->option[t->noptions - 1];
	if (strncmp(last, PASSWORD_OPTION, strlen(PASSWORD_OPTION)) == 0) {
		explicit_bzero(last, strlen(last));
		free(last);
	}
	t->noptions = 0;
}

struct transport *
feeds_open(const struct feed_config *c, char *err)
{
	const struct transport_ops *ops = transport_ops(&c->transport);

	if (ops != NULL)
		return ops->open(&c->transport, err);
	(void)snprintf(err, TRANSPORT_ERROR_MAX,
	    "this program was built without feeds of that type");
	return NULL;
}

const char *
feeds_where(char *buf, size_t cap, const struct config_feed *f)
{
	static const char *const name[TRANSPORT_COUNT] = {
	    [TRANSPORT_FILE] = "file",
	    [TRANSPORT_UNIX] = "unix",
	    [TRANSPORT_UDP] = "udp",
	    [TRANSPORT_TCP] = "tcp",
	    [TRANSPORT_TLS] = "tls",
	    [TRANSPORT_KAFKA] = "kafka"};

	if (f->type == TRANSPORT_FILE || f->type == TRANSPORT_UNIX)
		(void)snprintf(buf, cap, "%s %s", name[f->type], f->path);
	else if (f->type == TRANSPORT_KAFKA)
		(void)snprintf(
		    buf, cap, "kafka topic %s at %s", f->topic, f->brokers);
	else
		(void)snprintf(buf, cap, "%s to %s port %u", name[f->type],
		    f->host != NULL ? f->host : "?", f->port);
	return buf;
}
