-- SPDX-License-Identifier: GPL-3.0-or-later
-- ClickHouse (18.16 of Debian 12 and all newer ones): what the sensors of a
-- fleet send to Kafka in EVE, as tables.
--
--   clickhouse-client -n < kafka.sql      what comes in, edit the brokers there
--   clickhouse-client -n < tables.sql     this file
--
-- A site is the name of a sensor (sensor_name, in EVE: host). Names with a dot
-- are members of an object in the JSON: input_format_import_nested_json.
-- Times are UTC. Alerts and incidents come at least once: the same event twice
-- becomes one row when parts are merged; FINAL does it while reading.

CREATE TABLE IF NOT EXISTS stripwire.flows (
    event_id String,
    site String,
    interface String,
    start DateTime,
    end DateTime,
    client String,
    client_port UInt16,
    server String,
    server_port UInt16,
    protocol String,
    server_name String,
    isn_client UInt32,
    isn_server UInt32,
    starttls String,
    starttls_offered UInt8,
    capabilities Array(String),
    capabilities_hash String,
    capabilities_complete UInt8,
    tls_established UInt8,
    tls_version String,
    sni String,
    cert_sha256 String,
    key_sha256 String,
    cert_trusted UInt8,
    visibility String,
    ended String,
    ttl_client UInt8,
    ttl_server UInt8,
    bytes_toserver UInt64,
    bytes_toclient UInt64,
    community_id String
) ENGINE = ReplacingMergeTree()
PARTITION BY toYYYYMM(start)
ORDER BY (server, server_port, start, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS stripwire.flows_from_kafka TO stripwire.flows AS
SELECT
    `stripwire.event_id` AS event_id,
    host AS site,
    in_iface AS interface,
    parseDateTimeBestEffortOrZero(`flow.start`) AS start,
    parseDateTimeBestEffortOrZero(`flow.end`) AS end,
    src_ip AS client,
    src_port AS client_port,
    dest_ip AS server,
    dest_port AS server_port,
    app_proto AS protocol,
    `stripwire.server_name` AS server_name,
    `stripwire.isn_client` AS isn_client,
    `stripwire.isn_server` AS isn_server,
    `stripwire.starttls` AS starttls,
    `stripwire.starttls_offered` AS starttls_offered,
    `stripwire.capabilities` AS capabilities,
    `stripwire.capabilities_hash` AS capabilities_hash,
    `stripwire.capabilities_complete` AS capabilities_complete,
    `stripwire.tls_established` AS tls_established,
    `stripwire.tls_version` AS tls_version,
    `stripwire.sni` AS sni,
    `stripwire.cert_sha256` AS cert_sha256,
    `stripwire.key_sha256` AS key_sha256,
    `stripwire.cert_trusted` AS cert_trusted,
    `stripwire.visibility` AS visibility,
    `stripwire.end` AS ended,
    `stripwire.ttl_client` AS ttl_client,
    `stripwire.ttl_server` AS ttl_server,
    `flow.bytes_toserver` AS bytes_toserver,
    `flow.bytes_toclient` AS bytes_toclient,
    community_id
FROM stripwire.events
WHERE event_type = 'flow';

CREATE TABLE IF NOT EXISTS stripwire.alerts (
    event_id String,
    site String,
    time DateTime,
    microseconds UInt32,
    client String,
    client_port UInt16,
    server String,
    server_port UInt16,
    protocol String,
    sid UInt32,
    signature String,
    finding String,
    severity String,
    confidence UInt8,
    user String,
    server_name String,
    cert_sha256 String,
    incident UInt64,
    visibility String
) ENGINE = ReplacingMergeTree()
PARTITION BY toYYYYMM(time)
ORDER BY (server, server_port, time, event_id);

-- A rule on content has the sender as source, which may be the server.
CREATE MATERIALIZED VIEW IF NOT EXISTS stripwire.alerts_from_kafka TO stripwire.alerts AS
SELECT
    `stripwire.event_id` AS event_id,
    host AS site,
    parseDateTimeBestEffortOrZero(timestamp) AS time,
    toUInt32OrZero(substring(timestamp, 21, 6)) AS microseconds,
    if(direction = 'to_client', dest_ip, src_ip) AS client,
    if(direction = 'to_client', dest_port, src_port) AS client_port,
    if(direction = 'to_client', src_ip, dest_ip) AS server,
    if(direction = 'to_client', src_port, dest_port) AS server_port,
    app_proto AS protocol,
    `alert.signature_id` AS sid,
    `alert.signature` AS signature,
    `stripwire.finding` AS finding,
    `stripwire.severity` AS severity,
    `stripwire.confidence` AS confidence,
    `stripwire.user` AS user,
    `stripwire.server_name` AS server_name,
    `stripwire.cert_sha256` AS cert_sha256,
    `stripwire.incident_id` AS incident,
    `stripwire.visibility` AS visibility
FROM stripwire.events
WHERE event_type = 'alert';

CREATE TABLE IF NOT EXISTS stripwire.incidents (
    event_id String,
    site String,
    time DateTime,
    incident UInt64,
    event String,
    severity String,
    confidence UInt8,
    title String,
    client String,
    server String,
    alerts UInt64,
    sessions UInt64,
    advice String
) ENGINE = ReplacingMergeTree()
PARTITION BY toYYYYMM(time)
ORDER BY (server, site, incident, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS stripwire.incidents_from_kafka TO stripwire.incidents AS
SELECT
    `stripwire.event_id` AS event_id,
    host AS site,
    parseDateTimeBestEffortOrZero(timestamp) AS time,
    `stripwire.incident_id` AS incident,
    `stripwire.event` AS event,
    `stripwire.severity` AS severity,
    `stripwire.confidence` AS confidence,
    `stripwire.title` AS title,
    src_ip AS client,
    dest_ip AS server,
    `stripwire.alerts` AS alerts,
    `stripwire.sessions` AS sessions,
    `stripwire.advice` AS advice
FROM stripwire.events
WHERE event_type = 'incident';

-- What each site sees of a server, by day: kept when the flows are gone. A list
-- counts if it was seen whole.
CREATE TABLE IF NOT EXISTS stripwire.servers_by_site (
    day Date,
    server String,
    server_port UInt16,
    site String,
    lists UInt64,
    with_starttls UInt64,
    established UInt64,
    flows UInt64
) ENGINE = SummingMergeTree()
PARTITION BY toYYYYMM(day)
ORDER BY (server, server_port, site, day);

CREATE MATERIALIZED VIEW IF NOT EXISTS stripwire.servers_by_site_from_kafka TO stripwire.servers_by_site AS
SELECT
    toDate(parseDateTimeBestEffortOrZero(`flow.start`)) AS day,
    dest_ip AS server,
    dest_port AS server_port,
    host AS site,
    toUInt64(sum(`stripwire.capabilities_complete`)) AS lists,
    toUInt64(sum(`stripwire.capabilities_complete` AND `stripwire.starttls_offered`)) AS with_starttls,
    toUInt64(sum(`stripwire.tls_established`)) AS established,
    toUInt64(count()) AS flows
FROM stripwire.events
WHERE event_type = 'flow'
GROUP BY day, server, server_port, site;

CREATE TABLE IF NOT EXISTS stripwire.keys_by_site (
    day Date,
    server String,
    server_port UInt16,
    site String,
    key_sha256 String,
    handshakes UInt64
) ENGINE = SummingMergeTree()
PARTITION BY toYYYYMM(day)
ORDER BY (server, server_port, key_sha256, site, day);

CREATE MATERIALIZED VIEW IF NOT EXISTS stripwire.keys_by_site_from_kafka TO stripwire.keys_by_site AS
SELECT
    toDate(parseDateTimeBestEffortOrZero(`flow.start`)) AS day,
    dest_ip AS server,
    dest_port AS server_port,
    host AS site,
    `stripwire.key_sha256` AS key_sha256,
    toUInt64(count()) AS handshakes
FROM stripwire.events
WHERE event_type = 'flow' AND `stripwire.key_sha256` != ''
GROUP BY day, server, server_port, site, key_sha256;
