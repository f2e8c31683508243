#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/json.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "wire_lines.h"

struct bench {
	struct obs whole, other;
	struct fault fault;
	char line[WIRE_LINE_MAX];
};

static int decode(struct bench *bench, struct obs *out, const char *line)
{
	return wire_decode(out, line, strlen(line), &bench->fault);
}

/* The line with its first `old` replaced. */
static void replace(
	struct bench *bench, const char *line, const char *old, const char *new)
{
	const char *at = strstr(line, old);

	if (!at)
		fail_msg("%s has no %s", line, old);
	(void)snprintf(bench->line, sizeof(bench->line), "%.*s%s%s", (int)(at - line),
		line, new, at + strlen(old));
}

static void a_value_out_of_its_range_is_refused_by_its_field(void **state)
{
	static const struct {
		enum obs_kind kind;
		const char *old, *new, *field;
		int rc;
	} rows[] = {
		{OBS_HELLO, "\"hello\"", "\"hallo\"", "kind", STATUS_UNKNOWN},
		{OBS_HELLO, "\"hello\"", "7", "kind", STATUS_SYNTAX},
		{OBS_HELLO, "1590854700000000", "-1", "at_us", STATUS_RANGE},
		{OBS_HELLO, "1590854700000000", "9007199254740992", "at_us",
			STATUS_RANGE},
		{OBS_HELLO, "1590854700000000", "1.5", "at_us", STATUS_RANGE},
		{OBS_HELLO, "1590854700000000", "\"now\"", "at_us", STATUS_SYNTAX},
		{OBS_HELLO, "\"0.1.0\"", "1", "version", STATUS_SYNTAX},
		{OBS_HELLO, "gateway", "router", "role", STATUS_RANGE},
		{OBS_HELLO, "\"tokyo\"", "\"to kyo\"", "labels.site", STATUS_RANGE},
		{OBS_HELLO, "\"tokyo\"", "5", "labels.site", STATUS_RANGE},
		{OBS_HELLO, "\"site\"", "\"\"", "labels.", STATUS_RANGE},
		{OBS_HELLO, "64496", "4294967296", "network.asn", STATUS_RANGE},
		{OBS_HELLO, "\"JP\"", "\"jp\"", "network.country", STATUS_RANGE},
		{OBS_HELLO, "\"JP\"", "\"JPN\"", "network.country", STATUS_RANGE},
		{OBS_HELLO, "\"JP\"", "\"J\"", "network.country", STATUS_RANGE},
		{OBS_HELLO, "{\"asn\":64496,\"country\":\"JP\"}", "[]", "network",
			STATUS_SYNTAX},
		{OBS_TRAFFIC, "10000000", "0", "window_us", STATUS_RANGE},
		{OBS_TRAFFIC, "10000000", "86400000001", "window_us", STATUS_RANGE},
		{OBS_TRAFFIC, "\"exchange\"", "\"an exchange\"", "service", STATUS_RANGE},
		{OBS_TRAFFIC, "\"exchange\"", "\"*\"", "service", STATUS_RANGE},
		{OBS_TRAFFIC, "\"requests\":120", "\"requests\":-120", "requests",
			STATUS_RANGE},
		{OBS_TRAFFIC, "\"scale\":7", "\"scale\":21", "connect_us.scale",
			STATUS_RANGE},
		{OBS_TRAFFIC, "\"scale\":7", "\"scale\":-11", "connect_us.scale",
			STATUS_RANGE},
		{OBS_TRAFFIC, "\"offset\":1620", "\"offset\":99999999999",
			"connect_us.offset", STATUS_RANGE},
		{OBS_TRAFFIC, "\"offset\":1620", "\"offset\":2000000000", "connect_us",
			STATUS_RANGE},
		{OBS_TRAFFIC, "[3,0,9]", "[3,-1,9]", "connect_us.counts[1]",
			STATUS_RANGE},
		{OBS_TRAFFIC, "[3,0,9]", "[3,0,0.5]", "connect_us.counts[2]",
			STATUS_RANGE},
		{OBS_TRAFFIC, "[3,0,9]", "[3,0,\"9\"]", "connect_us.counts[2]",
			STATUS_RANGE},
		{OBS_TRAFFIC, "[3,0,9]", "{}", "connect_us.counts", STATUS_SYNTAX},
		{OBS_TRAFFIC, "\"zeros\":2", "\"zeros\":-2", "connect_us.zeros",
			STATUS_RANGE},
		{OBS_TRAFFIC, "78500.5", "-1", "connect_us.sum", STATUS_RANGE},
		{OBS_TRAFFIC, "78500.5", "1e300", "connect_us.sum", STATUS_RANGE},
		{OBS_TRAFFIC, "78500.5", "98500.5", "connect_us", STATUS_RANGE},
		{OBS_TRAFFIC, "\"min\":0", "\"min\":7000", "connect_us", STATUS_RANGE},
		{OBS_TRAFFIC, "6575.25", "1e999", "connect_us.max", STATUS_RANGE},
		{OBS_TRAFFIC, "\"203.0.113.10\"", "\"203.0.113\"", "peers.203.0.113",
			STATUS_RANGE},
		{OBS_TRAFFIC, "\"2001:db8::10\":20", "\"2001:db8::10\":-1",
			"peers.2001:db8::10", STATUS_RANGE},
		{OBS_TRAFFIC, "\"2001:db8::10\"", "\"::ffff:203.0.113.10\"",
			"peers.::ffff:203.0.113.10", STATUS_RANGE},
		{OBS_CHECK, "\"203.0.113.10\"", "\"exchange.example\"", "peer",
			STATUS_RANGE},
		{OBS_CHECK, "\"status\":503", "\"status\":1000", "status", STATUS_RANGE},
		{OBS_CHECK, "\"error\":\"http\"", "\"error\":\"slow\"", "error",
			STATUS_RANGE},
		{OBS_CHECK, "\"error\":\"http\"", "\"error\":\"ok\"", "error",
			STATUS_RANGE},
		{OBS_CHECK, "0123456789abcdef", "0123456789ABCDEF", "tls.spki_sha256",
			STATUS_RANGE},
		{OBS_CHECK, "2020-01-01", "2020-13-01", "tls.not_before", STATUS_RANGE},
		{OBS_CHECK, "\"2021-01-01T00:00:00Z\"", "\"1609459200000000\"",
			"tls.not_after", STATUS_RANGE},
		{OBS_CHECK, "\"verified\":true", "\"verified\":1", "tls.verified",
			STATUS_SYNTAX},
		{OBS_CHECK, "fedcba98", "FEDCBA98", "tls.chain[0].spki_sha256",
			STATUS_RANGE},
		{OBS_CHECK, "{\"subject\":\"CN=Other\"}", "\"CN=Other\"", "tls.chain[1]",
			STATUS_SYNTAX},
		{OBS_CHECK, "\"names_in_all\":17", "\"names_in_all\":-1",
			"tls.names_in_all", STATUS_RANGE},
		{OBS_CHECK, "\"*.exchange.example\"", "7", "tls.names[1]", STATUS_RANGE},
		{OBS_TRACE, "\"udp\"", "\"sctp\"", "protocol", STATUS_RANGE},
		{OBS_TRACE, "\"port\":443", "\"port\":65536", "port", STATUS_RANGE},
		{OBS_TRACE, "\"reached\":true", "\"reached\":null", "reached",
			STATUS_MISSING},
		{OBS_TRACE, "\"ttl\":1,\"sent\"", "\"ttl\":0,\"sent\"", "hops[0].ttl",
			STATUS_RANGE},
		{OBS_TRACE, "\"ttl\":1,\"sent\"", "\"ttl\":256,\"sent\"", "hops[0].ttl",
			STATUS_RANGE},
		{OBS_TRACE, "\"ttl\":1,\"sent\"", "\"ttl\":3,\"sent\"", "hops[1].ttl",
			STATUS_RANGE},
		{OBS_TRACE, "\"answered\":2", "\"answered\":4", "hops[0].answered",
			STATUS_RANGE},
		{OBS_TRACE, "1048575", "1048576", "hops[0].mpls[0].label", STATUS_RANGE},
		{OBS_TRACE, "\"tc\":1", "\"tc\":8", "hops[0].mpls[1].tc", STATUS_RANGE},
		{OBS_TRACE, "\"NL\"", "\"nl\"", "hops[0].place.country", STATUS_RANGE},
		{OBS_TRACE, "52.4", "90.1", "hops[0].place.latitude", STATUS_RANGE},
		{OBS_TRACE, "4.9", "-180.1", "hops[0].place.longitude", STATUS_RANGE},
		{OBS_TRACE, "64511", "-1", "hops[0].place.asn", STATUS_RANGE},
		{OBS_TRACE, "\"mmdb\"", "\"whois\"", "hops[0].place.source",
			STATUS_RANGE},
		{OBS_TRACE, "\"possible\"", "\"likely\"", "hops[0].place.verdict",
			STATUS_RANGE},
		{OBS_TRACE, "{\"ttl\":2,\"sent\":3,\"answered\":0}", "7", "hops[1]",
			STATUS_SYNTAX},
		{OBS_DNS, "exchange.example", "Exchange.example", "name", STATUS_RANGE},
		{OBS_DNS, "exchange.example", "exchange.example.", "name", STATUS_RANGE},
		{OBS_DNS, "exchange.example", "", "name", STATUS_RANGE},
		{OBS_DNS, "\"A\"", "\"a\"", "type", STATUS_RANGE},
		{OBS_DNS, "\"A\"", "\"TYPE567890123456\"", "type", STATUS_RANGE},
		{OBS_DNS, "\"parent\"", "\"child\"", "role", STATUS_RANGE},
		{OBS_DNS, "\"192.0.2.53\"", "\"ns1\"", "server", STATUS_RANGE},
		{OBS_DNS, "\"NOERROR\"", "\"no error\"", "rcode", STATUS_RANGE},
		{OBS_DNS, "\"ttl\":60", "\"ttl\":4294967296", "answers[0].ttl",
			STATUS_RANGE},
		{OBS_DNS, "{\"data\":\"203.0.113.11\"}", "{\"data\":7}",
			"answers[1].data", STATUS_SYNTAX},
		{OBS_REGISTRY, "exchange.example", "exchange.example.", "domain",
			STATUS_RANGE},
		{OBS_REGISTRY, "ns2.exchange", "NS2.exchange", "name_servers[1]",
			STATUS_RANGE},
		{OBS_REGISTRY, "\"active\"", "7", "status[1]", STATUS_RANGE},
		{OBS_REGISTRY, "2020-05-30T15:05:00Z", "yesterday", "last_changed",
			STATUS_RANGE},
		{OBS_HEALTH, "\"cpu_us\":1", "\"cpu_us\":\"1\"", "cpu_us", STATUS_SYNTAX},
		{OBS_HEALTH, "\"until_us\":9", "\"until_us\":7", "gaps[0].until_us",
			STATUS_RANGE},
		{OBS_MAINTENANCE, "\"exchange\"", "\"**\"", "service", STATUS_RANGE},
		{OBS_MAINTENANCE, "\"tokyo\"", "\"\"", "site", STATUS_RANGE},
		{OBS_MAINTENANCE, "1590858300000000", "1590854699999999", "until_us",
			STATUS_RANGE},
		{OBS_ACKNOWLEDGE, "20200531-1", "a b", "incident", STATUS_RANGE},
		{OBS_ACKNOWLEDGE, "\"ann\"", "7", "by", STATUS_SYNTAX},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc;

		replace(bench, wire_lines_full[rows[i].kind], rows[i].old, rows[i].new);
		rc = decode(bench, &bench->other, bench->line);
		if (rc != rows[i].rc || strcmp(bench->fault.field, rows[i].field) != 0)
			fail_msg("%s -> %s: %d, %s: %s", rows[i].old, rows[i].new, rc,
				bench->fault.field, bench->fault.why);
		assert_string_not_equal(bench->fault.why, "");
	}
}

