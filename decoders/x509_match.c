/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a certificate speak for a host (RFC 9525 section 6, RFC 6125 6.4)?
 * Internationalised names are compared as A-labels, which they are in
 * certificates and in the server_name extension; what an operator wrote is
 * made one first.
 */
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "decoders/idn.h"
#include "decoders/obs.h"
#include "decoders/x509.h"

/* Length without a final dot. */
static size_t
host_length(const char *host, size_t n)
{
	return n > 1 && host[n - 1] == '.' ? n - 1 : n;
}

static bool
same(const char *a, size_t na, const char *b, size_t nb)
{
	return na == nb && strncasecmp(a, b, na) == 0;
}

/*
 * "*.example.org" is every host with one label more than "example.org". A
 * star for part of a label, or over a whole top-level domain, is for nobody.
 */
static bool
name_matches(const char *name, size_t nname, const char *host, size_t nhost)
{
	const char *dot;
	size_t skip;

	nname = host_length(name, nname);
	if (memchr(name, '\\', nname) != NULL)
		return false;
	if (nname < 3 || name[0] != '*' || name[1] != '.')
		return same(name, nname, host, nhost);
	dot = memchr(host, '.', nhost);
	if (dot == NULL || dot == host ||
	    memchr(name + 2, '.', nname - 2) == NULL)
		return false;
	skip = (size_t)(dot - host);
	return same(name + 1, nname - 1, host + skip, nhost - skip);
}

/* Text of an address in the form the list has; "" if host is none. */
static void
address_text(const char *host, char out[INET6_ADDRSTRLEN])
{
	uint8_t raw[16];

	out[0] = '\0';
	if (inet_pton(AF_INET, host, raw) == 1)
		(void)inet_ntop(AF_INET, raw, out, INET6_ADDRSTRLEN);
	else if (inet_pton(AF_INET6, host, raw) == 1)
		(void)inet_ntop(AF_INET6, raw, out, INET6_ADDRSTRLEN);
}

static bool
list_has(const char *names, const char *host, size_t nhost, bool address)
{
	while (*names != '\0') {
		size_t n = strcspn(names, "\n");

		if (address ? same(names, n, host, nhost)
			    : name_matches(names, n, host, nhost))
			return true;
		names += n;
		if (*names == '\n')
			names++;
	}
	return false;
}

int
x509_speaks_for(const struct x509_facts *f, const char *host)
{
	char address[INET6_ADDRSTRLEN], ascii[IDN_NAME_MAX];
	size_t n;
	bool yes;

	if (idn_to_ascii(ascii, host))
		host = ascii;
	n = host_length(host, strlen(host));
	if (n == 0)
		return 0;
	address_text(host, address);
	if (address[0] != '\0')
		yes = list_has(f->names, address, strlen(address), true);
	else if ((f->flags & (X509F_HAS_SAN | X509F_SAN_NO_DNS)) ==
		 X509F_HAS_SAN)
		yes = list_has(f->names, host, n, false);
	else
		yes = name_matches(
		    f->common_name, strlen(f->common_name), host, n);
	if (!yes && f->flags & X509F_NAMES_CUT)
		return -1;
	return yes;
}
