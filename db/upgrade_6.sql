-- SPDX-License-Identifier: GPL-3.0-or-later
-- From version 5 of the database to version 6: what many alerts have in common
-- stands once, and connections in the order in which they were stored. The
-- comments on what is new stand in schema.sql.

CREATE TABLE flow_rows (
	n INTEGER PRIMARY KEY,
	id INTEGER NOT NULL,
	run INTEGER NOT NULL,
	start INTEGER NOT NULL,
	client TEXT NOT NULL,
	client_port INTEGER NOT NULL,
	server TEXT NOT NULL,
	server_port INTEGER NOT NULL,
	v6 INTEGER NOT NULL,
	vlan TEXT NOT NULL,
	proto TEXT NOT NULL,
	implicit_tls INTEGER NOT NULL,
	client_ttl INTEGER NOT NULL,
	server_ttl INTEGER NOT NULL,
	server_name TEXT NOT NULL
);
INSERT INTO flow_rows (id, run, start, client, client_port, server,
	server_port, v6, vlan, proto, implicit_tls, client_ttl, server_ttl,
	server_name) SELECT id, run, start, client, client_port, server,
	server_port, v6, vlan, proto, implicit_tls, client_ttl, server_ttl,
	server_name FROM flows ORDER BY start, id;
CREATE UNIQUE INDEX flows_by_start ON flow_rows (start, id);

CREATE TABLE alert_kinds (
	id INTEGER PRIMARY KEY,
	finding TEXT NOT NULL,
	severity INTEGER NOT NULL,
	tags TEXT NOT NULL,
	gid INTEGER NOT NULL,
	sid INTEGER NOT NULL,
	rev INTEGER NOT NULL,
	msg TEXT NOT NULL,
	classtype TEXT NOT NULL,
	reference TEXT NOT NULL,
	UNIQUE (sid, gid, rev, finding, severity, tags, msg, classtype, reference)
);
INSERT INTO alert_kinds (finding, severity, tags, gid, sid, rev, msg,
	classtype, reference) SELECT DISTINCT finding, severity, tags, gid, sid,
	rev, msg, classtype, reference FROM alerts;

CREATE TABLE alert_rows (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	key INTEGER NOT NULL,
	run INTEGER NOT NULL,
	capture INTEGER,
	flow INTEGER NOT NULL,
	time INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	confidence INTEGER NOT NULL,
	visibility INTEGER NOT NULL,
	user TEXT NOT NULL,
	mech TEXT NOT NULL,
	cert_sha256 TEXT NOT NULL,
	cause TEXT NOT NULL,
	advice TEXT NOT NULL,
	evidence TEXT NOT NULL,
	ladder BLOB NOT NULL,
	incident INTEGER NOT NULL DEFAULT 0,
	status INTEGER NOT NULL DEFAULT 0,
	closed_as TEXT NOT NULL DEFAULT ''
);
INSERT INTO alert_rows (id, key, run, capture, flow, time, kind, confidence,
	visibility, user, mech, cert_sha256, cause, advice, evidence, ladder,
	incident, status, closed_as) SELECT a.id, a.key, a.run, a.capture,
	coalesce(r.n, 0), a.time, coalesce(k.id, 0), a.confidence, a.visibility, a.user,
	a.mech, a.cert_sha256, a.cause, a.advice, a.evidence, a.ladder,
	a.incident, a.status, a.closed_as FROM alerts a
	LEFT JOIN flows f ON f.id=a.flow
	LEFT JOIN flow_rows r ON r.start=f.start AND r.id=f.id
	LEFT JOIN alert_kinds k ON k.sid=a.sid AND k.gid=a.gid AND k.rev=a.rev
	AND k.finding=a.finding AND k.severity=a.severity AND k.tags=a.tags
	AND k.msg=a.msg AND k.classtype=a.classtype AND k.reference=a.reference
	ORDER BY a.id;
DELETE FROM sqlite_sequence WHERE name='alert_rows';
INSERT INTO sqlite_sequence (name, seq) SELECT 'alert_rows', seq
	FROM sqlite_sequence WHERE name='alerts';

DROP TABLE alerts;
DROP TABLE flows;
CREATE UNIQUE INDEX alerts_by_time ON alert_rows (time, key);

CREATE VIEW flows AS SELECT id, run, start, client, client_port, server,
	server_port, v6, vlan, proto, implicit_tls, client_ttl, server_ttl,
	server_name FROM flow_rows;

CREATE VIEW alerts AS SELECT a.id, a.key, a.run, a.capture,
	coalesce(f.id, 0) AS flow, a.time, k.finding, k.severity, a.confidence,
	k.tags, a.visibility, k.gid, k.sid, k.rev, k.msg, k.classtype,
	k.reference, a.user, a.mech, a.cert_sha256, a.cause, a.advice,
	a.evidence, a.ladder, a.incident, a.status, a.closed_as
	FROM alert_rows a LEFT JOIN alert_kinds k ON k.id=a.kind
	LEFT JOIN flow_rows f ON f.n=a.flow;