static void a_text_longer_than_its_room_is_refused(void **state)
{
	static const struct {
		enum obs_kind kind;
		const char *old, *field;
		size_t most;
	} rows[] = {
		{OBS_HELLO, "0.1.0", "version", OBS_WORD - 1},
		{OBS_TRAFFIC, "exchange", "service", OBS_NAME - 1},
		{OBS_CHECK, "https://exchange.example/health", "url", OBS_TEXT - 1},
		{OBS_TRACE, "gw.tokyo.example", "hops[0].name", OBS_NAME - 1},
		{OBS_TRACE, "Amsterdam", "hops[0].place.city", PLACE_NAME - 1},
		{OBS_DNS, "exchange.example", "name", 253},
		{OBS_REGISTRY, "ns1.exchange.example", "name_servers[0]", 253},
		{OBS_REGISTRY, "active", "status[1]", OBS_WORD - 1},
		{OBS_MAINTENANCE, "a new switch", "note", OBS_TEXT - 1},
		{OBS_ACKNOWLEDGE, "ann", "by", OBS_WORD - 1},
	};
	struct bench *bench = *state;
	char text[OBS_TEXT + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(text, 'x', sizeof(text));
		text[rows[i].most] = '\0';
		replace(bench, wire_lines_full[rows[i].kind], rows[i].old, text);
		assert_int_equal(decode(bench, &bench->other, bench->line), 0);
		text[rows[i].most] = 'x';
		text[rows[i].most + 1] = '\0';
		replace(bench, wire_lines_full[rows[i].kind], rows[i].old, text);
		assert_int_equal(decode(bench, &bench->other, bench->line), STATUS_RANGE);
		assert_string_equal(bench->fault.field, rows[i].field);
	}
}

