#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "service_naming.h"

static const struct service exchange = {.name = "exchange",
	.host_count = 2,
	.hosts = {"exchange.example", "*.exchange.example"},
	.port_count = 2,
	.ports = {443, 8443}};

struct stage {
	struct service list[2];
	struct services services;
	struct windows *windows;
	struct dns_names *names;
	struct service_naming *naming;
	struct address client;
	struct moment now;
	enum obs_naming by; /* what told the latest */
	uint16_t asked_port;
	bool outer;
};

static void emitted(void *arg, const struct obs *obs)
{
	(void)arg;
	(void)obs;
}

static struct stage *begin(size_t services)
{
	struct windows_config config = {.window_us = 10 * MOMENT_SECOND_US,
		.pause_us = MOMENT_HOUR_US,
		.limit = 8,
		.emit = emitted};
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->list[0] = exchange;
	stage->services = (struct services){services, stage->list};
	stage->now.us = INT64_C(1590854700000000);
	(void)address_parse(&stage->client, "192.0.2.7");
	assert_int_equal(windows_new(&stage->windows, &config, &stage->services), 0);
	assert_int_equal(dns_names_new(&stage->names, &stage->services, 42), 0);
	assert_int_equal(service_naming_new(&stage->naming, &stage->services,
				 stage->windows, stage->names),
		0);
	return stage;
}

static void end(struct stage *stage)
{
	service_naming_free(stage->naming);
	dns_names_free(stage->names);
	windows_free(stage->windows);
	free(stage);
}

static int find(struct stage *stage, const char *host, size_t len, const char *server,
	uint16_t port)
{
	struct address address;
	struct service_naming_ends ends = {
		&stage->client, &address, port, stage->asked_port, stage->now};
	struct exchange_host asked = {.by = host ? OBS_BY_SERVER_NAME : OBS_BY_ADDRESS,
		.name = host,
		.len = len,
		.port = stage->asked_port,
		.outer = stage->outer};

	assert_int_equal(address_parse(&address, server), 0);
	return service_naming_find(stage->naming, &ends, &asked, &stage->by);
}

static int name_of(
	struct stage *stage, const char *host, const char *server, uint16_t port)
{
	return find(stage, host, host ? strlen(host) : 0, server, port);
}

static void answer(struct stage *stage, const char *name, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	dns_names_learn(stage->names, &stage->client, &address, name, 60, stage->now);
}

static void hosts_name_services(void **state)
{
	struct stage *stage = begin(1);

	(void)state;
	assert_int_equal(name_of(stage, "Exchange.Example.", "203.0.113.1", 443), 0);
	assert_int_equal(stage->by, OBS_BY_SERVER_NAME);
	assert_int_equal(name_of(stage, "mail.exchange.example", "203.0.113.1", 8443), 0);
	assert_int_equal(name_of(stage, "exchange.example", "203.0.113.2", 80),
		SERVICE_NAMING_OTHER);
	assert_int_equal(
		name_of(stage, "other.test", "203.0.113.3", 443), SERVICE_NAMING_OTHER);
	assert_true(service_naming_is_watched_port(stage->naming, 8443));
	assert_false(service_naming_is_watched_port(stage->naming, 80));
	end(stage);
}

static void what_was_learned_names_the_nameless(void **state)
{
	struct stage *stage = begin(1);

	(void)state;
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 443), SERVICE_NAMING_OTHER);
	assert_int_equal(name_of(stage, "exchange.example", "203.0.113.1", 443), 0);
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 443), 0);
	assert_int_equal(stage->by, OBS_BY_OTHERS);
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 8443), SERVICE_NAMING_OTHER);
	/* Another service at the same address: now the address says nothing. */
	assert_int_equal(
		name_of(stage, "other.test", "203.0.113.1", 443), SERVICE_NAMING_OTHER);
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 443), SERVICE_NAMING_OTHER);
	end(stage);
}

static void a_certificate_says_something_only_where_its_name_is_watched(void **state)
{
	struct stage *stage = begin(1);
	struct address address;
	struct service_naming_ends ends = {&stage->client, &address, 443, 0, stage->now};
	struct exchange_host watched = {
		.by = OBS_BY_CERTIFICATE, .name = "exchange.example", .len = 16};
	struct exchange_host other = {
		.by = OBS_BY_CERTIFICATE, .name = "other.test", .len = 10};
	enum obs_naming by;

	(void)state;
	assert_int_equal(address_parse(&address, "203.0.113.1"), 0);
	assert_int_equal(service_naming_find(stage->naming, &ends, &watched, &by), 0);
	assert_int_equal(by, OBS_BY_CERTIFICATE);
	assert_int_equal(service_naming_find(stage->naming, &ends, &other, &by), 0);
	assert_int_equal(by, OBS_BY_OTHERS);
	answer(stage, "www.exchange.example", "203.0.113.1");
	assert_int_equal(service_naming_find(stage->naming, &ends, &other, &by), 0);
	assert_int_equal(by, OBS_BY_DNS);
	end(stage);
}

static void a_name_asked_for_goes_before_dns_and_dns_before_the_address(void **state)
{
	struct stage *stage = begin(2);

	(void)state;
	(void)strcpy(stage->list[1].name, "wiki");
	stage->list[1].address_count = stage->list[1].port_count = 1;
	(void)address_parse(&stage->list[1].addresses[0], "203.0.113.1");
	stage->list[1].ports[0] = 443;
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 443), 1);
	assert_int_equal(stage->by, OBS_BY_ADDRESS);
	answer(stage, "www.exchange.example", "203.0.113.1");
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 443), 0);
	assert_int_equal(stage->by, OBS_BY_DNS);
	assert_int_equal(name_of(stage, "other.test", "203.0.113.1", 443), 1);
	assert_int_equal(stage->by, OBS_BY_ADDRESS);
	answer(stage, "private.test", "203.0.113.1"); /* asked for last */
	assert_int_equal(name_of(stage, NULL, "203.0.113.1", 443), 1);
	answer(stage, "exchange.example", "203.0.113.5");
	assert_int_equal(name_of(stage, NULL, "203.0.113.5", 443), 0);
	stage->now = moment_plus_us(stage->now, 61 * MOMENT_SECOND_US);
	assert_int_equal(name_of(stage, NULL, "203.0.113.5", 443), SERVICE_NAMING_OTHER);
	end(stage);
}

