-- SPDX-License-Identifier: GPL-3.0-or-later
-- The database of Stripwire, version 6 (PRAGMA user_version).
--
-- This file is the source of truth: the build turns it into a C string, the
-- store runs it on a new file. Times are nanoseconds since 1970-01-01 UTC and,
-- unless said otherwise, the time of a packet. Addresses are text, as
-- inet_ntop(3) writes them. A database that already exists is brought up to
-- date by the steps in db/upgrade_*.sql; what they add stands last here as
-- well, because columns are read in order.
--
-- What is written often (alerts, flows) carries two indexes at most, and says
-- once what many rows have in common: the views alerts and flows are what to
-- read.

-- One call of the program over some input.
CREATE TABLE runs (
	id INTEGER PRIMARY KEY, -- what the columns named run refer to
	started INTEGER NOT NULL, -- wall clock
	ended INTEGER, -- wall clock; NULL: still going, or it was killed
	command TEXT NOT NULL, -- the command line
	rules TEXT NOT NULL, -- path of the rule file, '' if none
	packets INTEGER, -- read in this run
	bytes INTEGER, -- captured bytes of them
	flows INTEGER, -- connections among them
	alerts INTEGER, -- stored by this run
	lost INTEGER -- alerts that could not be stored (disk full)
);

-- One file of the input. A file is recognised by fingerprint, packets, first
-- and last together.
CREATE TABLE captures (
	id INTEGER PRIMARY KEY, -- what alerts.capture refers to
	run INTEGER NOT NULL, -- the run that read it
	path TEXT NOT NULL, -- as given on the command line, or found in a folder
	fingerprint INTEGER, -- running hash over packet times and lengths
	packets INTEGER, -- in the file
	first INTEGER, -- time of its first packet
	last INTEGER, -- time of its last packet
	complete INTEGER NOT NULL, -- 1: read to its end, all alerts are stored
	read_at INTEGER NOT NULL -- wall clock, when this row was written
);
CREATE INDEX captures_by_fingerprint ON captures (fingerprint);

-- A connection that at least one alert refers to. Read the view flows.
CREATE TABLE flow_rows (
	n INTEGER PRIMARY KEY, -- what alert_rows.flow refers to, in the order in which they were stored
	id INTEGER NOT NULL, -- flow_id in EVE; the same in every run
	run INTEGER NOT NULL, -- the run that stored it first
	start INTEGER NOT NULL, -- time of its first packet
	client TEXT NOT NULL, -- address
	client_port INTEGER NOT NULL,
	server TEXT NOT NULL, -- address
	server_port INTEGER NOT NULL,
	v6 INTEGER NOT NULL, -- 1: was IPv6 on the wire
	vlan TEXT NOT NULL, -- tags, outermost first, comma between; '' none
	proto TEXT NOT NULL, -- smtp, imap, pop3, managesieve, other, unknown
	implicit_tls INTEGER NOT NULL, -- 1: TLS from the first byte
	client_ttl INTEGER NOT NULL, -- usual TTL of the client, 0 not seen
	server_ttl INTEGER NOT NULL, -- usual TTL of the server, 0 not seen
	server_name TEXT NOT NULL -- from greeting or SNI, '' if none
);
CREATE UNIQUE INDEX flows_by_start ON flow_rows (start, id);

CREATE VIEW flows AS SELECT id, run, start, client, client_port, server,
	server_port, v6, vlan, proto, implicit_tls, client_ttl, server_ttl,
	server_name FROM flow_rows;

-- What alerts of one rule have in common, once.
CREATE TABLE alert_kinds (
	id INTEGER PRIMARY KEY, -- what alert_rows.kind refers to
	finding TEXT NOT NULL, -- name from the catalogue
	severity INTEGER NOT NULL, -- 0 info, 1 low, 2 medium, 3 high, 4 critical
	tags TEXT NOT NULL, -- named pieces of evidence, comma between
	gid INTEGER NOT NULL, -- rule group
	sid INTEGER NOT NULL, -- rule number
	rev INTEGER NOT NULL, -- rule revision
	msg TEXT NOT NULL, -- the rule's message
	classtype TEXT NOT NULL, -- the rule's class, '' none
	reference TEXT NOT NULL, -- the rule's references, one a line
	UNIQUE (sid, gid, rev, finding, severity, tags, msg, classtype, reference)
);