/* `count` rows of a list, each with its number in its middle. */
static void put_rows(char *out, const char *marks, const char *before, const char *after,
	unsigned count)
{
	int len = sprintf(out, "%c", marks[0]);

	for (unsigned i = 0; i < count; i++)
		len += sprintf(out + len, "%s%s%u%s", i ? "," : "", before, i, after);
	(void)sprintf(out + len, "%c", marks[1]);
}

static void a_list_longer_than_its_room_is_refused(void **state)
{
	static const struct {
		const char *line, *old, *marks, *before, *after, *field;
		unsigned most;
	} rows[] = {
		{"{\"kind\":\"hello\",\"at_us\":1,\"version\":\"1\",\"role\":\"gateway\","
		 "\"labels\":{}}",
			"{}", "{}", "\"k", "\":\"v\"", "labels", OBS_LABELS},
		{"{\"kind\":\"traffic\",\"at_us\":1,\"window_us\":1,\"service\":\"x\","
		 "\"peers\":{}}",
			"{}", "{}", "\"192.0.2.", "\":1", "peers", OBS_PEERS},
		{"{\"kind\":\"traffic\",\"at_us\":1,\"window_us\":1,\"service\":\"x\","
		 "\"rtt_us\":{\"scale\":0,\"offset\":0,\"sum\":0,\"min\":0,\"max\":0,"
		 "\"counts\":[]}}",
			"[]", "[]", "0e", "", "rtt_us.counts", 4096},
		{"{\"kind\":\"trace\",\"at_us\":1,\"service\":\"x\",\"peer\":\"::1\","
		 "\"protocol\":\"tcp\",\"reached\":true,\"hops\":[]}",
			"[]", "[]", "{\"ttl\":9,\"sent\":1,\"answered\":0,\"rtt_us\":",
			"}", "hops", OBS_HOPS},
		{"{\"kind\":\"trace\",\"at_us\":1,\"service\":\"x\",\"peer\":\"::1\","
		 "\"protocol\":\"tcp\",\"reached\":true,\"hops\":[{\"ttl\":1,\"sent\":1,"
		 "\"answered\":1,\"mpls\":[]}]}",
			"[]", "[]", "{\"label\":", "}", "hops[0].mpls", OBS_MPLS},
		{"{\"kind\":\"dns\",\"at_us\":1,\"service\":\"x\",\"name\":\"x\","
		 "\"type\":\"A\","
		 "\"role\":\"parent\",\"server\":\"::1\",\"rcode\":\"NOERROR\","
		 "\"answers\":[]}",
			"[]", "[]", "{\"data\":\"192.0.2.", "\"}", "answers",
			OBS_ANSWERS},
		{"{\"kind\":\"registry\",\"at_us\":1,\"domain\":\"x\",\"status\":[]}",
			"[]", "[]", "\"s", "\"", "status", OBS_STATUSES},
		{"{\"kind\":\"registry\",\"at_us\":1,\"domain\":\"x\",\"name_servers\":[]"
		 "}",
			"[]", "[]", "\"ns", ".example\"", "name_servers", OBS_SERVERS},
		{"{\"kind\":\"health\",\"at_us\":1,\"gaps\":[]}", "[]", "[]",
			"{\"from_us\":1,\"until_us\":2,\"observations\":", "}", "gaps",
			OBS_GAPS},
	};
	struct bench *bench = *state;
	char *list = malloc(65536);

	assert_non_null(list);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_rows(
			list, rows[i].marks, rows[i].before, rows[i].after, rows[i].most);
		replace(bench, rows[i].line, rows[i].old, list);
		if (decode(bench, &bench->other, bench->line))
			fail_msg("%s: %s", bench->fault.field, bench->fault.why);
		put_rows(list, rows[i].marks, rows[i].before, rows[i].after,
			rows[i].most + 1);
		replace(bench, rows[i].line, rows[i].old, list);
		assert_int_equal(decode(bench, &bench->other, bench->line), STATUS_LIMIT);
		assert_string_equal(bench->fault.field, rows[i].field);
	}
	free(list);
}