static void without_services_every_server_is_one(void **state)
{
	struct stage *stage = begin(0);
	int number;

	(void)state;
	number = name_of(stage, "WWW.example.", "203.0.113.1", 443);
	assert_string_equal(windows_name(stage->windows, number), "www.example");
	number = name_of(stage, NULL, "2001:db8::1", 443);
	assert_string_equal(windows_name(stage->windows, number), "[2001:db8::1]:443");
	number = name_of(stage, "evil\n{\"x\":1}", "203.0.113.9", 80);
	assert_string_equal(windows_name(stage->windows, number), "203.0.113.9:80");
	number = find(stage, "a\0b", 3, "0.0.0.0", 80);
	assert_string_equal(windows_name(stage->windows, number), "0.0.0.0:80");
	answer(stage, "wiki.example", "203.0.113.7");
	number = name_of(stage, NULL, "203.0.113.7", 443);
	assert_string_equal(windows_name(stage->windows, number), "wiki.example");
	assert_int_equal(stage->by, OBS_BY_DNS);
	end(stage);
}

static void an_address_is_no_name(void **state)
{
	struct stage *stage = begin(0);
	int number;

	(void)state;
	number = name_of(stage, "203.0.113.1", "203.0.113.1", 8080);
	assert_string_equal(windows_name(stage->windows, number), "203.0.113.1:8080");
	assert_int_equal(stage->by, OBS_BY_ADDRESS);
	number = name_of(stage, "2001:db8::1", "2001:db8::1", 80);
	assert_string_equal(windows_name(stage->windows, number), "[2001:db8::1]:80");
	end(stage);
	stage = begin(2);
	(void)strcpy(stage->list[1].name, "wiki"); /* called so by who configured it */
	stage->list[1].host_count = stage->list[1].port_count = 1;
	(void)strcpy(stage->list[1].hosts[0], "203.0.113.5");
	stage->list[1].ports[0] = 80;
	assert_int_equal(name_of(stage, "203.0.113.5", "203.0.113.5", 80), 1);
	assert_int_equal(stage->by, OBS_BY_SERVER_NAME);
	end(stage);
}

static void a_proxy_goes_to_the_port_that_it_is_asked_for(void **state)
{
	struct stage *stage = begin(1);

	(void)state;
	assert_int_equal(name_of(stage, "exchange.example", "203.0.113.9", 3128),
		SERVICE_NAMING_OTHER);
	stage->asked_port = 443;
	assert_int_equal(name_of(stage, "exchange.example", "203.0.113.9", 3128), 0);
	stage->asked_port = 0; /* that the proxy is no service, was learned before */
	assert_int_equal(name_of(stage, NULL, "203.0.113.9", 3128), SERVICE_NAMING_OTHER);
	end(stage);
}

/* What stands in the clear beside a name in secret is its provider's. */
static void an_outer_name_gives_way_to_the_one_asked_of_dns(void **state)
{
	struct stage *stage = begin(0);
	int number;

	(void)state;
	stage->outer = true;
	number = name_of(stage, "public.example", "203.0.113.1", 443);
	assert_string_equal(windows_name(stage->windows, number), "public.example");
	assert_int_equal(stage->by, OBS_BY_SERVER_NAME);
	answer(stage, "hidden.example", "203.0.113.1");
	number = name_of(stage, "public.example", "203.0.113.1", 443);
	assert_string_equal(windows_name(stage->windows, number), "hidden.example");
	assert_int_equal(stage->by, OBS_BY_DNS);
	answer(stage, "hidden.example", "203.0.113.1"); /* the same again */
	number = name_of(stage, "public.example", "203.0.113.1", 443);
	assert_string_equal(windows_name(stage->windows, number), "hidden.example");
	answer(stage, "another.example", "203.0.113.1"); /* which of the two? */
	number = name_of(stage, "public.example", "203.0.113.1", 443);
	assert_string_equal(windows_name(stage->windows, number), "public.example");
	end(stage);
	stage = begin(1);
	stage->outer = true; /* for show: the name is a watched one's */
	answer(stage, "mail.exchange.example", "203.0.113.1");
	assert_int_equal(name_of(stage, "exchange.example", "203.0.113.1", 443), 0);
	assert_int_equal(stage->by, OBS_BY_SERVER_NAME);
	assert_int_equal(name_of(stage, "public.example", "203.0.113.1", 443), 0);
	assert_int_equal(stage->by, OBS_BY_DNS);
	end(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_name_services),
		cmocka_unit_test(what_was_learned_names_the_nameless),
		cmocka_unit_test(
			a_certificate_says_something_only_where_its_name_is_watched),
		cmocka_unit_test(
			a_name_asked_for_goes_before_dns_and_dns_before_the_address),
		cmocka_unit_test(without_services_every_server_is_one),
		cmocka_unit_test(an_address_is_no_name),
		cmocka_unit_test(a_proxy_goes_to_the_port_that_it_is_asked_for),
		cmocka_unit_test(an_outer_name_gives_way_to_the_one_asked_of_dns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