-- A finding that a rule selected and graded, with its evidence. Read the view
-- alerts.
CREATE TABLE alert_rows (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- what `show` takes; never reused
	key INTEGER NOT NULL, -- identity, with the time: hash of flow, finding, rule, time, user, mechanism
	run INTEGER NOT NULL, -- the run that stored it
	capture INTEGER, -- file in which it was seen; NULL if live
	flow INTEGER NOT NULL, -- flow_rows.n; in the view flows.id
	time INTEGER NOT NULL, -- when it happened
	kind INTEGER NOT NULL, -- alert_kinds.id; in the view its columns
	confidence INTEGER NOT NULL, -- 0 to 100
	visibility INTEGER NOT NULL, -- what was missing: 1 handshake, 2 a direction, 4 client bytes, 8 server bytes, 16 cut frames, 32 ambiguous, 64 cut short, 128 overlong; 0 seen whole
	user TEXT NOT NULL, -- user name, '' none; never a secret
	mech TEXT NOT NULL, -- authentication mechanism, '' none
	cert_sha256 TEXT NOT NULL, -- certificates.sha256, '' none
	cause TEXT NOT NULL, -- where the cause may sit, '' as usual for the finding
	advice TEXT NOT NULL, -- what to do next, '' as usual for the finding
	evidence TEXT NOT NULL, -- JSON: [[weight, "sentence"], ...]
	ladder BLOB NOT NULL, -- steps of the dialogue, see db/ladder_blob.h
	incident INTEGER NOT NULL DEFAULT 0, -- incidents.id, 0 none
	status INTEGER NOT NULL DEFAULT 0, -- the operator's: 0 new, 1 acknowledged, 2 closed
	closed_as TEXT NOT NULL DEFAULT '' -- what it was: attack, not-an-attack, resolved; '' not closed
);
CREATE UNIQUE INDEX alerts_by_time ON alert_rows (time, key);

CREATE VIEW alerts AS SELECT a.id, a.key, a.run, a.capture,
	coalesce(f.id, 0) AS flow, a.time, k.finding, k.severity, a.confidence,
	k.tags, a.visibility, k.gid, k.sid, k.rev, k.msg, k.classtype,
	k.reference, a.user, a.mech, a.cert_sha256, a.cause, a.advice,
	a.evidence, a.ladder, a.incident, a.status, a.closed_as
	FROM alert_rows a LEFT JOIN alert_kinds k ON k.id=a.kind
	LEFT JOIN flow_rows f ON f.n=a.flow;

-- Each certificate that a server or a client showed, its own and those of
-- issuers, once.
-- Of very many the ones not seen for longest go.
CREATE TABLE certificates (
	sha256 TEXT PRIMARY KEY, -- of the DER, hex
	spki_sha256 TEXT NOT NULL, -- of its public key, hex
	subject TEXT NOT NULL, -- RFC 2253 form
	issuer TEXT NOT NULL, -- RFC 2253 form
	serial TEXT NOT NULL, -- hex
	names TEXT NOT NULL, -- subjectAltName, one a line
	not_before INTEGER NOT NULL, -- seconds since 1970
	not_after INTEGER NOT NULL, -- seconds since 1970
	key_type INTEGER NOT NULL, -- 1 RSA, 2 EC, 3 Ed25519, 4 Ed448, 5 DSA, 0 other
	key_bits INTEGER NOT NULL,
	signature TEXT NOT NULL, -- algorithm
	flags INTEGER NOT NULL, -- bits of enum x509_flag
	trust INTEGER NOT NULL, -- of a server's own, as last verified: 1 trusted, 2 self-signed, 3 incomplete, 4 unknown root, 5 bad signature, 6 malformed, 0 unknown
	error TEXT NOT NULL, -- the verifier's words
	first INTEGER NOT NULL, -- earliest sight
	first_server TEXT NOT NULL, -- address and port there
	last INTEGER NOT NULL, -- latest sight
	last_server TEXT NOT NULL -- address and port there
) WITHOUT ROWID;

-- The certificates themselves.
CREATE TABLE certificate_der (
	sha256 TEXT PRIMARY KEY, -- certificates.sha256
	place INTEGER NOT NULL, -- nearest to a server's own: 0 it is one, 1 the next sent; from 128 on: to a client's
	known INTEGER NOT NULL, -- 1: stood on a path to a trust anchor, and completes others
	staple INTEGER NOT NULL, -- the last stapled OCSP response about it: 1 good, 2 revoked, 3 unknown there, above: says nothing (enum staple_status); 0 there was none
	der BLOB NOT NULL, -- '' if it was too long to be kept
	scts INTEGER NOT NULL DEFAULT 0 -- certificate transparency besides what is in it: 1 in a stapled response, 2 in the handshake
);

