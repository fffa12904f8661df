/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transports against sockets of this process: framing, what is known to have
 * been sent, receivers that go, or accept and never read. Real receivers:
 * tests/transports.py. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "db/feed_format.h"
#include "db/transport_priv.h"
#include "tests/test.h"

#define WAIT_MS 2000

static struct transport_config
config(enum transport_kind k)
{
	signal(SIGPIPE, SIG_IGN);
	return (struct transport_config){.kind = k,
	    .path = "",
	    .host = "",
	    .ca_file = "",
	    .cert_file = "",
	    .key_file = "",
	    .peer_name = "",
	    .brokers = "",
	    .topic = "",
	    .timeout_ms = 300};
}

static struct message
message(int64_t seq, const char *text)
{
	return (struct message){.seq = seq,
	    .bytes = text,
	    .len = strlen(text),
	    .id = "",
	    .key = ""};
}

/* ---- receivers ---- */

/* A listener on loopback, and the configuration for it. */
static int
listener(int type, struct transport_config *c)
{
	struct sockaddr_in sa = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(sa);
	int fd = socket(AF_INET, type, 0), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	CHECK_INT(bind(fd, (struct sockaddr *)&sa, n), 0);
	if (type == SOCK_STREAM)
		CHECK_INT(listen(fd, 4), 0);
	CHECK_INT(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	c->host = "127.0.0.1";
	c->port = ntohs(sa.sin_port);
	return fd;
}

static char unix_path[64];

static int
unix_listener(int type, struct transport_config *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	snprintf(unix_path, sizeof(unix_path), "/tmp/transport_test.%d",
	    (int)getpid());
	unlink(unix_path);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", unix_path);
	CHECK_INT(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (type == SOCK_STREAM)
		CHECK_INT(listen(fd, 4), 0);
	c->path = unix_path;
	c->datagram = type == SOCK_DGRAM;
	return fd;
}

static const char *
heard(int fd)
{
	static char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* ---- a transport under test ---- */

struct rig {
	struct transport_config c;
	const struct transport_ops *ops;
	struct transport *t;
	int listener, peer;
	char err[TRANSPORT_ERROR_MAX];
	int64_t arrived;
};

static void
connect_to(struct rig *r)
{
	r->peer = -1;
	r->ops = transport_ops(&r->c);
	r->t = r->ops->open(&r->c, r->err);
	CHECK(r->t != NULL);
	if (r->t == NULL || r->ops->connect(r->t, r->err) != 0) {
		TEST_FAIL("%s", r->err);
		exit(1);
	}
	if (r->ops->memory == MEMORY_NONE)
		r->peer = accept(r->listener, NULL, NULL);
}

static int
send_text(struct rig *r, int64_t seq, const char *text)
{
	struct message m = message(seq, text);

	return r->ops->send(r->t, &m, r->err);
}

static int
flush(struct rig *r, int ms)
{
	return r->ops->flush(r->t, ms, &r->arrived, r->err);
}

static void
done(struct rig *r)
{
	r->ops->close(r->t);
	if (r->peer != -1)
		close(r->peer);
	close(r->listener);
	if (unix_path[0] != '\0')
		unlink(unix_path);
}

static void
frames(struct rig *r, const char *want)
{
	connect_to(r);
	CHECK_INT(send_text(r, 1, "one"), 0);
	CHECK_INT(send_text(r, 2, "the second"), 0);
	CHECK_INT(flush(r, WAIT_MS), 0);
	CHECK_INT(r->arrived, 2);
	CHECK_STR(heard(r->peer), want);
	done(r);
}

TEST(tcp_counts_octets)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};

	r.listener = listener(SOCK_STREAM, &r.c);
	frames(&r, "3 one10 the second");
}

TEST(tcp_lines)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};

	r.listener = listener(SOCK_STREAM, &r.c);
	r.c.lines = true;
	frames(&r, "one\nthe second\n");
}

TEST(unix_stream_is_lines)
{
	struct rig r = {.c = config(TRANSPORT_UNIX)};

	r.listener = unix_listener(SOCK_STREAM, &r.c);
	frames(&r, "one\nthe second\n");
}

static void
datagram_each(struct rig *r)
{
	connect_to(r);
	CHECK_INT(r->ops->memory, MEMORY_DATAGRAM);
	CHECK_INT(send_text(r, 7, "one"), 0);
	CHECK_INT(send_text(r, 8, "the second"), 0);
	CHECK_STR(heard(r->listener), "one");
	CHECK_STR(heard(r->listener), "the second");
	CHECK_INT(flush(r, 0), 0);
	CHECK_INT(r->arrived, 8);
	done(r);
}

TEST(udp_is_a_datagram_each)
{
	struct rig r = {.c = config(TRANSPORT_UDP)};

	r.listener = listener(SOCK_DGRAM, &r.c);
	datagram_each(&r);
}

