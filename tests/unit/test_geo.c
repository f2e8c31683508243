#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/status.h"
#include "geo.h"

#define NESTED TEST_DATA "/geo_nested.mmdb"
#define FLAT TEST_DATA "/geo_flat.mmdb"
#define IPV4 TEST_DATA "/geo_ipv4.mmdb"
#define ASN TEST_DATA "/geo_asn.mmdb"
#define ODD TEST_DATA "/geo_odd.mmdb"
#define FILE_MAX 16384

static bool find(const struct geo *geo, const char *text, struct place *place)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return geo_place(geo, &address, place);
}

static struct geo *open_both(const char *city, const char *asn)
{
	struct fault fault = {0};
	struct geo *geo;
	int rc = geo_open(&geo, city, asn, &fault);

	if (rc)
		fail_msg("%s: %s", fault.input, fault.why);
	return geo;
}

static void check_every_field(const char *path)
{
	struct geo *geo = open_both(path, NULL);
	struct place place;

	assert_true(find(geo, "192.0.2.1", &place));
	assert_string_equal(place.country, "JP");
	assert_string_equal(place.city, "Tokyo");
	assert_string_equal(place.org, "Example Net");
	assert_int_equal(place.asn, 64496);
	assert_true(place.located);
	assert_true(place.latitude > 35.69 && place.latitude < 35.71);
	assert_true(place.longitude > 139.69 && place.longitude < 139.71);
	assert_int_equal(place.source, PLACE_SOURCE_MMDB);
	assert_int_equal(place.verdict, PLACE_UNKNOWN);
	assert_true(find(geo, "192.0.2.129", &place));
	assert_string_equal(place.city, "Amsterdam");
	assert_true(find(geo, "2001:db8::1", &place));
	assert_string_equal(place.city, "Osaka");
	assert_true(find(geo, "203.0.113.9", &place));
	assert_int_equal(place.asn, 4200000000u);
	assert_string_equal(place.country, "");
	assert_false(place.located);
	geo_close(geo);
}

static void the_nested_shape_is_read(void **state)
{
	(void)state;
	check_every_field(NESTED);
}

static void the_flat_shape_is_read(void **state)
{
	(void)state;
	check_every_field(FLAT);
}

static void what_stands_in_no_database_is_not_known(void **state)
{
	struct geo *geo = open_both(IPV4, NULL);
	struct geo *empty = open_both(NULL, "");
	struct place place;

	(void)state;
	assert_false(find(geo, "198.18.0.1", &place));
	assert_false(place_is_known(&place));
	assert_false(find(geo, "10.1.2.3", &place)); /* private, though the file has it */
	assert_false(find(geo, "2001:db8::1", &place)); /* IPv6 in an IPv4-only file */
	assert_true(find(geo, "::ffff:192.0.2.1", &place));
	assert_false(find(empty, "192.0.2.1", &place));
	assert_false(find(NULL, "192.0.2.1", &place));
	geo_close(geo);
	geo_close(empty);
	geo_close(NULL);
}

