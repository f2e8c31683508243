#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "astray/squeeze.h"
#include "astray/status.h"
#include "capture.h"
#include "capture_filter.h"
#include "flow_source.h"
#include "link_layer.h"
#include "unwrap.h"

/* A pcap file of three packets of four bytes, little-endian, microseconds. */
static size_t make_file(uint8_t bytes[static 128])
{
	static const uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4,
		0, [16] = 0xff, 0xff, [20] = LINK_LAYER_ETHERNET};
	size_t len = sizeof(header);

	memcpy(bytes, header, len);
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t packet[20] = {[0] = (uint8_t)(i + 1),
			[4] = 7,
			[8] = 4,
			[12] = 90,
			[16] = i,
			i,
			i,
			i};

		memcpy(bytes + len, packet, sizeof(packet));
		len += sizeof(packet);
	}
	return len;
}

struct seen {
	unsigned count;
	struct capture_packet latest;
	uint8_t first_byte;
};

static void packet_seen(void *arg, const struct capture_packet *packet)
{
	struct seen *seen = arg;

	seen->count++;
	seen->latest = *packet;
	seen->first_byte = packet->bytes[0];
}

static int read_bytes(
	const uint8_t *bytes, size_t len, struct seen *seen, struct fault *fault)
{
	char path[] = "/tmp/astray-capture-XXXXXX";
	int fd = mkstemp(path);
	struct capture *capture;
	int rc;

	*seen = (struct seen){0};
	*fault = (struct fault){0};
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	(void)close(fd);
	rc = capture_open_file(&capture, path, -1, fault);
	while (rc >= 0) {
		rc = capture_read(capture, 100, packet_seen, seen, fault);
		if (rc == 0)
			break;
	}
	capture_close(capture);
	(void)unlink(path);
	return rc;
}

static void a_file_is_read_to_its_end(void **state)
{
	uint8_t bytes[128];
	struct fault fault;
	struct seen seen;

	(void)state;
	assert_int_equal(read_bytes(bytes, make_file(bytes), &seen, &fault), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.latest.at.us, 3000007);
	assert_int_equal(seen.latest.captured, 4);
	assert_int_equal(seen.latest.wire_len, 90);
	assert_int_equal(seen.first_byte, 2);
}