TEST(unix_datagram_is_a_datagram_each)
{
	struct rig r = {.c = config(TRANSPORT_UNIX)};

	r.listener = unix_listener(SOCK_DGRAM, &r.c);
	datagram_each(&r);
}

TEST(events_past_the_database_move_no_number)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};

	r.listener = listener(SOCK_STREAM, &r.c);
	connect_to(&r);
	CHECK_INT(send_text(&r, 5, "stored"), 0);
	CHECK_INT(send_text(&r, 0, "flow"), 0);
	CHECK_INT(flush(&r, WAIT_MS), 0);
	CHECK_INT(r.arrived, 5);
	done(&r);
}

TEST(what_flush_tells_is_what_was_written)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};
	static char big[60000], in[200000];
	size_t got = 0;
	int64_t seq = 0, told = 0;

	memset(big, 'x', sizeof(big) - 1);
	r.listener = listener(SOCK_STREAM, &r.c);
	r.c.timeout_ms = 20000;
	connect_to(&r);
	while (seq < 400) { /* 24 MB through a small window */
		if (send_text(&r, seq + 1, big) == 0) {
			seq++;
			continue;
		}
		got += (size_t)recv(r.peer, in, sizeof(in), 0);
		CHECK_INT(flush(&r, 0), 0);
		CHECK(r.arrived >= told);
		/* never ahead: 59,999 bytes and "59999 " each */
		CHECK(r.arrived <= seq);
		told = r.arrived;
	}
	CHECK(told > 0);
	while (r.arrived < 400) {
		ssize_t n = recv(r.peer, in, sizeof(in), MSG_DONTWAIT);

		got += n > 0 ? (size_t)n : 0;
		CHECK_INT(flush(&r, 0), 0);
	}
	while (got < 400 * (sizeof(big) - 1 + 6))
		got += (size_t)recv(r.peer, in, sizeof(in), 0);
	CHECK_INT(got, 400 * (sizeof(big) - 1 + 6));
	done(&r);
}

/* Until it is given up. Returns messages taken. */
static long
fill(struct rig *r)
{
	static char big[100001];
	long n = 0;
	int e;

	memset(big, 'x', sizeof(big) - 1);
	while ((e = send_text(r, n + 1, big)) != -1) {
		if (e == 0)
			n++;
		else if (flush(r, 50) != 0)
			break;
	}
	return n;
}

TEST(a_receiver_that_never_reads_is_given_up)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};

	r.listener = listener(SOCK_STREAM, &r.c);
	connect_to(&r);
	int64_t began = transport_now_ms();
	CHECK(fill(&r) < 300); /* what fits into sockets and one buffer */
	CHECK(strstr(r.err, "has read nothing") != NULL);
	CHECK(transport_now_ms() - began >= 300);
	done(&r);
}

TEST(a_datagram_socket_that_nobody_reads_loses_and_says_so)
{
	struct rig r = {.c = config(TRANSPORT_UNIX)};

	r.listener = unix_listener(SOCK_DGRAM, &r.c);
	connect_to(&r);
	int64_t began = transport_now_ms();
	while (send_text(&r, 1, "x") != -1)
		CHECK_INT(flush(&r, 50), 0);
	CHECK(strstr(r.err, "has taken nothing") != NULL);
	CHECK(transport_now_ms() - began >= 300);
	/* and the next does not wait */
	CHECK_INT(send_text(&r, 2, "x"), -1);
	heard(r.listener);
	CHECK_INT(send_text(&r, 3, "x"), 0);
	done(&r);
}

TEST(a_receiver_that_closes_is_noticed_before_sending)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};

	r.listener = listener(SOCK_STREAM, &r.c);
	connect_to(&r);
	close(r.peer);
	r.peer = -1;
	usleep(50000);
	CHECK_INT(send_text(&r, 1, "one"), 0);
	CHECK_INT(flush(&r, WAIT_MS), -1);
	CHECK(strstr(r.err, "has closed the connection") != NULL);
	CHECK_INT(r.arrived, 0);
	r.ops->disconnect(r.t);
	CHECK_INT(send_text(&r, 1, "one"), -1);
	CHECK_INT(flush(&r, 0), -1);
	CHECK_INT(r.ops->connect(r.t, r.err), 0);
	r.peer = accept(r.listener, NULL, NULL);
	CHECK_INT(send_text(&r, 1, "one"), 0);
	CHECK_INT(flush(&r, WAIT_MS), 0);
	CHECK_STR(heard(r.peer), "3 one");
	done(&r);
}

TEST(a_receiver_that_talks_is_not_listened_to)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};

	r.listener = listener(SOCK_STREAM, &r.c);
	connect_to(&r);
	for (int i = 0; i < 100; i++) {
		CHECK_INT(send(r.peer, "hello", 5, 0), 5);
		CHECK_INT(send_text(&r, 1, "one"), 0);
		CHECK_INT(flush(&r, WAIT_MS), 0);
	}
	done(&r);
}