/* Copies a tree without the member or row that is number *skip. */
static void copy_without(struct json *into, const struct json *from, int *skip)
{
	for (const struct json *item = json_first(from); item; item = json_next(item)) {
		const char *key = json_key(item);
		int64_t whole;
		double number;
		bool flag;

		if ((*skip)-- == 0)
			continue;
		switch (json_type(item)) {
		case JSON_OBJECT:
			copy_without(json_add_object(into, key), item, skip);
			break;
		case JSON_ARRAY:
			copy_without(json_add_array(into, key), item, skip);
			break;
		case JSON_TEXT:
			json_add_text(into, key, json_as_text(item));
			break;
		case JSON_NUMBER:
			if (json_as_int(item, &whole))
				json_add_int(into, key, whole);
			else if (json_as_double(item, &number))
				json_add_double(into, key, number);
			break;
		case JSON_BOOL:
			(void)json_as_bool(item, &flag);
			json_add_bool(into, key, flag);
			break;
		case JSON_NULL:
			json_add_null(into, key);
			break;
		}
	}
}

/* False when the line has fewer values than that. */
static bool drop_value(struct bench *bench, const char *line, int number)
{
	struct json *root = json_new_object();
	struct json_doc *doc;

	assert_int_equal(json_parse(&doc, line, strlen(line), 0, &bench->fault), 0);
	copy_without(root, json_root(doc), &number);
	assert_true(json_print(root, bench->line, sizeof(bench->line)) > 0);
	json_free(root);
	json_doc_free(doc);
	return number < 0;
}

