/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words of Suricata that have no meaning here: rules that use them are named
 * and left out, so that a rule set made for all of a network loads. A word that
 * is in neither table nor in ours is a mistake.
 */
#include "rules/rule_words.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name, *why;
} with_reason[] = {
    {"file_data", "message bodies are not looked at"},
    {"file.data", "message bodies are not looked at"},
    {"tag", "an alert brings its own evidence"},
    {"hostbits", "xbits by ip_src or ip_dst do this"},
    {"flowint", "flowbits and threshold do most of this"},
    {"tls.certs", "tls.cert_subject, _issuer and _serial are there"},
    {"tls_cert_expired", "finding:cert-expired knows"},
    {"tls_cert_valid", "findings of the family cert- know"},
    {"app-layer-event", "findings are there for what is out of order"},
    {"ssl_version", "tls.version is there"},
};

static const char *const plain[] = {"dsize", "byte_test", "byte_jump",
    "byte_extract", "byte_math", "base64_decode", "base64_data", "filename",
    "fileext", "filemagic", "filestore", "filesize", "filemd5", "filesha1",
    "filesha256", "file.name", "file.magic", "dataset", "datarep", "lua",
    "luajit", "iprep", "geoip", "app-layer-protocol", "decode-event",
    "stream-event", "stream_size", "flags", "seq", "ack", "window", "ttl",
    "tos", "ipopts", "ip_proto", "ipv4.hdr", "ipv6.hdr", "sameip", "id",
    "fragbits", "fragoffset", "fragment_offset", "tcp.flags", "tcp.hdr",
    "tcp.mss", "tcp.ack", "tcp.seq", "tcp.window", "itype", "icode", "icmp_id",
    "icmp_seq", "bypass", "requires", "replace", "xor", "to_md5", "to_sha1",
    "to_sha256", "compress_whitespace", "pcrexform", "url_decode", "flow.age",
    "flow.pkts_toclient", "flow.pkts_toserver", "flow.bytes_toclient",
    "flow.bytes_toserver", "ssl_state", "tls_cert_notbefore",
    "tls_cert_notafter", "tls.cert_chain_len", "tls.random", "tls.random_time",
    "tls.random_bytes", "ja3.string", "ja3_string", "ja3s.string", "email.from",
    "email.to", "email.cc", "email.subject", "email.date", "email.message_id",
    "email.x_mailer", "email.url", "email.received", "mime_anomaly", "http.uri",
    "http.host", "http.method", "http.header", "http.cookie", "http.user_agent",
    "http.request_body", "http.response_body", "http.stat_code", "http_uri",
    "http_host", "http_method", "http_header", "uricontent", "urilen",
    "dns.query", "dns_query", "dns.opcode", "ssh.proto", "ssh.software",
    "smb.share", "dce_iface", "krb5_msg_type", "snmp.version", "sip.method",
    "mqtt.type", "ftpbounce", "ftpdata_command", "asn1", "rpc", "l3_proto",
    "vlan.id", "vlan.layers", "entropy", "from_base64", "pkt_data_len",
    "luaxform", "xform", "bytes_ratio", "frame", "flow.bytes", "flow.pkts",
    "icmpv6.hdr", "icmpv4.hdr", "udp.hdr", "tcp.wscale", "tcp.urp", "vxlan",
    "ldap.request.operation", "quic.sni", "quic.version", "websocket.payload",
    "nfs_procedure", "http.protocol", "http.request_line", "http.response_line",
    "http.referer", "http.accept", "http.content_type", "http.location",
    "http.server", "http.stat_msg", "http.start", "http.connection",
    "http.content_len", "http.uri.raw", "http.host.raw", "http.header.raw",
    "http.header_names", "http.request_header", "http.response_header",
    "http_client_body", "http_server_body", "http_raw_uri", "http_raw_header",
    "http_stat_code", "http_stat_msg", "http_user_agent", "http_request_line",
    "http_content_type", "http_content_len", "dns.rcode", "dns.rrtype",
    "dns.answer.name", "dns.query.name", "dns.queries.rrname",
    "dns.answers.rrname", "ssh.hassh", "ssh.hassh.server", "ssh.protoversion",
    "ssh_proto", "ssh_software", "smb.named_pipe", "smb.ntlmssp_user",
    "smb.ntlmssp_domain", "smb.version", "dcerpc.iface", "dcerpc.opnum",
    "dcerpc.stub_data", "dce_opnum", "dce_stub_data", "krb5.cname",
    "krb5.sname", "krb5_err_code", "snmp.community", "snmp.pdu_type",
    "snmp.usm", "sip.uri", "sip.request_line", "sip.stat_code", "rfb.name",
    "rfb.secresult", "mqtt.publish.topic", "mqtt.publish.message",
    "mqtt.protocol_version", "modbus", "dnp3_func", "dnp3_obj", "dnp3.data",
    "cip_service", "enip_command", "ike.init_spi", "ike.exchtype", "rdp.cookie",
    "ftp.command", "ftp.command_data", "ftp.reply", "ftp.completion_code",
    "telnet", "template", "file.size", "file.ext", "nfs.version",
    "app-layer-state", "detection_option", "file.mime", "engine-event"};

static const char *const protocols[] = {"ip", "udp", "icmp", "icmpv6",
    "tcp-pkt", "tcp-stream", "pkthdr", "ether", "arp", "sctp", "http", "http1",
    "http2", "ftp", "ftp-data", "ssh", "dns", "smb", "dcerpc", "dhcp", "nfs",
    "krb5", "snmp", "sip", "rdp", "rfb", "mqtt", "ntp", "tftp", "ike", "quic",
    "modbus", "dnp3", "enip", "telnet", "bittorrent-dht", "pgsql", "ldap",
    "websocket", "mdns", "doh2", "ssl"};

static bool
is_in(const char *const *names, size_t n, struct lex_word w)
{
	for (size_t i = 0; i < n; i++)
		if (lex_word_is(w, names[i]))
			return true;
	return false;
}

const char *
keyword_outside(struct lex_word w)
{
	for (size_t i = 0; i < COUNT(with_reason); i++)
		if (lex_word_is(w, with_reason[i].name))
			return with_reason[i].why;
	return is_in(plain, COUNT(plain), w) ? "" : NULL;
}

bool
protocol_outside(struct lex_word w)
{
	return is_in(protocols, COUNT(protocols), w);
}
