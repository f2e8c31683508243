/*
 * One line of each kind with every field that the contract knows, and one with the least.
 * They stand in the order in which we write, so that encoding what was decoded gives the
 * same bytes.
 */
#ifndef ASTRAY_WIRE_LINES_H
#define ASTRAY_WIRE_LINES_H

#include "astray/obs.h"

#define WIRE_LINES_PLACE                                                                 \
	"{\"country\":\"NL\",\"city\":\"Amsterdam\",\"latitude\":52.4,\"longitude\":4."  \
	"9,"                                                                             \
	"\"asn\":64511,\"org\":\"Edge, \\\"Inc.\\\" \u6771\u4eac\",\"source\":\"mmdb\"," \
	"\"verdict\":\"possible\"}"
#define WIRE_LINES_SKETCH                                                              \
	"{\"scale\":7,\"offset\":1620,\"counts\":[3,0,9],\"zeros\":2,\"sum\":78500.5," \
	"\"min\":0,\"max\":6575.25}"

static const char *const wire_lines_full[OBS_KINDS] = {
	[OBS_HELLO] =
		"{\"kind\":\"hello\",\"at_us\":1590854700000000,\"version\":\"0.1.0\","
		"\"role\":\"gateway\",\"labels\":{\"site\":\"tokyo\",\"floor\":\"7\"},"
		"\"network\":{\"asn\":64496,\"country\":\"JP\"}}",
	[OBS_TRAFFIC] =
		"{\"kind\":\"traffic\",\"at_us\":1590854700000000,\"window_us\":10000000,"
		"\"service\":\"exchange\",\"method\":\"kernel\",\"connections\":12,"
		"\"refused\":1,\"timed_out\":"
		"2,"
		"\"reset\":3,\"requests\":120,\"responses\":118,\"errors\":4,\"untimed\":"
		"5,"
		"\"multiplexed\":6,\"sent_bytes\":9007199254740991,\"received_bytes\":7,"
		"\"retransmits\":8,\"lost_packets\":9,\"connect_us\":" WIRE_LINES_SKETCH
		",\"response_us\":" WIRE_LINES_SKETCH
		",\"last_byte_us\":" WIRE_LINES_SKETCH ",\"think_us\":" WIRE_LINES_SKETCH
		",\"tls_us\":" WIRE_LINES_SKETCH ",\"rtt_us\":" WIRE_LINES_SKETCH
		",\"client_connect_us\":" WIRE_LINES_SKETCH
		",\"peers\":{\"203.0.113.10\":100,\"2001:db8::10\":20}}",
	[OBS_CHECK] =
		"{\"kind\":\"check\",\"at_us\":1590854700000000,\"service\":\"exchange\","
		"\"url\":\"https://exchange.example/health\",\"peer\":\"203.0.113.10\","
		"\"dns_us\":1200,\"connect_us\":3400,\"tls_us\":5600,\"first_byte_us\":"
		"7800,"
		"\"total_us\":9000,\"status\":503,\"error\":\"http\","
		"\"error_text\":\"503 Service "
		"Unavailable\",\"tls\":{\"version\":\"TLSv1.3\","
		"\"issuer\":\"CN=Test "
		"CA\",\"subject\":\"CN=exchange.example\",\"spki_sha256\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
		"\"not_before\":\"2020-01-01T00:00:00Z\",\"not_after\":\"2021-01-01T00:"
		"00:00Z\","
		"\"verified\":true,\"chain\":[{\"subject\":\"CN=Test Root\","
		"\"spki_sha256\":"
		"\"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\"},"
		"{\"subject\":\"CN=Other\"}],\"names_in_all\":17,"
		"\"names\":[\"exchange.example\",\"*.exchange.example\"]}}",
	[OBS_TRACE] =
		"{\"kind\":\"trace\",\"at_us\":1590854700000000,\"service\":\"exchange\","
		"\"peer\":\"203.0.113.10\",\"protocol\":\"udp\",\"port\":443,\"flow\":3,"
		"\"reached\":true,\"hops\":[{\"ttl\":1,\"sent\":3,\"answered\":2,"
		"\"address\":\"192.0.2.1\",\"rtt_us\":812,\"name\":\"gw.tokyo.example\","
		"\"mpls\":[{\"label\":1048575,\"tc\":7,\"s\":1,\"ttl\":255},"
		"{\"label\":3,\"tc\":1,\"s\":1,\"ttl\":1}],\"place\":" WIRE_LINES_PLACE
		"},"
		"{\"ttl\":2,\"sent\":3,\"answered\":0},"
		"{\"ttl\":2,\"sent\":3,\"answered\":1,\"address\":\"2001:db8::1\"}]}",
	[OBS_DNS] =
		"{\"kind\":\"dns\",\"at_us\":1590854700000000,\"service\":\"exchange\","
		"\"name\":\"exchange.example\",\"type\":\"A\",\"role\":\"parent\","
		"\"server\":\"192.0.2.53\",\"rcode\":\"NOERROR\",\"answers\":["
		"{\"data\":\"203.0.113.10\",\"ttl\":60,\"place\":" WIRE_LINES_PLACE "},"
		"{\"data\":\"203.0.113.11\"}],\"authoritative\":true,\"validated\":true,"
		"\"rtt_us\":15000}",
	[OBS_REGISTRY] =
		"{\"kind\":\"registry\",\"at_us\":1590854700000000,"
		"\"domain\":\"exchange.example\",\"registrar\":\"A Registrar\","
		"\"status\":[\"client transfer prohibited\",\"active\"],"
		"\"name_servers\":[\"ns1.exchange.example\",\"ns2.exchange.example\"],"
		"\"last_changed\":\"2020-05-30T15:05:00Z\",\"expires\":\"2021-05-30T00:"
		"00:00Z\","
		"\"delegation_signed\":true}",
	[OBS_HEALTH] =
		"{\"kind\":\"health\",\"at_us\":1590854700000000,\"cpu_us\":1,\"rss_"
		"bytes\":2,"
		"\"spooled_batches\":3,\"spooled_bytes\":4,\"dropped_observations\":5,"
		"\"captured_packets\":6,\"capture_drops\":7,\"gaps\":[{\"from_us\":8,"
		"\"until_us\":9,\"observations\":10}]}",
	[OBS_MAINTENANCE] = "{\"kind\":\"maintenance\",\"at_us\":1590854700000000,"
			    "\"service\":\"exchange\","
			    "\"site\":\"tokyo\",\"from_us\":1590854700000000,\"until_"
			    "us\":1590858300000000,"
			    "\"note\":\"a new switch\"}",
	[OBS_ACKNOWLEDGE] =
		"{\"kind\":\"acknowledge\",\"at_us\":1590854700000000,"
		"\"incident\":\"20200531-1\",\"by\":\"ann\",\"note\":\"on it\"}",
};

