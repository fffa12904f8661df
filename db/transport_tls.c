/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Syslog over TLS, RFC 5425, with TLS 1.2 or 1.3. The receiver's certificate
 * must lead to ca_file, or to the system's store, and hold its name (RFC 6125:
 * peer_name (server_name in the configuration), or the configured host; an address has to be in it as such).
 * Revocation is not asked for. All files are read at open.
 *
 * With TLS 1.3 a client learns only after the handshake that its certificate
 * was refused. Where one is asked for, connect() listens a moment for that.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "db/transport_outstream.h"
#include "db/transport_tls.h"

#define REFUSAL_MS 300 /* the answer to a client certificate, at most */
#define LISTEN_MAX 65536

struct transport {
	const struct transport_config *c;
	SSL_CTX *ctx;
	SSL *ssl;
	bool asked; /* for a client certificate */
	struct tls_refusal refusal;
	struct outstream stream;
	char where[WHERE_MAX];
};

/* ---- what goes wrong on a connection ---- */

static bool
about_our_certificate(int reason)
{
	switch (reason) {
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
		return true;
	default:
		return false;
	}
}

static int
client_refused(const struct transport *t, const char *alert, char *err)
{
	if (t->c->cert_file[0] == '\0')
		return transport_error(err,
		    "%.120s wants a client certificate (%s): set cert_file "
		    "and key_file",
		    t->where, alert);
	return transport_error(err,
	    "%.120s refused the client certificate %.60s (%s): is it valid, "
	    "and from an authority that the receiver trusts?",
	    t->where, t->c->cert_file, alert);
}

