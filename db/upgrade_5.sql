-- SPDX-License-Identifier: GPL-3.0-or-later
-- From version 4 of the database to version 5. Of an alert's key there was an
-- index of its own, in which each new row went to another place; it stays in
-- databases that have it.

DROP INDEX alerts_by_time;
CREATE UNIQUE INDEX alerts_by_time ON alerts (time, key);