/* A file of its own for one test; removed by drop_file. */
static void make_file(char path[static 32], const void *bytes, size_t len)
{
	int fd;

	(void)strcpy(path, "/tmp/astray-geo-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

static size_t read_file(const char *path, uint8_t bytes[static FILE_MAX])
{
	FILE *file = fopen(path, "rb");
	size_t len;

	assert_non_null(file);
	len = fread(bytes, 1, FILE_MAX, file);
	assert_int_equal(fclose(file), 0);
	assert_in_range(len, 1, FILE_MAX - 1);
	return len;
}

static void the_asn_database_speaks_for_networks(void **state)
{
	struct geo *geo = open_both(NESTED, ASN);
	struct place place;

	(void)state;
	assert_true(find(geo, "192.0.2.1", &place));
	assert_int_equal(place.asn, 64500);
	assert_string_equal(place.org, "Carrier");
	assert_string_equal(place.city, "Tokyo");
	assert_true(find(geo, "2001:db8::1", &place));
	assert_int_equal(place.asn, 64497);
	geo_close(geo);
}

static void what_no_country_or_place_can_be_is_left_out(void **state)
{
	struct geo *geo = open_both(ODD, NULL);
	struct place place;

	(void)state;
	(void)find(geo, "192.0.2.1", &place);
	assert_string_equal(place.country, ""); /* "JPN" */
	assert_false(place.located);            /* at latitude 135.7 */
	assert_string_equal(place.city, "Tokyo");
	geo_close(geo);
}

static void a_file_that_is_missing_or_no_database_is_refused_by_name(void **state)
{
	static const char text[] = "This is not a database.";
	struct fault fault = {0};
	struct geo *geo;
	char path[32];

	(void)state;
	assert_true(geo_open(&geo, "/nonexistent/city.mmdb", NULL, &fault) < 0);
	assert_null(geo);
	assert_string_equal(fault.input, "/nonexistent/city.mmdb");
	assert_string_equal(fault.why, "No such file or directory");

	make_file(path, text, sizeof(text));
	assert_int_equal(geo_open(&geo, NESTED, path, &fault), STATUS_CORRUPT);
	assert_null(geo);
	assert_string_equal(fault.input, path);
	assert_true(fault.why[0]);
	(void)unlink(path);

	assert_true(geo_open(&geo, "/tmp", NULL, &fault) < 0);
	assert_string_equal(fault.input, "/tmp");
}

static void a_cut_file_never_harms(void **state)
{
	uint8_t bytes[FILE_MAX];
	size_t len = read_file(NESTED, bytes);
	struct place place;
	struct geo *geo;
	char path[32];

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		make_file(path, bytes, cut);
		if (geo_open(&geo, path, NULL, NULL) == 0) {
			(void)find(geo, "192.0.2.1", &place);
			(void)find(geo, "2001:db8::1", &place);
			geo_close(geo);
		}
		(void)unlink(path);
	}
}

static void a_replaced_file_is_read_and_a_bad_one_is_not(void **state)
{
	uint8_t bytes[FILE_MAX];
	size_t len = read_file(IPV4, bytes);
	struct fault fault = {0};
	char path[32], next[32];
	struct place place;
	struct geo *geo;

	(void)state;
	make_file(path, bytes, len);
	geo = open_both(path, NULL);
	assert_false(find(geo, "2001:db8::1", &place));
	assert_int_equal(geo_refresh(geo, &fault), 0);

	len = read_file(NESTED, bytes);
	make_file(next, bytes, len);
	assert_int_equal(rename(next, path), 0);
	assert_int_equal(geo_refresh(geo, &fault), 1);
	assert_true(find(geo, "2001:db8::1", &place));
	assert_int_equal(geo_refresh(geo, &fault), 0);

	make_file(next, "bad", 3);
	assert_int_equal(rename(next, path), 0);
	assert_int_equal(geo_refresh(geo, &fault), STATUS_CORRUPT);
	assert_string_equal(fault.input, path);
	assert_true(find(geo, "2001:db8::1", &place));
	assert_int_equal(geo_refresh(geo, &fault), 0); /* it was complained of */

	assert_int_equal(unlink(path), 0);
	assert_true(geo_refresh(geo, &fault) < 0);
	assert_true(find(geo, "2001:db8::1", &place));
	geo_close(geo);
}

static void an_anycast_address_is_in_no_country(void **state)
{
	struct address address;
	struct place place;
	struct geo *geo;

	(void)state;
	assert_int_equal(geo_open(&geo, TEST_DATA "/geo_nested.mmdb", NULL, NULL), 0);
	assert_int_equal(address_parse(&address, "1.1.1.1"), 0);
	assert_true(geo_place(geo, &address, &place));
	assert_int_equal(place.source, PLACE_SOURCE_ANYCAST);
	assert_string_equal(place.country, "");
	assert_string_equal(place.org, "Cloudflare");
	assert_false(place.located);
	assert_false(geo_place_by_name(geo, "core1.ams1.he.net", &place));
	geo_close(geo);
}

static void a_routers_name_places_it(void **state)
{
	struct place place = {.asn = 6939, .country = "US", .source = PLACE_SOURCE_MMDB};
	struct geo *geo;

	(void)state;
	assert_int_equal(geo_open(&geo, NULL, NULL, NULL), 0);
	assert_true(geo_place_by_name(geo, "100ge1-1.core1.ams1.he.net", &place));
	assert_string_equal(place.country, "NL");
	assert_int_equal(place.source, PLACE_SOURCE_RDNS);
	assert_int_equal(place.asn, 6939);
	/* One of the many places of an anycast network. */
	place = (struct place){.asn = 16509, .source = PLACE_SOURCE_ANYCAST};
	assert_true(geo_place_by_name(
		geo, "server-13-35-1-1.nrt12.r.cloudfront.net", &place));
	assert_string_equal(place.country, "JP");
	assert_int_equal(place.source, PLACE_SOURCE_RDNS);
	geo_close(geo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nested_shape_is_read),
		cmocka_unit_test(the_flat_shape_is_read),
		cmocka_unit_test(what_stands_in_no_database_is_not_known),
		cmocka_unit_test(the_asn_database_speaks_for_networks),
		cmocka_unit_test(what_no_country_or_place_can_be_is_left_out),
		cmocka_unit_test(
			a_file_that_is_missing_or_no_database_is_refused_by_name),
		cmocka_unit_test(a_cut_file_never_harms),
		cmocka_unit_test(a_replaced_file_is_read_and_a_bad_one_is_not),
		cmocka_unit_test(an_anycast_address_is_in_no_country),
		cmocka_unit_test(a_routers_name_places_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