/* So every field is read, every field is compared, and what is needed is known. */
static void without_any_one_value_a_line_says_something_else(void **state)
{
	static const char *const needed[OBS_KINDS] = {
		[OBS_HELLO] = " kind at_us version role ",
		[OBS_TRAFFIC] = " kind at_us window_us service ",
		[OBS_CHECK] = " kind at_us service url ",
		[OBS_TRACE] = " kind at_us service peer protocol reached hops ttl sent "
			      "answered "
			      "label ",
		[OBS_DNS] = " kind at_us service name type role server rcode data ",
		[OBS_REGISTRY] = " kind at_us domain ",
		[OBS_HEALTH] = " kind at_us from_us until_us observations ",
		[OBS_MAINTENANCE] = " kind at_us service from_us until_us ",
		[OBS_ACKNOWLEDGE] = " kind at_us incident ",
	};
	struct bench *bench = *state;

	for (int kind = 0; kind < OBS_KINDS; kind++) {
		char seen[512] = " ", word[sizeof(bench->fault.field) + 4];

		assert_int_equal(decode(bench, &bench->whole, wire_lines_full[kind]), 0);
		for (int i = 0; drop_value(bench, wire_lines_full[kind], i); i++) {
			const char *last;

			if (decode(bench, &bench->other, bench->line) == 0) {
				if (obs_equal(&bench->whole, &bench->other))
					fail_msg("nothing is missed in %s", bench->line);
				continue;
			}
			last = strrchr(bench->fault.field, '.');
			last = last ? last + 1 : bench->fault.field;
			(void)snprintf(word, sizeof(word), " %s ", last);
			if (kind != OBS_TRAFFIC && !strstr(needed[kind], word))
				fail_msg("%s: %s", bench->fault.field, bench->fault.why);
			if (!strstr(seen, word))
				(void)strcat(seen, word + 1);
		}
		if (kind != OBS_TRAFFIC)
			assert_int_equal(strlen(seen), strlen(needed[kind]));
	}
}

