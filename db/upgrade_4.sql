-- SPDX-License-Identifier: GPL-3.0-or-later
-- From version 3 of the database to version 4. The comments on what is new
-- stand in schema.sql.

-- Feeds.
CREATE TABLE events (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	type TEXT NOT NULL,
	time INTEGER NOT NULL,
	stored INTEGER NOT NULL,
	id TEXT NOT NULL,
	ref INTEGER NOT NULL,
	eve TEXT NOT NULL
);
CREATE TABLE feeds (
	name TEXT PRIMARY KEY,
	cursor INTEGER NOT NULL,
	highest INTEGER NOT NULL DEFAULT 0,
	updated INTEGER NOT NULL DEFAULT 0,
	sent INTEGER NOT NULL DEFAULT 0,
	again INTEGER NOT NULL DEFAULT 0,
	failed INTEGER NOT NULL DEFAULT 0,
	dropped INTEGER NOT NULL DEFAULT 0,
	expired INTEGER NOT NULL DEFAULT 0,
	error TEXT NOT NULL DEFAULT '',
	error_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