/* The sentence for what SSL_get_error() calls SSL_ERROR_SSL or _SYSCALL. */
static int
broken(struct transport *t, const char *doing, char *err)
{
	int error = errno;
	unsigned long e = ERR_peek_error();
	int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
	const char *text = e != 0 ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	if (t->refusal.code != X509_V_OK)
		return tls_refusal_error(&t->refusal, t->c, t->where, err);
	if (t->asked && about_our_certificate(reason))
		return client_refused(t, text != NULL ? text : "?", err);
	if (reason == SSL_R_WRONG_VERSION_NUMBER ||
	    reason == SSL_R_PACKET_LENGTH_TOO_LONG)
		return transport_error(err,
		    "%.150s does not speak TLS: is this the receiver's TLS "
		    "port (syslog: 6514)?",
		    t->where);
	if (reason == SSL_R_UNSUPPORTED_PROTOCOL ||
	    reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
		return transport_error(err,
		    "%.150s has no TLS 1.2 or 1.3: bring the receiver up to "
		    "date",
		    t->where);
	if (e == 0 && error != 0 && error != ECONNRESET && error != EPIPE)
		return outstream_error(&t->stream, error, err);
	if (reason == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return transport_error(err,
		    "the receiver %.120s has closed the connection while %s; "
		    "its own log should say why",
		    t->where, doing);
	return transport_error(err, "TLS with %.120s failed while %s: %s",
	    t->where, doing, text != NULL ? text : "unknown error");
}

/* ---- the stream's operations ---- */

static ssize_t
tls_write(void *ctx, const char *p, size_t n, char *err)
{
	struct transport *t = ctx;
	size_t w = 0;

	errno = 0;
	ERR_clear_error();
	if (SSL_write_ex(t->ssl, p, n, &w) == 1)
		return (ssize_t)w;
	switch (SSL_get_error(t->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	default:
		return broken(t, "sending", err);
	}
}

static int
tls_listen(void *ctx, char *err)
{
	struct transport *t = ctx;
	char rubbish[4096];
	size_t n = 0;

	for (size_t all = 0; all < LISTEN_MAX; all += n) {
		errno = 0;
		ERR_clear_error();
		if (SSL_read_ex(t->ssl, rubbish, sizeof(rubbish), &n) == 1)
			continue;
		switch (SSL_get_error(t->ssl, 0)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return 0;
		case SSL_ERROR_ZERO_RETURN:
			return transport_error(err,
			    "the receiver %.150s has closed the connection; "
			    "its own log should say why",
			    t->where);
		default:
			return broken(t, "sending", err);
		}
	}
	return 0;
}

/* ---- connecting ---- */

static int
on_certificate(int ok, X509_STORE_CTX *x)
{
	SSL *ssl =
	    X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct transport *t = SSL_get_app_data(ssl);

	if (!ok)
		tls_refusal_note(&t->refusal, x);
	return ok;
}

/* The server asks for our certificate; SSL_CTX holds it, if there is one. */
static int
on_asked(SSL *ssl, void *arg)
{
	struct transport *t = SSL_get_app_data(ssl);

	(void)arg;
	t->asked = true;
	return 1;
}

static bool
is_address(const char *name)
{
	unsigned char a[16];

	return inet_pton(AF_INET, name, a) == 1 ||
	       inet_pton(AF_INET6, name, a) == 1;
}

static bool
expect_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(
	    p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(p, name) == 1;
	return X509_VERIFY_PARAM_set1_host(p, name, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

static int
handshake(struct transport *t, int64_t until, char *err)
{
	for (;;) {
		errno = 0;
		ERR_clear_error();
		int r = SSL_connect(t->ssl), e = SSL_get_error(t->ssl, r);

		if (r == 1)
			return 0;
		if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
			return broken(t, "shaking hands", err);
		if (socket_wait(t->stream.fd,
			e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
			until) == 0)
			return transport_error(err,
			    "%.120s accepts the connection, but does not "
			    "answer in TLS: is this its TLS port (syslog: "
			    "6514), is it hanging?",
			    t->where);
	}
}

static void
tls_disconnect(struct transport *t)
{
	if (t->ssl != NULL) {
		if (SSL_is_init_finished(t->ssl))
			SSL_shutdown(t->ssl); /* says good-bye, waits not */
		SSL_free(t->ssl);
		ERR_clear_error();
	}
	t->ssl = NULL;
	outstream_end(&t->stream);
}

static int
start(struct transport *t, int fd, int64_t until, char *err)
{
	const char *name =
	    t->c->peer_name[0] != '\0' ? t->c->peer_name : t->c->host;

	if (outstream_begin(&t->stream, fd, err) != 0)
		return -1;
	t->asked = false;
	memset(&t->refusal, 0, sizeof(t->refusal));
	if ((t->ssl = SSL_new(t->ctx)) == NULL ||
	    SSL_set_app_data(t->ssl, t) != 1 || !expect_name(t->ssl, name) ||
	    SSL_set_fd(t->ssl, fd) != 1)
		return transport_error(err,
		    "cannot prepare TLS for %.120s: is %.100s a name?",
		    t->where, name);
	if (handshake(t, until, err) != 0)
		return -1;
	if (t->asked && SSL_version(t->ssl) >= TLS1_3_VERSION) {
		int64_t answer = transport_now_ms() + REFUSAL_MS;

		socket_wait(fd, POLLIN, answer < until ? answer : until);
		return tls_listen(t, err);
	}
	return 0;
}

static int
tls_connect(struct transport *t, char *err)
{
	int64_t until = transport_now_ms() + t->c->timeout_ms;
	int fd;

	tls_disconnect(t);
	if ((fd = socket_dial(t->c, SOCK_STREAM, err)) == -1)
		return -1;
	if (start(t, fd, until, err) == 0)
		return 0;
	tls_disconnect(t);
	return -1;
}

/* ---- */

static struct transport *
tls_open(const struct transport_config *c, char *err)
{
	struct transport *t;

	if (socket_check(c, err) != 0)
		return NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		transport_error(err, "no memory");
		return NULL;
	}
	t->c = c;
	socket_where(t->where, c);
	t->stream = (struct outstream){.fd = -1,
	    .counted = !c->lines,
	    .timeout_ms = c->timeout_ms,
	    .where = t->where,
	    .write = tls_write,
	    .listen = tls_listen,
	    .ctx = t};
	if ((t->ctx = tls_context(c, err)) == NULL) {
		free(t);
		return NULL;
	}
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, on_certificate);
	SSL_CTX_set_cert_cb(t->ctx, on_asked, NULL);
	return t;
}

static int
tls_send(struct transport *t, const struct message *m, char *err)
{
	return outstream_send(&t->stream, m, err);
}

static int
tls_flush(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	return outstream_flush(&t->stream, wait_ms, arrived, err);
}

static void
tls_close(struct transport *t)
{
	tls_disconnect(t);
	outstream_free(&t->stream);
	SSL_CTX_free(t->ctx);
	free(t);
}

const struct transport_ops transport_tls = {.name = "tls",
    .memory = MEMORY_NONE,
    .open = tls_open,
    .connect = tls_connect,
    .send = tls_send,
    .flush = tls_flush,
    .disconnect = tls_disconnect,
    .close = tls_close};