-- History: what each server did in sessions that were seen whole and free of
-- suspicion. Counts are sessions unless said otherwise.
CREATE TABLE servers (
	addr TEXT NOT NULL, -- or the name of all servers that go by it
	port INTEGER NOT NULL,
	proto TEXT NOT NULL,
	implicit_tls INTEGER NOT NULL,
	first INTEGER NOT NULL, -- first session that taught
	last INTEGER NOT NULL, -- latest
	sessions INTEGER NOT NULL, -- that taught
	days INTEGER NOT NULL, -- distinct UTC days among them
	offered INTEGER NOT NULL, -- capability lists with STARTTLS or STLS
	not_offered INTEGER NOT NULL, -- lists without
	offered_days INTEGER NOT NULL, -- distinct days with an offer
	first_offer INTEGER NOT NULL,
	last_offer INTEGER NOT NULL,
	last_absence INTEGER NOT NULL, -- latest list without
	tls_done INTEGER NOT NULL, -- TLS handshakes completed
	first_tls INTEGER NOT NULL, -- time of the first of them
	demanded INTEGER NOT NULL, -- said "issue STARTTLS first"
	logindisabled INTEGER NOT NULL, -- lists with LOGINDISABLED
	capa_ok INTEGER NOT NULL, -- answered the capability command
	capa_refused INTEGER NOT NULL,
	ehlo_ok INTEGER NOT NULL,
	helo_only INTEGER NOT NULL,
	greeting_ok INTEGER NOT NULL,
	greeting_preauth INTEGER NOT NULL, -- IMAP PREAUTH
	tls_failed INTEGER NOT NULL, -- TLS asked for and not completed
	mechs INTEGER NOT NULL, -- bits of enum sasl_mech offered before TLS
	tls_versions INTEGER NOT NULL, -- bits: 1 SSL2, 2 SSL3, 4 TLS 1.0, 8 1.1, 16 1.2, 32 1.3
	ttl INTEGER NOT NULL, -- usual TTL, 0 unknown
	host TEXT NOT NULL, -- name in the greeting
	words TEXT NOT NULL, -- last capability list before TLS, one a line
	name_from INTEGER NOT NULL DEFAULT 0, -- where its names were read: 1 greeting, 2 SNI, 4 trusted certificate
	mechs_safe INTEGER NOT NULL DEFAULT 0, -- lists with a mechanism that does not show the password
	mechs_clear_only INTEGER NOT NULL DEFAULT 0, -- lists that offer authentication in clear only
	rtt INTEGER NOT NULL DEFAULT 0, -- microseconds from the sensor to it and back, 0 unknown
	greeting_shape INTEGER NOT NULL DEFAULT 0, -- hash of the greeting without names and numbers
	greeting_same INTEGER NOT NULL DEFAULT 0, -- greetings of that shape in a row
	syn_signature INTEGER NOT NULL DEFAULT 0, -- hash of its SYN/ACK's options
	offered_to INTEGER NOT NULL DEFAULT 0, -- hash of the client that last got an offer
	alert_texts BLOB NOT NULL DEFAULT x'', -- hashes of IMAP ALERT texts
	offered_sides INTEGER NOT NULL DEFAULT 0, -- 1 offered to private addresses, 2 public
	before_offer INTEGER NOT NULL DEFAULT 0, -- lists without STARTTLS before the first with
	changed INTEGER NOT NULL DEFAULT 0, -- when a change was accepted, 0 never
	absent_since INTEGER NOT NULL DEFAULT 0, -- an offer is not made any more since, 0: it is
	absent_last INTEGER NOT NULL DEFAULT 0,
	absent_sessions INTEGER NOT NULL DEFAULT 0,
	absent_clients BLOB NOT NULL DEFAULT x'', -- hashes of them
	absent_nclients INTEGER NOT NULL DEFAULT 0,
	absent_told INTEGER NOT NULL DEFAULT 0, -- 1: the one alert about it was raised
	members BLOB NOT NULL DEFAULT x'', -- machines behind the address, struct member
	tickets_taken INTEGER NOT NULL DEFAULT 0, -- sessions resumed with what the client brought
	tickets_refused INTEGER NOT NULL DEFAULT 0, -- and not resumed although it brought something
	PRIMARY KEY (addr, port, proto, implicit_tls)
) WITHOUT ROWID;

