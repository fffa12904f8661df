-- SPDX-License-Identifier: GPL-3.0-or-later
-- What comes in: the topics stripwire-alerts and stripwire-flows, see README.md.
-- The server needs these two settings in the profile that Kafka tables use
-- (users.d/stripwire.xml here):
--   input_format_import_nested_json = 1, input_format_skip_unknown_fields = 1

CREATE DATABASE IF NOT EXISTS stripwire;

CREATE TABLE IF NOT EXISTS stripwire.events (
    timestamp String,
    event_type String,
    host String,
    in_iface String,
    direction String,
    src_ip String,
    src_port UInt16,
    dest_ip String,
    dest_port UInt16,
    app_proto String,
    community_id String,
    `alert.signature_id` UInt32,
    `alert.signature` String,
    `flow.start` String,
    `flow.end` String,
    `flow.bytes_toserver` UInt64,
    `flow.bytes_toclient` UInt64,
    `stripwire.event_id` String,
    `stripwire.finding` String,
    `stripwire.severity` String,
    `stripwire.confidence` UInt8,
    `stripwire.user` String,
    `stripwire.server_name` String,
    `stripwire.cert_sha256` String,
    `stripwire.key_sha256` String,
    `stripwire.cert_trusted` UInt8,
    `stripwire.incident_id` UInt64,
    `stripwire.event` String,
    `stripwire.title` String,
    `stripwire.alerts` UInt64,
    `stripwire.sessions` UInt64,
    `stripwire.advice` String,
    `stripwire.visibility` String,
    `stripwire.isn_client` UInt32,
    `stripwire.isn_server` UInt32,
    `stripwire.starttls` String,
    `stripwire.starttls_offered` UInt8,
    `stripwire.capabilities` Array(String),
    `stripwire.capabilities_hash` String,
    `stripwire.capabilities_complete` UInt8,
    `stripwire.tls_established` UInt8,
    `stripwire.tls_version` String,
    `stripwire.sni` String,
    `stripwire.end` String,
    `stripwire.ttl_client` UInt8,
    `stripwire.ttl_server` UInt8
) ENGINE = Kafka SETTINGS
    kafka_broker_list = 'kafka1:9092,kafka2:9092,kafka3:9092',
    kafka_topic_list = 'stripwire-alerts,stripwire-flows',
    kafka_group_name = 'clickhouse',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 1;
