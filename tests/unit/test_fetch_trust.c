#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/x509_vfy.h>

#include "astray/status.h"
#include "certificate_maker.h"
#include "fetch_trust.h"

struct files {
	char directory[32], certificate[64], key[64];
};

static void write_one(const struct files *files, const char *name)
{
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509 = certificate_maker_make(
		key, &(struct certificate_wish){.common_name = name, .until_s = 3600});

	certificate_maker_write(files->certificate, x509, files->key, key);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static int set_up(void **state)
{
	struct files *files = calloc(1, sizeof(*files));

	(void)strcpy(files->directory, "/tmp/test_trust.XXXXXX");
	assert_non_null(mkdtemp(files->directory));
	(void)snprintf(files->certificate, 64, "%s/c.pem", files->directory);
	(void)snprintf(files->key, 64, "%s/k.pem", files->directory);
	*state = files;
	return 0;
}

static int tear_down(void **state)
{
	struct files *files = *state;

	(void)unlink(files->certificate);
	(void)unlink(files->key);
	(void)rmdir(files->directory);
	free(files);
	return 0;
}

static void a_file_is_read_once_in_a_while(void **state)
{
	const struct files *files = *state;
	struct fetch_trust trust = {0};
	struct x509_store_st *first;

	write_one(files, "one");
	assert_int_equal(
		fetch_trust_renew(&trust, files->certificate, (struct tick){0}), 0);
	first = trust.store;
	assert_non_null(first);
	assert_int_equal(fetch_trust_renew(&trust, files->certificate,
				 (struct tick){FETCH_TRUST_KEPT_US - 1}),
		0);
	assert_ptr_equal(trust.store, first);
	assert_int_equal(fetch_trust_renew(&trust, files->certificate,
				 (struct tick){FETCH_TRUST_KEPT_US}),
		0);
	assert_int_equal(trust.read.us, FETCH_TRUST_KEPT_US);
	fetch_trust_drop(&trust);
	assert_null(trust.store);
}

static void a_file_that_went_bad_leaves_what_was_there(void **state)
{
	const struct files *files = *state;
	struct fetch_trust trust = {0};
	struct x509_store_st *first;

	write_one(files, "one");
	assert_int_equal(
		fetch_trust_renew(&trust, files->certificate, (struct tick){0}), 0);
	first = trust.store;
	assert_int_equal(truncate(files->certificate, 20), 0);
	assert_int_equal(fetch_trust_renew(&trust, files->certificate,
				 (struct tick){FETCH_TRUST_KEPT_US}),
		0);
	assert_ptr_equal(trust.store, first);
	fetch_trust_drop(&trust);
}

static void a_file_that_is_none_is_refused(void **state)
{
	const struct files *files = *state;
	struct fetch_trust trust = {0};

	assert_int_equal(fetch_trust_renew(&trust, files->certificate, (struct tick){0}),
		STATUS_LIBRARY);
	assert_null(trust.store);
	write_one(files, "one");
	assert_int_equal(
		fetch_trust_renew(&trust, files->key, (struct tick){0}), STATUS_LIBRARY);
	assert_null(trust.store);
	fetch_trust_drop(&trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_file_is_read_once_in_a_while, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_went_bad_leaves_what_was_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_none_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