-- History: leaf keys that a server was seen with.
CREATE TABLE server_keys (
	addr TEXT NOT NULL, -- the server, as in servers
	port INTEGER NOT NULL,
	proto TEXT NOT NULL,
	implicit_tls INTEGER NOT NULL,
	spki BLOB NOT NULL, -- SHA-256 of the public key
	issuer BLOB NOT NULL, -- SHA-256 of the issuer's name
	first INTEGER NOT NULL,
	last INTEGER NOT NULL,
	trusted INTEGER NOT NULL, -- 1: verified to an anchor when seen
	self_signed INTEGER NOT NULL,
	key_type INTEGER NOT NULL DEFAULT 0, -- as in certificates
	not_before INTEGER NOT NULL DEFAULT 0, -- seconds since 1970
	not_after INTEGER NOT NULL DEFAULT 0, -- likewise; both 0: unknown
	domains BLOB NOT NULL DEFAULT x'', -- the domains it is for, a bit each
	PRIMARY KEY (addr, port, proto, implicit_tls, spki, issuer)
) WITHOUT ROWID;

-- History: how a server answers clients of one TLS fingerprint in TLS 1.3.
CREATE TABLE server_stacks (
	addr TEXT NOT NULL, -- the server, as in servers
	port INTEGER NOT NULL,
	proto TEXT NOT NULL,
	implicit_tls INTEGER NOT NULL,
	client INTEGER NOT NULL, -- hash of the JA4 of the clients
	ja3s INTEGER NOT NULL, -- hash of the JA3S
	flight INTEGER NOT NULL, -- bytes of its flight, the last one
	syn INTEGER NOT NULL, -- hash of its SYN/ACK's options
	ttl INTEGER NOT NULL, -- the last one, 0 unknown
	first INTEGER NOT NULL,
	last INTEGER NOT NULL,
	sessions INTEGER NOT NULL,
	pending INTEGER NOT NULL, -- 1: unlike all before it, not learned yet
	contradicted INTEGER NOT NULL, -- 1: what was before was seen since
	told INTEGER NOT NULL, -- confidence of the alert about it, 0 none
	nclients INTEGER NOT NULL, -- that have seen it, while it is pending
	clients BLOB NOT NULL, -- hashes of their addresses
	PRIMARY KEY (addr, port, proto, implicit_tls, client, ja3s, syn, flight, ttl)
) WITHOUT ROWID;

-- History: how a client uses a server.
CREATE TABLE pairs (
	client TEXT NOT NULL, -- address, or its network (/24, /48)
	addr TEXT NOT NULL, -- the server, as in servers
	port INTEGER NOT NULL,
	proto TEXT NOT NULL,
	implicit_tls INTEGER NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER NOT NULL,
	tls INTEGER NOT NULL, -- sessions with TLS
	clear INTEGER NOT NULL, -- sessions in clear
	tls_days INTEGER NOT NULL, -- distinct days with TLS
	tls_failed_then_clear INTEGER NOT NULL, -- fell back to clear
	offered INTEGER NOT NULL DEFAULT 0, -- lists with STARTTLS
	not_offered INTEGER NOT NULL DEFAULT 0, -- lists without
	ehlo BLOB NOT NULL DEFAULT x'', -- hashes of its EHLO names
	syn_signature INTEGER NOT NULL DEFAULT 0, -- hash of its SYN's options
	client_ttl INTEGER NOT NULL DEFAULT 0, -- usual TTL, 0 unknown
	ehlo_name TEXT NOT NULL DEFAULT '', -- the last
	absent_since INTEGER NOT NULL DEFAULT 0, -- an offer is not made any more since, 0: it is
	absent_last INTEGER NOT NULL DEFAULT 0,
	absent_sessions INTEGER NOT NULL DEFAULT 0,
	absent_clients BLOB NOT NULL DEFAULT x'', -- hashes of them
	absent_nclients INTEGER NOT NULL DEFAULT 0,
	absent_told INTEGER NOT NULL DEFAULT 0, -- 1: the one alert about it was raised
	hellos BLOB NOT NULL DEFAULT x'', -- hashes of the JA4 of sessions that got TLS
	PRIMARY KEY (client, addr, port, proto, implicit_tls)
) WITHOUT ROWID;

-- What the program keeps for itself, by name.
CREATE TABLE meta (
	name TEXT PRIMARY KEY, -- names-key: of the pseudonyms of users
	value BLOB NOT NULL
) WITHOUT ROWID;

-- What is said of servers rather than learned.
CREATE TABLE pins (
	addr TEXT NOT NULL, -- or a name, or a pattern *.domain
	port INTEGER NOT NULL,
	proto TEXT NOT NULL,
	implicit_tls INTEGER NOT NULL,
	source INTEGER NOT NULL, -- 0 the operator, 1 a policy
	domain TEXT NOT NULL, -- of the policy, '' none
	starttls INTEGER NOT NULL, -- 1 required, 2 offered, 3 none, 0 not said
	tls_min INTEGER NOT NULL, -- 771: TLS 1.2; 0 any
	interceptor INTEGER NOT NULL, -- 1: an own intercepting product is allowed
	sha256 BLOB NOT NULL, -- of public key or certificate, '' any
	issuer TEXT NOT NULL, -- part of the issuer's name, '' any
	cert_name TEXT NOT NULL, -- that the certificate must be for, '' any
	expires INTEGER NOT NULL, -- packet time, 0 never
	PRIMARY KEY (addr, port, proto, implicit_tls, source, domain)
) WITHOUT ROWID;

