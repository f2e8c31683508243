#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "certificate_maker.h"
#include "fetch_certificate.h"

#define DAY_S 86400L

static struct obs_certificate read_one(const struct certificate_wish *wish)
{
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509 = certificate_maker_make(key, wish);
	struct obs_certificate read = {0};

	fetch_certificate_read(&read, x509);
	X509_free(x509);
	EVP_PKEY_free(key);
	assert_true(read.present);
	return read;
}

static void names_are_written_most_special_first(void **state)
{
	struct obs_certificate read = read_one(&(struct certificate_wish){
		.organisation = "Exchange", .common_name = "exchange.example"});

	(void)state;
	assert_string_equal(read.subject, "CN=exchange.example,O=Exchange");
	assert_string_equal(read.issuer, "CN=exchange.example,O=Exchange");
}

static void letters_of_the_world_stay_and_controls_are_escaped(void **state)
{
	struct obs_certificate read = read_one(&(struct certificate_wish){
		.organisation = "取引所", .common_name = "a,b\n\x1b[31m"});

	(void)state;
	assert_string_equal(read.subject, "CN=a\\,b\\0A\\1B[31m,O=取引所");
}

static void a_long_name_is_cut(void **state)
{
	char name[64 + 1];
	struct obs_certificate read;
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	x509 = certificate_maker_make(
		key, &(struct certificate_wish){.common_name = name});
	for (int i = 0; i < 10; i++)
		certificate_maker_name(X509_get_subject_name(x509), "OU", name);
	fetch_certificate_read(&read, x509);
	assert_int_equal(strlen(read.subject), sizeof(read.subject) - 1);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void validity_is_read_to_the_second(void **state)
{
	int64_t before = time(NULL), after;
	struct obs_certificate read = read_one(&(struct certificate_wish){
		.common_name = "x", .from_s = -DAY_S, .until_s = 90 * DAY_S});

	(void)state;
	after = time(NULL);
	assert_in_range(read.not_before.us / 1000000, before - DAY_S, after - DAY_S);
	assert_in_range(
		read.not_after.us / 1000000, before + 90 * DAY_S, after + 90 * DAY_S);
}

/* The SHA-256 of what `openssl pkey -pubout -outform der` writes. */
static void the_key_is_known_by_its_digest(void **state)
{
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509 = certificate_maker_make(
		key, &(struct certificate_wish){.common_name = "x"});
	unsigned char *der = NULL, digest[32];
	struct obs_certificate read;
	char text[65];
	int len = i2d_PUBKEY(key, &der);

	(void)state;
	assert_true(len > 0);
	assert_true(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL));
	for (unsigned i = 0; i < 32; i++)
		(void)snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
	fetch_certificate_read(&read, x509);
	assert_string_equal(read.spki_sha256, text);
	OPENSSL_free(der);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void it_says_what_names_it_is_good_for(void **state)
{
	struct obs_certificate read = read_one(&(struct certificate_wish){
		.common_name = "x",
		.alternative =
			"DNS:exchange.example,email:a@exchange.example,DNS:a\x1b[2J,"
			"DNS:*.exchange.example,IP:192.0.2.1,IP:2001:db8::1"});

	(void)state;
	assert_int_equal(read.names_in_all, 6);
	assert_int_equal(read.name_count, 4);
	assert_string_equal(read.names[0], "exchange.example");
	assert_string_equal(read.names[1], "*.exchange.example");
	assert_string_equal(read.names[2], "192.0.2.1");
	assert_string_equal(read.names[3], "2001:db8::1");
}

static void of_many_names_the_first_are_kept_and_all_are_counted(void **state)
{
	char wish[1024] = "DNS:a0.example";
	struct obs_certificate read;
	size_t len = strlen(wish);

	(void)state;
	for (int i = 1; i < 2 * OBS_NAMES; i++)
		len += (size_t)snprintf(
			wish + len, sizeof(wish) - len, ",DNS:a%d.example", i);
	read = read_one(
		&(struct certificate_wish){.common_name = "x", .alternative = wish});
	assert_int_equal(read.names_in_all, 2 * OBS_NAMES);
	assert_int_equal(read.name_count, OBS_NAMES);
	assert_string_equal(read.names[OBS_NAMES - 1], "a15.example");
}

static void a_chain_is_told_from_the_issuer_up_and_bounded(void **state)
{
	EVP_PKEY *key = certificate_maker_key();
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct obs_certificate read;

	(void)state;
	for (int i = 0; i < OBS_CHAIN + 3; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "c%d", i);
		assert_true(sk_X509_push(
			chain, certificate_maker_make(key,
				       &(struct certificate_wish){.common_name = name})));
	}
	fetch_certificate_read(&read, sk_X509_value(chain, 0));
	assert_int_equal(read.chain_count, 0);
	fetch_certificate_read_chain(&read, chain);
	assert_int_equal(read.chain_count, OBS_CHAIN);
	assert_string_equal(read.chain[0].subject, "CN=c1");
	assert_string_equal(read.chain[OBS_CHAIN - 1].subject, "CN=c6");
	assert_string_equal(read.chain[0].spki_sha256, read.spki_sha256);
	fetch_certificate_read_chain(&read, NULL);
	assert_int_equal(read.chain_count, 0);
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
}

static void an_empty_certificate_has_nothing_to_say(void **state)
{
	X509 *x509 = X509_new();
	struct obs_certificate read;

	(void)state;
	fetch_certificate_read(&read, x509);
	assert_string_equal(read.issuer, "");
	assert_int_equal(read.not_after.us, 0);
	assert_int_equal(read.names_in_all, 0);
	X509_free(x509);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_written_most_special_first),
		cmocka_unit_test(letters_of_the_world_stay_and_controls_are_escaped),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(validity_is_read_to_the_second),
		cmocka_unit_test(the_key_is_known_by_its_digest),
		cmocka_unit_test(it_says_what_names_it_is_good_for),
		cmocka_unit_test(of_many_names_the_first_are_kept_and_all_are_counted),
		cmocka_unit_test(a_chain_is_told_from_the_issuer_up_and_bounded),
		cmocka_unit_test(an_empty_certificate_has_nothing_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
