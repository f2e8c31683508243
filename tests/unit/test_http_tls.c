#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <uv.h>

#include "astray/status.h"
#include "http_tls.h"
#include "pki.h"

/* A client of the library's own, joined to the session by memory. */
struct peer {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
};

static struct http_tls_files files_in(const struct pki *pki, char buf[3][128])
{
	return (struct http_tls_files){.certificate = pki_path(pki, "server.pem", buf[0]),
		.key = pki_path(pki, "server-key.pem", buf[1]),
		.client_ca = pki_path(pki, "ca.pem", buf[2])};
}

static struct http_tls *open_tls(const struct pki *pki)
{
	struct http_tls_files files;
	struct fault fault = {0};
	struct http_tls *tls;
	char buf[3][128];

	files = files_in(pki, buf);
	assert_int_equal(http_tls_open(&tls, &files, &fault), 0);
	return tls;
}

static void peer_open(struct peer *peer, const struct pki *pki, const char *stem)
{
	char path[128], file[64];

	peer->context = SSL_CTX_new(TLS_client_method());
	assert_true(SSL_CTX_load_verify_file(
			    peer->context, pki_path(pki, "ca.pem", path)) == 1);
	SSL_CTX_set_verify(peer->context, SSL_VERIFY_PEER, NULL);
	if (stem) {
		(void)snprintf(file, sizeof(file), "%s.pem", stem);
		assert_true(SSL_CTX_use_certificate_file(peer->context,
				    pki_path(pki, file, path), SSL_FILETYPE_PEM) == 1);
		(void)snprintf(file, sizeof(file), "%s-key.pem", stem);
		assert_true(SSL_CTX_use_PrivateKey_file(peer->context,
				    pki_path(pki, file, path), SSL_FILETYPE_PEM) == 1);
	}
}

static void peer_connect(struct peer *peer)
{
	peer->ssl = SSL_new(peer->context);
	peer->in = BIO_new(BIO_s_mem());
	peer->out = BIO_new(BIO_s_mem());
	SSL_set_bio(peer->ssl, peer->in, peer->out);
	SSL_set_connect_state(peer->ssl);
}

static void peer_close(struct peer *peer)
{
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->context);
}

/* Moves what the session has to say; false when there was nothing. */
static bool to_peer(struct peer *peer, struct http_tls_session *session)
{
	size_t len;
	void *bytes = http_tls_take_output(session, &len);

	if (!bytes)
		return false;
	assert_int_equal(BIO_write(peer->in, bytes, (int)len), len);
	free(bytes);
	return true;
}

/* Moves what the client has to say, in pieces; plaintext lands in text. */
static int from_peer(
	struct peer *peer, struct http_tls_session *session, int piece, char *text)
{
	uint8_t bytes[4096];
	int len, rc = 0;

	while (rc >= 0 && (len = BIO_read(peer->out, bytes, piece)) > 0) {
		const uint8_t *at = bytes;
		size_t left = (size_t)len;

		do {
			rc = http_tls_decrypt(
				session, &at, &left, text + strlen(text), 64);
		} while (rc > 0);
	}
	return rc;
}

static int talk(
	struct peer *peer, struct http_tls_session *session, int piece, char *text)
{
	int rc = 0;

	for (unsigned round = 0; round < 20 && rc >= 0; round++) {
		(void)SSL_do_handshake(peer->ssl);
		rc = from_peer(peer, session, piece, text);
		(void)to_peer(peer, session);
	}
	return rc;
}