-- Alerts that tell one story. A row with saved 0 has only taken its number:
-- the capture that it began in was not read to its end.
CREATE TABLE incidents (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- what alerts.incident refers to; never reused
	run INTEGER NOT NULL, -- the run that opened it
	saved INTEGER NOT NULL DEFAULT 0, -- 1: the rest holds
	ended INTEGER NOT NULL DEFAULT 0, -- 0 it may go on, 1 quiet for long, 2 another needed its room, 3 the operator closed it
	first INTEGER NOT NULL DEFAULT 0, -- time of its first alert
	last INTEGER NOT NULL DEFAULT 0, -- of its latest
	severity INTEGER NOT NULL DEFAULT 0, -- as in alerts; may be higher than that of any
	confidence INTEGER NOT NULL DEFAULT 0, -- the highest of its alerts
	story TEXT NOT NULL DEFAULT '', -- stripping, broken-handshake, interception, injection, in-clear, server-fault
	stages INTEGER NOT NULL DEFAULT 0, -- how far it went: 1 interfered, 2 unprotected, 4 exposed
	sessions INTEGER NOT NULL DEFAULT 0, -- connections that an alert of it is about
	alerts INTEGER NOT NULL DEFAULT 0, -- all of them
	folded INTEGER NOT NULL DEFAULT 0, -- of them counted here only, without a row of their own
	server_name TEXT NOT NULL DEFAULT '', -- of the first alert
	title TEXT NOT NULL DEFAULT '', -- a sentence
	cause TEXT NOT NULL DEFAULT '', -- where the interference may sit
	advice TEXT NOT NULL DEFAULT '', -- what to do next
	detail TEXT NOT NULL DEFAULT '{}', -- JSON: clients, servers, timeline and counts, see db/incident_json.h
	status INTEGER NOT NULL DEFAULT 0, -- the operator's, as in alerts
	closed_as TEXT NOT NULL DEFAULT '' -- likewise
);

-- What operators did and wrote, in order.
CREATE TABLE notes (
	id INTEGER PRIMARY KEY, -- their order
	time INTEGER NOT NULL, -- wall clock
	kind TEXT NOT NULL, -- alert or incident
	ref INTEGER NOT NULL, -- its id
	what TEXT NOT NULL, -- ack, close, reopen, comment
	closed_as TEXT NOT NULL, -- of close, else ''
	author TEXT NOT NULL, -- the user's name on that machine
	text TEXT NOT NULL -- '' none
);
CREATE INDEX notes_by_ref ON notes (kind, ref);

-- What feeds send, in that order: written in the transaction of the alert or
-- of the incident, while the configuration names feeds.
CREATE TABLE events (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused
	type TEXT NOT NULL, -- alert or incident
	time INTEGER NOT NULL, -- of what it is about
	stored INTEGER NOT NULL, -- wall clock
	id TEXT NOT NULL, -- stripwire.event_id, the same wherever it is met
	ref INTEGER NOT NULL, -- alerts.id or incidents.id
	eve TEXT NOT NULL -- the EVE object
);

-- How far each feed is.
CREATE TABLE feeds (
	name TEXT PRIMARY KEY, -- as in the configuration
	cursor INTEGER NOT NULL, -- events.seq; up to here all have arrived, or are not sent again
	highest INTEGER NOT NULL DEFAULT 0, -- events.seq; up to here they were handed over, at least once
	updated INTEGER NOT NULL DEFAULT 0, -- wall clock, 0: never at work
	sent INTEGER NOT NULL DEFAULT 0, -- messages handed over, those sent again too
	again INTEGER NOT NULL DEFAULT 0, -- of them sent again after a break or a restart
	failed INTEGER NOT NULL DEFAULT 0, -- could not be sent or written in its format, and was given up
	dropped INTEGER NOT NULL DEFAULT 0, -- of those that go past the database, for want of room
	expired INTEGER NOT NULL DEFAULT 0, -- events that were retired before they were sent
	error TEXT NOT NULL DEFAULT '', -- the last
	error_at INTEGER NOT NULL DEFAULT 0 -- wall clock
) WITHOUT ROWID;