static void a_packed_file_is_read_as_well(void **state)
{
	uint8_t bytes[128], packed[256];
	z_stream gzip = {.next_in = bytes, .avail_in = (uInt)make_file(bytes)};
	void *by_zstd;
	size_t len;
	struct fault fault;
	struct seen seen;

	(void)state;
	assert_int_equal(squeeze_pack(&by_zstd, &len, bytes, gzip.avail_in), 0);
	assert_int_equal(read_bytes(by_zstd, len, &seen, &fault), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(read_bytes(by_zstd, len - 1, &seen, &fault), STATUS_CORRUPT);
	assert_non_null(strstr(fault.why, "compressed"));
	free(by_zstd);
	assert_int_equal(
		deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	gzip.next_out = packed;
	gzip.avail_out = sizeof(packed);
	assert_int_equal(deflate(&gzip, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&gzip);
	len = sizeof(packed) - gzip.avail_out;
	assert_int_equal(read_bytes(packed, len, &seen, &fault), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.latest.at.us, 3000007);
	assert_int_equal(read_bytes(packed, len - 9, &seen, &fault), STATUS_CORRUPT);
	assert_non_null(strstr(fault.why, "compressed"));
	assert_int_equal(read_bytes(packed, 1, &seen, &fault), STATUS_CORRUPT);
}

/* A pipe whose writer says no more, and does not go. */
static void a_reader_who_waits_can_be_stopped(void **state)
{
	uint8_t bytes[128];
	size_t len = make_file(bytes);
	struct capture *capture;
	struct fault fault = {0};
	struct seen seen = {0};
	int pipes[2], stop[2];
	char path[32];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(stop), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	assert_int_equal(write(pipes[1], bytes, len - 5), len - 5);
	assert_int_equal(capture_open_file(&capture, path, stop[0], &fault), 0);
	assert_int_equal(write(stop[1], "x", 1), 1);
	while (capture_read(capture, 100, packet_seen, &seen, &fault) > 0)
		;
	assert_int_equal(seen.count, 2);
	capture_close(capture);
	for (unsigned i = 0; i < 2; i++) {
		(void)close(pipes[i]);
		(void)close(stop[i]);
	}
}

static void an_empty_file_is_called_so(void **state)
{
	struct fault fault;
	struct seen seen;

	(void)state;
	assert_int_equal(
		read_bytes((const uint8_t *)"", 0, &seen, &fault), STATUS_CORRUPT);
	assert_string_equal(fault.why, "it is empty");
}

/* The file as a machine of the other byte order writes it. */
static void turn_round(uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += 4) {
		size_t step = at == 4 ? 2 : 4; /* the version's two halves */

		for (size_t part = at; part < at + 4; part += step)
			for (size_t i = 0; i < step / 2; i++) {
				uint8_t byte = bytes[part + i];

				bytes[part + i] = bytes[part + step - 1 - i];
				bytes[part + step - 1 - i] = byte;
			}
	}
}

/* Packets are of four equal bytes, so that they stay what they are. */
static void both_byte_orders_and_nanoseconds_are_read(void **state)
{
	uint8_t bytes[128];
	struct fault fault;
	struct seen seen;
	size_t len;

	(void)state;
	for (unsigned turned = 0; turned < 2; turned++)
		for (unsigned nanoseconds = 0; nanoseconds < 2; nanoseconds++) {
			len = make_file(bytes);
			if (nanoseconds) {
				memcpy(bytes, "\x4d\x3c\xb2\xa1", 4);
				bytes[len - 20 + 4] = 0x58; /* 7000 */
				bytes[len - 20 + 5] = 0x1b;
			}
			if (turned)
				turn_round(bytes, len);
			assert_int_equal(read_bytes(bytes, len, &seen, &fault), 0);
			assert_int_equal(seen.count, 3);
			assert_int_equal(seen.latest.at.us, 3000007);
			assert_int_equal(seen.latest.captured, 4);
			assert_int_equal(seen.latest.wire_len, 90);
			assert_int_equal(seen.latest.link_type, LINK_LAYER_ETHERNET);
			assert_int_equal(seen.first_byte, 2);
		}
}

/* A section, an Ethernet interface, a raw one, and a packet of each. */
static const uint8_t mixed[] = {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b,
	0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0,
	0, /* */
	1, 0, 0, 0, 20, 0, 0, 0, LINK_LAYER_ETHERNET, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0,
	0,                                                                         /* */
	1, 0, 0, 0, 20, 0, 0, 0, LINK_LAYER_RAW, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, /* */
	6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, 90, 0, 0,
	0, 0xee, 0, 0, 0, 36, 0, 0, 0, /* */
	6, 0, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 60, 0, 0,
	0, 0x45, 0, 0, 0, 36, 0, 0, 0};

static void interfaces_of_one_file_may_differ(void **state)
{
	struct fault fault;
	struct seen seen;
	size_t last = sizeof(mixed) - 36, before = last - 36, first = 48;

	(void)state;
	assert_int_equal(read_bytes(mixed, sizeof(mixed), &seen, &fault), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.latest.link_type, LINK_LAYER_RAW);
	assert_int_equal(seen.latest.at.us, 9);
	assert_int_equal(seen.latest.captured, 4);
	assert_int_equal(seen.latest.wire_len, 60);
	assert_int_equal(seen.first_byte, 0x45);
	for (size_t len = 0; len < sizeof(mixed); len++) {
		int rc = read_bytes(mixed, len, &seen, &fault);
		bool whole = len == first || len == before || len == last;

		assert_int_equal(rc, whole ? 0 : STATUS_CORRUPT);
		assert_true(whole || fault.why[0]);
		assert_int_equal(seen.count, len >= last);
	}
}

static void a_cut_file_gives_what_stands_before_the_cut(void **state)
{
	uint8_t bytes[128];
	struct fault fault;
	struct seen seen;
	size_t whole = make_file(bytes);

	(void)state;
	for (size_t len = 0; len < whole; len++) {
		int rc = read_bytes(bytes, len, &seen, &fault);

		if (len >= 24 && (len - 24) % 20 == 0) {
			assert_int_equal(rc, 0);
		} else {
			assert_int_equal(rc, STATUS_CORRUPT);
			assert_non_null(strstr(fault.input, "astray-capture"));
			assert_true(fault.why[0]);
		}
		assert_int_equal(seen.count, len < 24 ? 0 : (len - 24) / 20);
	}
}

static void what_is_no_capture_is_refused(void **state)
{
	uint8_t bytes[128];
	struct capture *capture;
	struct fault fault;
	struct seen seen;
	size_t len = make_file(bytes);

	(void)state;
	assert_int_equal(read_bytes((const uint8_t *)"{\"kind\":1}\n", 11, &seen, &fault),
		STATUS_CORRUPT);
	bytes[20] = 105; /* radio frames */
	assert_int_equal(read_bytes(bytes, len, &seen, &fault), STATUS_UNSUPPORTED);
	assert_int_equal(
		capture_open_file(&capture, "/nonexistent/x", -1, &fault), -ENOENT);
	assert_string_equal(fault.input, "/nonexistent/x");
	assert_true(capture_open_file(&capture, "/", -1, &fault) < 0);
	assert_null(capture);
}

static void a_missing_interface_is_named(void **state)
{
	struct capture_options options = {.interface = "nosuch0",
		.filter = "tcp",
		.buffer_bytes = 1 << 20,
		.snaplen = 2048};
	struct capture *capture;
	struct fault fault = {0};
	int rc = capture_open_live(&capture, &options, &fault);

	(void)state;
	assert_true(rc == -ENODEV || rc == -EPERM);
	assert_string_equal(fault.input, "nosuch0");
	assert_true(fault.why[0]);
	assert_null(capture);
}

static void the_source_has_sound_defaults(void **state)
{
	struct fault fault = {0};
	struct json_doc *doc;
	void *settings = calloc(1, flow_source.settings_size);

	(void)state;
	assert_string_equal(flow_source.name, "flow");
	assert_int_equal(json_parse(&doc, "{\"window\":\"1 min\"}", 18, 0, &fault), 0);
	assert_int_equal(conf_read(settings, flow_source.options, doc, json_root(doc),
				 "flow", &fault),
		0);
	json_doc_free(doc);
	assert_int_equal(json_parse(&doc, "{\"window\":\"0 s\"}", 16, 0, &fault), 0);
	assert_true(conf_read(settings, flow_source.options, doc, json_root(doc), "flow",
			    &fault) < 0);
	assert_string_equal(fault.field, "flow.window");
	json_doc_free(doc);
	free(settings);
}

static void assert_begins(const char *text, const char *with)
{
	assert_memory_equal(text, with, strlen(with));
}

static void tunnels_pass_the_filter_when_asked_for(void **state)
{
	char filter[CAPTURE_FILTER_MAX];
	struct services none = {0};

	(void)state;
	assert_null(
		strstr(capture_filter_build(filter, &none, 0, true, NULL), "proto 47"));
	assert_non_null(
		strstr(capture_filter_build(filter, &none, UNWRAP_GRE, true, NULL),
			"(ip proto 47)"));
	assert_non_null(
		strstr(capture_filter_build(filter, &none, UNWRAP_VXLAN, true, NULL),
			"(udp port 4789)"));
}

static void the_filter_keeps_other_traffic_out(void **state)
{
	static struct service list[3] = {
		{.name = "a", .host_count = 1, .port_count = 2, .ports = {443, 80}},
		{.name = "b", .host_count = 1, .port_count = 1, .ports = {443}},
		{.name = "c", .address_count = 2, .port_count = 1, .ports = {4430}},
	};
	char filter[CAPTURE_FILTER_MAX];
	struct services services = {3, list};

	(void)state;
	(void)address_parse(&list[2].addresses[0], "203.0.113.1");
	(void)address_parse(&list[2].addresses[1], "2001:db8::1");
	assert_begins(capture_filter_build(filter, &services, 0, true, NULL),
		"(port 443) or (port 80) or (host 203.0.113.1 and port 4430)"
		" or (host 2001:db8::1 and port 4430) or (port 53)"
		" or (icmp[0] = 3 and (icmp[30:2] = 443 or icmp[30:2] = 80"
		" or icmp[30:2] = 4430 or icmp[30:2] = 53))"
		" or (icmp6 and ip6[40] = 1 and (ip6[90:2] = 443 or ");
	assert_begins(capture_filter_build(filter, &(struct services){0}, 0, true, NULL),
		"(tcp) or (udp) or (port 53) or (icmp[0] = 3)"
		" or (icmp6 and ip6[40] = 1) or ");
}

static void by_addresses_only_where_hosts_lead_to_passes(void **state)
{
	static struct service list[2] = {{.name = "exact",
						 .host_count = 1,
						 .hosts = {"exchange.example"},
						 .port_count = 1,
						 .ports = {443}},
		{.name = "suffix",
			.host_count = 2,
			.hosts = {"wiki.example", "*.wiki.example"},
			.port_count = 1,
			.ports = {8443}}};
	struct services services = {2, list};
	char filter[CAPTURE_FILTER_MAX];
	struct moment now = {1590854700000000};
	struct address_book *book;
	struct address address;

	(void)state;
	assert_int_equal(address_book_new(&book, &services), 0);
	assert_begins(capture_filter_build(filter, &services, 0, true, book),
		"(port 443) or (port 8443) or ");
	(void)address_parse(&address, "203.0.113.1");
	(void)address_book_learn(book, 0, &address, now);
	(void)address_book_learn(book, 1, &address, now);
	assert_begins(capture_filter_build(filter, &services, 0, true, book),
		"(host 203.0.113.1 and port 443) or (port 8443) or ");
	address_book_free(book);
}

static void a_filter_that_grows_too_long_lets_all_tcp_in(void **state)
{
	struct services services = {
		SERVICES_MAX, calloc(SERVICES_MAX, sizeof(struct service))};
	char filter[CAPTURE_FILTER_MAX];

	(void)state;
	for (unsigned i = 0; i < SERVICES_MAX; i++) {
		services.list[i].port_count = 1;
		services.list[i].ports[0] = (uint16_t)(i + 1);
	}
	assert_begins(capture_filter_build(filter, &services, 0, true, NULL),
		"(tcp) or (udp) or (port 53)");
	free(services.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_to_its_end),
		cmocka_unit_test(a_packed_file_is_read_as_well),
		cmocka_unit_test(a_reader_who_waits_can_be_stopped),
		cmocka_unit_test(an_empty_file_is_called_so),
		cmocka_unit_test(interfaces_of_one_file_may_differ),
		cmocka_unit_test(both_byte_orders_and_nanoseconds_are_read),
		cmocka_unit_test(a_cut_file_gives_what_stands_before_the_cut),
		cmocka_unit_test(what_is_no_capture_is_refused),
		cmocka_unit_test(a_missing_interface_is_named),
		cmocka_unit_test(the_source_has_sound_defaults),
		cmocka_unit_test(tunnels_pass_the_filter_when_asked_for),
		cmocka_unit_test(the_filter_keeps_other_traffic_out),
		cmocka_unit_test(by_addresses_only_where_hosts_lead_to_passes),
		cmocka_unit_test(a_filter_that_grows_too_long_lets_all_tcp_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