static void a_sketch_needs_what_makes_it_one(void **state)
{
	static const char *const needed[] = {
		"scale", "offset", "counts", "sum", "min", "max"};
	struct bench *bench = *state;
	char old[32], new[32], field[64];

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		(void)snprintf(old, sizeof(old), "\"%s\"", needed[i]);
		(void)snprintf(new, sizeof(new), "\"no %s\"", needed[i]);
		(void)snprintf(field, sizeof(field), "connect_us.%s", needed[i]);
		replace(bench, wire_lines_full[OBS_TRAFFIC], old, new);
		assert_int_equal(
			decode(bench, &bench->other, bench->line), STATUS_MISSING);
		assert_string_equal(bench->fault.field, field);
	}
	assert_int_equal(decode(bench, &bench->other,
				 "{\"kind\":\"traffic\",\"at_us\":1,\"window_us\":1,"
				 "\"service\":\"x\",\"rtt_us\":{\"scale\":7,\"offset\":0,"
				 "\"counts\":[]}}"),
		0);
}

static void every_short_prefix_is_refused(void **state)
{
	struct bench *bench = *state;

	for (int kind = 0; kind < OBS_KINDS; kind++) {
		const char *line = wire_lines_full[kind];

		for (size_t len = 0; len < strlen(line); len++) {
			char *exact = malloc(len ? len : 1); /* a byte too far is seen */
			int rc;

			memcpy(exact, line, len);
			rc = wire_decode(&bench->other, exact, len, &bench->fault);
			free(exact);
			assert_true(rc == STATUS_SHORT || rc == STATUS_SYNTAX);
		}
	}
}

static void a_reader_passes_over_what_it_does_not_know(void **state)
{
	struct bench *bench = *state;

	for (int kind = 0; kind < OBS_KINDS; kind++) {
		assert_int_equal(decode(bench, &bench->whole, wire_lines_full[kind]), 0);
		replace(bench, wire_lines_full[kind], "{\"kind\"",
			" { \"new\" : [{\"x\":null}, 1e9] , \"kind\"");
		(void)strcat(bench->line, "\r\n");
		assert_int_equal(decode(bench, &bench->other, bench->line), 0);
		assert_true(obs_equal(&bench->whole, &bench->other));
	}
}