static void both_ways_work_however_the_bytes_are_cut(void **state)
{
	struct http_tls *tls = open_tls(*state);

	for (int piece = 1; piece < 4096; piece = piece * 3 + 1) {
		struct http_tls_session *session;
		struct peer peer;
		char text[256] = "", answer[64];

		assert_int_equal(http_tls_session_new(&session, tls), 0);
		peer_open(&peer, *state, "probe");
		peer_connect(&peer);
		assert_int_equal(talk(&peer, session, piece, text), 0);
		assert_string_equal(http_tls_client(session), "tyo-laptop-17");
		assert_int_equal(SSL_write(peer.ssl, "question", 8), 8);
		assert_int_equal(from_peer(&peer, session, piece, text), 0);
		assert_string_equal(text, "question");
		assert_int_equal(http_tls_encrypt(session, "answer", 6), 0);
		assert_true(to_peer(&peer, session));
		assert_int_equal(SSL_read(peer.ssl, answer, sizeof(answer)), 6);
		assert_int_equal(SSL_shutdown(peer.ssl), 0);
		assert_int_equal(from_peer(&peer, session, piece, text), UV_EOF);
		http_tls_say_goodbye(session);
		assert_true(to_peer(&peer, session));
		assert_true(SSL_read(peer.ssl, answer, sizeof(answer)) <= 0);
		assert_int_equal(SSL_get_shutdown(peer.ssl),
			SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		http_tls_session_free(session);
		peer_close(&peer);
	}
	http_tls_close(tls);
}

static const char *name_given_to(
	const struct pki *pki, const char *stem, int version, int *rc)
{
	static char name[64];
	struct http_tls *tls = open_tls(pki);
	struct http_tls_session *session;
	struct peer peer;
	char text[256] = "";

	assert_int_equal(http_tls_session_new(&session, tls), 0);
	peer_open(&peer, pki, stem);
	assert_true(SSL_CTX_set_max_proto_version(peer.context, version) == 1);
	SSL_CTX_set_security_level(peer.context, 0);
	peer_connect(&peer);
	*rc = talk(&peer, session, 4096, text);
	(void)snprintf(name, sizeof(name), "%s",
		*rc ? http_tls_failure(session) : http_tls_client(session));
	http_tls_session_free(session);
	peer_close(&peer);
	http_tls_close(tls);
	return name;
}

static void a_client_is_who_its_certificate_says(void **state)
{
	int rc;

	assert_string_equal(
		name_given_to(*state, "probe", TLS1_3_VERSION, &rc), "tyo-laptop-17");
	assert_string_equal(
		name_given_to(*state, "probe", TLS1_2_VERSION, &rc), "tyo-laptop-17");
	assert_string_equal(name_given_to(*state, NULL, TLS1_3_VERSION, &rc), "");
	assert_int_equal(rc, 0);
}

static void a_certificate_that_does_not_verify_is_refused(void **state)
{
	struct pki other;
	int rc;

	assert_non_null(
		strstr(name_given_to(*state, "expired", TLS1_3_VERSION, &rc), "expired"));
	assert_int_equal(rc, STATUS_REFUSED);
	/* one for servers is none for clients */
	assert_non_null(
		strstr(name_given_to(*state, "server", TLS1_3_VERSION, &rc), "purpose"));
	assert_int_equal(rc, STATUS_REFUSED);
	pki_make(&other);
	pki_issue(&other, "stranger", "tyo-laptop-17", false, -MOMENT_HOUR_US,
		MOMENT_HOUR_US);
	{
		struct http_tls *tls = open_tls(*state);
		struct http_tls_session *session;
		struct peer peer;
		char text[256] = "";

		assert_int_equal(http_tls_session_new(&session, tls), 0);
		peer_open(&peer, &other, "stranger");
		SSL_CTX_set_verify(peer.context, SSL_VERIFY_NONE, NULL);
		peer_connect(&peer);
		assert_int_equal(talk(&peer, session, 4096, text), STATUS_REFUSED);
		assert_string_equal(http_tls_client(session), "");
		http_tls_session_free(session);
		peer_close(&peer);
		http_tls_close(tls);
	}
	pki_remove(&other);
}

static void old_versions_are_refused(void **state)
{
	int rc;

	(void)name_given_to(*state, "probe", TLS1_1_VERSION, &rc);
	assert_int_equal(rc, STATUS_REFUSED);
}

static int ticket_kept(SSL *ssl, SSL_SESSION *ticket)
{
	SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(*kept);
	*kept = ticket;
	return 1;
}

static void a_ticket_resumes_until_certificates_are_replaced(void **state)
{
	struct http_tls *tls = open_tls(*state);
	struct http_tls_files files;
	SSL_SESSION *ticket = NULL;
	struct peer peer;
	char buf[3][128];

	files = files_in(*state, buf);
	peer_open(&peer, *state, "probe");
	SSL_CTX_set_session_cache_mode(peer.context, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_set_app_data(peer.context, &ticket);
	SSL_CTX_sess_set_new_cb(peer.context, ticket_kept);
	for (unsigned round = 0; round < 3; round++) {
		struct http_tls_session *session;
		char text[256] = "", answer[8];

		if (round == 2)
			assert_int_equal(http_tls_reload(tls, &files, NULL), 0);
		assert_int_equal(http_tls_session_new(&session, tls), 0);
		peer_connect(&peer);
		if (ticket)
			assert_true(SSL_set_session(peer.ssl, ticket) == 1);
		assert_int_equal(talk(&peer, session, 4096, text), 0);
		(void)SSL_read(
			peer.ssl, answer, sizeof(answer)); /* takes the new ticket in */
		assert_int_equal(SSL_session_reused(peer.ssl), round == 1);
		assert_string_equal(http_tls_client(session), "tyo-laptop-17");
		(void)SSL_shutdown(peer.ssl);
		SSL_free(peer.ssl);
		http_tls_session_free(session);
	}
	SSL_SESSION_free(ticket);
	SSL_CTX_free(peer.context);
	http_tls_close(tls);
}

static void a_session_outlives_the_certificates_it_began_with(void **state)
{
	struct http_tls *tls = open_tls(*state);
	struct http_tls_session *session;
	struct http_tls_files files;
	struct peer peer;
	char buf[3][128], text[256] = "";

	files = files_in(*state, buf);
	assert_int_equal(http_tls_session_new(&session, tls), 0);
	assert_int_equal(http_tls_reload(tls, &files, NULL), 0);
	peer_open(&peer, *state, NULL);
	peer_connect(&peer);
	assert_int_equal(talk(&peer, session, 4096, text), 0);
	http_tls_session_free(session);
	peer_close(&peer);
	http_tls_close(tls);
}

static void what_cannot_be_loaded_is_named_and_changes_nothing(void **state)
{
	struct http_tls *tls = open_tls(*state);
	struct fault fault = {0};
	struct http_tls_files files;
	char buf[3][128], other[128];

	files = files_in(*state, buf);
	files.certificate = "/tmp/astray-no-such.pem";
	assert_int_equal(http_tls_reload(tls, &files, &fault), -2);
	assert_string_equal(fault.field, "certificate");
	assert_non_null(strstr(fault.why, "astray-no-such.pem"));
	files = files_in(*state, buf);
	files.key = pki_path(*state, "probe-key.pem", other);
	assert_true(http_tls_reload(tls, &files, &fault) < 0);
	assert_string_equal(fault.field, "key");
	files = files_in(*state, buf);
	files.client_ca = files.key;
	assert_true(http_tls_reload(tls, &files, &fault) < 0);
	assert_string_equal(fault.field, "client_ca");
	http_tls_close(tls);
}

static void bytes_that_are_no_tls_are_refused(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct http_tls *tls = open_tls(*state);
	struct http_tls_session *session;
	const uint8_t *at = (const uint8_t *)text;
	size_t left = sizeof(text) - 1;
	char plain[64];

	assert_int_equal(http_tls_session_new(&session, tls), 0);
	assert_int_equal(http_tls_decrypt(session, &at, &left, plain, sizeof(plain)),
		STATUS_REFUSED);
	assert_true(*http_tls_failure(session));
	http_tls_session_free(session);
	http_tls_close(tls);
}

static void nothing_that_exists_is_written_over(void **state)
{
	struct pki *pki = *state;
	struct fault fault = {0};
	char certificate[128], key[128];
	struct authority_files files = {
		.certificate = pki_path(pki, "probe.pem", certificate),
		.key = pki_path(pki, "probe-key.pem", key)};
	struct authority_order order = {
		.name = "x", .until = moment_plus_us(now_moment(), 1000000)};

	assert_true(authority_issue(pki->authority, &order, &files, &fault) < 0);
	assert_non_null(strstr(fault.why, "exists"));
}

static void an_authority_is_read_back(void **state)
{
	struct authority *authority;
	struct fault fault = {0};
	char certificate[128], key[128], other[128];
	struct authority_files files = {
		.certificate = pki_path(*state, "ca.pem", certificate),
		.key = pki_path(*state, "ca-key.pem", key)};

	assert_int_equal(authority_load(&authority, &files, &fault), 0);
	authority_free(authority);
	files.key = pki_path(*state, "probe-key.pem", other);
	assert_true(authority_load(&authority, &files, &fault) < 0);
	files.key = "/tmp/astray-no-such.pem";
	assert_int_equal(authority_load(&authority, &files, &fault), -2);
}

static int set_up(void **state)
{
	static struct pki pki;

	pki_make(&pki);
	*state = &pki;
	return 0;
}

static int tear_down(void **state)
{
	pki_remove(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_work_however_the_bytes_are_cut),
		cmocka_unit_test(a_client_is_who_its_certificate_says),
		cmocka_unit_test(a_certificate_that_does_not_verify_is_refused),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(a_ticket_resumes_until_certificates_are_replaced),
		cmocka_unit_test(a_session_outlives_the_certificates_it_began_with),
		cmocka_unit_test(what_cannot_be_loaded_is_named_and_changes_nothing),
		cmocka_unit_test(bytes_that_are_no_tls_are_refused),
		cmocka_unit_test(nothing_that_exists_is_written_over),
		cmocka_unit_test(an_authority_is_read_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