static const char *const wire_lines_least[OBS_KINDS] = {
	[OBS_HELLO] = "{\"kind\":\"hello\",\"at_us\":0,\"version\":\"1\",\"role\":"
		      "\"endpoint\"}",
	[OBS_TRAFFIC] =
		"{\"kind\":\"traffic\",\"at_us\":9007199254740991,\"window_us\":1,"
		"\"service\":\"x\"}",
	[OBS_CHECK] = "{\"kind\":\"check\",\"at_us\":1,\"service\":\"x\","
		      "\"url\":\"https://x.example\",\"error\":null}",
	[OBS_TRACE] = "{\"kind\":\"trace\",\"at_us\":1,\"service\":\"x\","
		      "\"peer\":\"2001:db8::1\",\"protocol\":\"icmp\",\"reached\":false,"
		      "\"hops\":[]}",
	[OBS_DNS] =
		"{\"kind\":\"dns\",\"at_us\":1,\"service\":\"x\",\"name\":\"x.example\","
		"\"type\":\"NS\",\"role\":\"resolver\",\"server\":\"192.0.2.53\","
		"\"rcode\":\"TIMEOUT\",\"answers\":[],\"authoritative\":false,"
		"\"validated\":false}",
	[OBS_REGISTRY] = "{\"kind\":\"registry\",\"at_us\":1,\"domain\":\"x.example\","
			 "\"status\":[],\"name_servers\":[]}",
	[OBS_HEALTH] = "{\"kind\":\"health\",\"at_us\":1}",
	[OBS_MAINTENANCE] = "{\"kind\":\"maintenance\",\"at_us\":1,\"service\":\"*\","
			    "\"site\":null,\"from_us\":2,\"until_us\":2}",
	[OBS_ACKNOWLEDGE] = "{\"kind\":\"acknowledge\",\"at_us\":1,\"incident\":\"x\"}",
};

#endif