static void only_a_recorder_may_say_who_sent_a_line(void **state)
{
	static const char *const keys[] = {"rx_us", "probe", "boot", "seq"};
	struct bench *bench = *state;
	char new[32];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(new, sizeof(new), "{\"%s\":1,\"kind\"", keys[i]);
		replace(bench, wire_lines_full[OBS_HEALTH], "{\"kind\"", new);
		assert_int_equal(
			decode(bench, &bench->other, bench->line), STATUS_UNKNOWN);
		assert_string_equal(bench->fault.field, keys[i]);
	}
}

static void a_line_that_is_no_object_is_refused(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(decode(bench, &bench->other, ""), STATUS_SHORT);
	assert_int_equal(decode(bench, &bench->other, "[]"), STATUS_SYNTAX);
	assert_int_equal(decode(bench, &bench->other, "\"kind\""), STATUS_SYNTAX);
	assert_int_equal(decode(bench, &bench->other, "{}"), STATUS_MISSING);
	assert_string_equal(bench->fault.field, "kind");
	assert_int_equal(decode(bench, &bench->other,
				 "{\"kind\":\"health\",\"at_us\":1,"
				 "\"at_us\":2}"),
		STATUS_DUPLICATE);
	assert_int_equal(wire_decode(&bench->other, "[]", 2, NULL), STATUS_SYNTAX);
}

static void a_line_has_an_end(void **state)
{
	struct bench *bench = *state;
	char *line = malloc(WIRE_LINE_MAX + 2);

	assert_non_null(line);
	memset(line, ' ', WIRE_LINE_MAX + 2);
	memcpy(line, wire_lines_least[OBS_HEALTH], strlen(wire_lines_least[OBS_HEALTH]));
	line[WIRE_LINE_MAX] = '\n';
	assert_int_equal(
		wire_decode(&bench->other, line, WIRE_LINE_MAX + 1, &bench->fault), 0);
	line[WIRE_LINE_MAX] = ' ';
	assert_int_equal(
		wire_decode(&bench->other, line, WIRE_LINE_MAX + 1, &bench->fault),
		STATUS_LIMIT);
	free(line);
}

static void a_place_without_a_source_says_nothing(void **state)
{
	struct bench *bench = *state;

	replace(bench, wire_lines_full[OBS_DNS], WIRE_LINES_PLACE,
		"{\"city\":\"Amsterdam\",\"verdict\":\"impossible\"}");
	assert_int_equal(decode(bench, &bench->other, bench->line), 0);
	assert_string_equal(bench->other.dns.answers[0].place.city, "");
	assert_int_equal(bench->other.dns.answers[0].place.verdict, PLACE_UNKNOWN);
	replace(bench, wire_lines_full[OBS_DNS], "52.4", "null");
	assert_int_equal(decode(bench, &bench->other, bench->line), 0);
	assert_false(bench->other.dns.answers[0].place.located);
}

static int open_bench(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return *state ? 0 : -1;
}

static int close_bench(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_out_of_its_range_is_refused_by_its_field),
		cmocka_unit_test(a_text_longer_than_its_room_is_refused),
		cmocka_unit_test(a_list_longer_than_its_room_is_refused),
		cmocka_unit_test(without_any_one_value_a_line_says_something_else),
		cmocka_unit_test(a_sketch_needs_what_makes_it_one),
		cmocka_unit_test(every_short_prefix_is_refused),
		cmocka_unit_test(a_reader_passes_over_what_it_does_not_know),
		cmocka_unit_test(only_a_recorder_may_say_who_sent_a_line),
		cmocka_unit_test(a_line_that_is_no_object_is_refused),
		cmocka_unit_test(a_line_has_an_end),
		cmocka_unit_test(a_place_without_a_source_says_nothing),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
