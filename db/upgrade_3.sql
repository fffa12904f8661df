-- SPDX-License-Identifier: GPL-3.0-or-later
-- From version 2 of the database to version 3. The comments on what is new
-- stand in schema.sql.

-- Incidents.
ALTER TABLE alerts ADD COLUMN incident INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN closed_as TEXT NOT NULL DEFAULT '';

CREATE TABLE incidents (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	run INTEGER NOT NULL,
	saved INTEGER NOT NULL DEFAULT 0,
	ended INTEGER NOT NULL DEFAULT 0,
	first INTEGER NOT NULL DEFAULT 0,
	last INTEGER NOT NULL DEFAULT 0,
	severity INTEGER NOT NULL DEFAULT 0,
	confidence INTEGER NOT NULL DEFAULT 0,
	story TEXT NOT NULL DEFAULT '',
	stages INTEGER NOT NULL DEFAULT 0,
	sessions INTEGER NOT NULL DEFAULT 0,
	alerts INTEGER NOT NULL DEFAULT 0,
	folded INTEGER NOT NULL DEFAULT 0,
	server_name TEXT NOT NULL DEFAULT '',
	title TEXT NOT NULL DEFAULT '',
	cause TEXT NOT NULL DEFAULT '',
	advice TEXT NOT NULL DEFAULT '',
	detail TEXT NOT NULL DEFAULT '{}',
	status INTEGER NOT NULL DEFAULT 0,
	closed_as TEXT NOT NULL DEFAULT ''
);

CREATE TABLE notes (
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	kind TEXT NOT NULL,
	ref INTEGER NOT NULL,
	what TEXT NOT NULL,
	closed_as TEXT NOT NULL,
	author TEXT NOT NULL,
	text TEXT NOT NULL
);
CREATE INDEX notes_by_ref ON notes (kind, ref);

-- Unlike machines behind one address.
ALTER TABLE servers ADD COLUMN members BLOB NOT NULL DEFAULT x'';
