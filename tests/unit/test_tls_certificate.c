#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "certificate_maker.h"
#include "tls_certificate.h"

struct message {
	uint8_t bytes[2048];
	size_t len;
};

static void put_u24(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 16);
	at[1] = (uint8_t)(value >> 8);
	at[2] = (uint8_t)value;
}

/* A Certificate message with one certificate. */
static void make(struct message *message, const char *common_name, const char *others)
{
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509 = certificate_maker_make(
		key, &(struct certificate_wish){.common_name = common_name,
			     .alternative = others,
			     .until_s = 3600});
	uint8_t *at = message->bytes + 10;
	int len = i2d_X509(x509, &at);

	assert_true(len > 0 && len < 2000);
	message->bytes[0] = 11;
	put_u24(message->bytes + 1, (size_t)len + 6);
	put_u24(message->bytes + 4, (size_t)len + 3);
	put_u24(message->bytes + 7, (size_t)len);
	message->len = (size_t)len + 10;
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void the_first_dns_name_goes_before_the_common_name(void **state)
{
	struct message message;
	char name[OBS_NAME];

	(void)state;
	make(&message, "old.example", "IP:192.0.2.1,DNS:exchange.example,DNS:b.example");
	assert_int_equal(tls_certificate_wanted(message.bytes, 10), message.len);
	assert_int_equal(tls_certificate_read(name, message.bytes, message.len), 0);
	assert_string_equal(name, "exchange.example");
	make(&message, "old.example", NULL);
	assert_int_equal(tls_certificate_read(name, message.bytes, message.len), 0);
	assert_string_equal(name, "old.example");
	make(&message, NULL, "IP:192.0.2.1");
	assert_int_equal(
		tls_certificate_read(name, message.bytes, message.len), STATUS_SYNTAX);
}

static void what_is_cut_or_another_message_is_refused(void **state)
{
	struct message message;
	char name[OBS_NAME];

	(void)state;
	make(&message, "exchange.example", NULL);
	for (size_t len = 0; len < message.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, message.bytes, len);
		assert_int_equal(tls_certificate_read(name, copy, len), STATUS_SYNTAX);
		free(copy);
	}
	message.bytes[0] = 12;
	assert_int_equal(tls_certificate_wanted(message.bytes, message.len), 0);
	assert_int_equal(
		tls_certificate_read(name, message.bytes, message.len), STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_dns_name_goes_before_the_common_name),
		cmocka_unit_test(what_is_cut_or_another_message_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