TEST(unix_datagrams_find_a_socket_that_was_made_anew)
{
	struct rig r = {.c = config(TRANSPORT_UNIX)};

	r.listener = unix_listener(SOCK_DGRAM, &r.c);
	connect_to(&r);
	CHECK_INT(send_text(&r, 1, "one"), 0);
	close(r.listener);
	CHECK_INT(send_text(&r, 2, "two"), -1);
	CHECK(strstr(r.err, "is the receiver running") != NULL);
	r.listener = unix_listener(SOCK_DGRAM, &r.c);
	CHECK_INT(send_text(&r, 3, "three"), 0);
	CHECK_STR(heard(r.listener), "three");
	done(&r);
}

TEST(a_closed_udp_port_fails_as_often_as_it_refuses)
{
	struct rig r = {.c = config(TRANSPORT_UDP)};
	int failed = 0;

	r.listener = listener(SOCK_DGRAM, &r.c);
	connect_to(&r);
	close(r.listener);
	for (int i = 0; i < 50; i++) {
		failed += send_text(&r, i + 1, "x") == -1;
		usleep(1000);
	}
	CHECK_INT(failed, 49); /* the last one's refusal is not known yet */
	CHECK(strstr(r.err, "refused a datagram") != NULL);
	r.listener = dup(0);
	done(&r);
}

TEST(the_other_kind_of_socket_is_named)
{
	struct rig r = {.c = config(TRANSPORT_UNIX)};

	r.listener = unix_listener(SOCK_DGRAM, &r.c);
	r.c.datagram = false;
	r.ops = transport_ops(&r.c);
	r.t = r.ops->open(&r.c, r.err);
	r.peer = -1;
	CHECK_INT(r.ops->connect(r.t, r.err), -1);
	CHECK(strstr(r.err, "of the other kind") != NULL);
	done(&r);
}

TEST(a_message_that_is_too_long_is_refused)
{
	struct rig r = {.c = config(TRANSPORT_TCP)};
	static char big[FEED_MESSAGE_MAX + 2];

	memset(big, 'x', sizeof(big) - 1);
	r.listener = listener(SOCK_STREAM, &r.c);
	connect_to(&r);
	CHECK_INT(send_text(&r, 1, big), -1);
	big[FEED_MESSAGE_MAX] = '\0';
	CHECK_INT(send_text(&r, 1, big), 0);
	done(&r);
}

TEST(errors_are_one_printable_line)
{
	char err[TRANSPORT_ERROR_MAX], evil[600];

	memset(evil, '\n', sizeof(evil) - 1);
	evil[sizeof(evil) - 1] = '\0';
	CHECK_INT(transport_error(err, "name %s", evil), -1);
	CHECK_INT(strlen(err), TRANSPORT_ERROR_MAX - 1);
	CHECK(strpbrk(err, "\n\033") == NULL);
}

TEST(addresses_are_written_as_they_are_read)
{
	struct transport_config c = config(TRANSPORT_TCP);
	char where[WHERE_MAX];

	c.host = "2001:db8::1";
	c.port = 514;
	socket_where(where, &c);
	CHECK_STR(where, "[2001:db8::1]:514");
	c.host = "siem.example.org";
	socket_where(where, &c);
	CHECK_STR(where, "siem.example.org:514");
}

/* ---- Kafka's options ---- */

static void
refused(const char *option, const char *want)
{
	struct transport_config c = config(TRANSPORT_KAFKA);
	char err[TRANSPORT_ERROR_MAX] = "";

	c.brokers = "127.0.0.1:9092";
	c.topic = "events";
	c.option[0] = option;
	c.noptions = 1;
	struct transport *t = transport_ops(&c)->open(&c, err);
	if (t != NULL)
		transport_ops(&c)->close(t);
	CHECK((t != NULL) == (want == NULL));
	if (want != NULL && strstr(err, want) == NULL)
		TEST_FAIL("%s: %s", option, err);
	CHECK(strstr(err, "hunter2") == NULL);
}

TEST(kafka_options)
{
	refused("compression.type=zstd", NULL);
	refused("sasl.password=hunter2", NULL);
	refused("linger.ms=50", NULL);
	refused("sasl.passwort=hunter2", "is no option of librdkafka");
	refused("ssl.key.pem", "name=value");
	refused("=hunter2", "name=value");
	refused("linger.ms=many", "value of linger.ms");
	refused("ssl.key.location=/nonexistent/key", "cannot be read");
	refused("acks=1", "cannot be set");
	refused("enable.idempotence=false", "cannot be set");
	refused("transactional.id=x", "cannot be set");
	refused("plugin.library.paths=/tmp/x.so", "cannot be set");
	refused("bootstrap.servers=x", "set brokers");
}

TEST_MAIN
