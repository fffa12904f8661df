-- SPDX-License-Identifier: GPL-3.0-or-later
-- From version 1 of the database to version 2. The comments on what is new
-- stand in schema.sql.

CREATE TABLE meta (
	name TEXT PRIMARY KEY,
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

INSERT INTO pins SELECT addr, port, proto, implicit_tls, 0, '', 1, 0, 0, x'',
	'', '', 0 FROM servers WHERE pinned_starttls <> 0;
ALTER TABLE servers DROP COLUMN pinned_starttls;
ALTER TABLE servers ADD COLUMN name_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN mechs_safe INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN mechs_clear_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN rtt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN greeting_shape INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN greeting_same INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN syn_signature INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN offered_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN alert_texts BLOB NOT NULL DEFAULT x'';
ALTER TABLE servers ADD COLUMN offered_sides INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN before_offer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN absent_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN absent_last INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN absent_sessions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN absent_clients BLOB NOT NULL DEFAULT x'';
ALTER TABLE servers ADD COLUMN absent_nclients INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN absent_told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN offered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN not_offered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN ehlo BLOB NOT NULL DEFAULT x'';
ALTER TABLE pairs ADD COLUMN syn_signature INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN client_ttl INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN ehlo_name TEXT NOT NULL DEFAULT '';
ALTER TABLE pairs ADD COLUMN absent_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN absent_last INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN absent_sessions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN absent_clients BLOB NOT NULL DEFAULT x'';
ALTER TABLE pairs ADD COLUMN absent_nclients INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN absent_told INTEGER NOT NULL DEFAULT 0;

CREATE TABLE certificate_der (
	sha256 TEXT PRIMARY KEY,
	place INTEGER NOT NULL,
	known INTEGER NOT NULL,
	staple INTEGER NOT NULL,
	der BLOB NOT NULL
);
