#include "http_tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/status.h"

#define CLIENT_NAME 64
#define OUTPUT_FIRST_BYTES 1024
#define TICKET_SECONDS 3600
/* AEADs with forward secrecy only; TLS 1.3's own suites are all of that kind. */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

struct http_tls {
	SSL_CTX *context;
	BIO_METHOD *method;
};

struct http_tls_session {
	SSL *ssl;
	const uint8_t *at; /* ciphertext lent for the running call */
	size_t left;
	uint8_t *output;
	size_t output_len, output_held;
	bool out_of_memory, named;
	char client[CLIENT_NAME];
	char failure[128];
};

/* ---- a BIO that neither copies nor keeps: it reads what was lent and gathers what goes
 * out */

static int bio_write(BIO *bio, const char *bytes, int len)
{
	struct http_tls_session *session = BIO_get_data(bio);
	size_t wanted = session->output_held ? session->output_held : OUTPUT_FIRST_BYTES;
	uint8_t *output;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	while (wanted < session->output_len + (size_t)len)
		wanted *= 2;
	if (wanted != session->output_held) {
		output = realloc(session->output, wanted);
		if (!output) {
			session->out_of_memory = true;
			return -1;
		}
		session->output = output;
		session->output_held = wanted;
	}
	memcpy(session->output + session->output_len, bytes, (size_t)len);
	session->output_len += (size_t)len;
	return len;
}

static int bio_read(BIO *bio, char *buf, int cap)
{
	struct http_tls_session *session = BIO_get_data(bio);
	size_t len = session->left;

	BIO_clear_retry_flags(bio);
	if (cap <= 0)
		return 0;
	if (len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (len > (size_t)cap)
		len = (size_t)cap;
	memcpy(buf, session->at, len);
	session->at += len;
	session->left -= len;
	return (int)len;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void)
{
	BIO_METHOD *method =
		BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lent bytes");

	if (!method)
		return NULL;
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_ctrl(method, bio_control);
	return method;
}

/* ---- certificates */

static int fail(struct fault *fault, const char *what, const char *file)
{
	unsigned long code = ERR_peek_error(); /* the first says more: "no such file" */
	const char *reason = ERR_reason_error_string(code);
	int rc =
		ERR_GET_LIB(code) == ERR_LIB_SYS ? -ERR_GET_REASON(code) : STATUS_LIBRARY;

	if (rc != STATUS_LIBRARY)
		reason = strerror(-rc);
	rc = fault_at(
		fault, rc, what, "%s: %s", file, reason ? reason : "cannot be read");
	ERR_clear_error();
	return rc;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int configure(SSL_CTX *context)
{
	static const unsigned char id[] = "astray";

	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	/* Sessions live in tickets at the client; nothing of them is kept here. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_timeout(context, TICKET_SECONDS);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
	       SSL_CTX_set_num_tickets(context, 1) &&
	       SSL_CTX_set_cipher_list(context, CIPHERS_1_2) &&
	       SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
}

static int trust_clients(SSL_CTX *context, const char *file, struct fault *fault)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);

	if (!names)
		return fail(fault, "client_ca", file);
	SSL_CTX_set_client_CA_list(context, names); /* takes over */
	if (SSL_CTX_load_verify_file(context, file) != 1)
		return fail(fault, "client_ca", file);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return 0;
}

static int load(SSL_CTX *context, const struct http_tls_files *files, struct fault *fault)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
		return fail(fault, "certificate", files->certificate);
	if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(context) != 1)
		return fail(fault, "key", files->key);
	return files->client_ca ? trust_clients(context, files->client_ca, fault) : 0;
}

int http_tls_reload(
	struct http_tls *tls, const struct http_tls_files *files, struct fault *fault)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int rc = context && configure(context)
			 ? load(context, files, fault)
			 : fault_at(fault, STATUS_LIBRARY, "", "TLS cannot be set up");

	if (rc) {
		SSL_CTX_free(context);
		return rc;
	}
	SSL_CTX_free(tls->context); /* sessions hold it for as long as they need it */
	tls->context = context;
	return 0;
}

int http_tls_open(
	struct http_tls **out, const struct http_tls_files *files, struct fault *fault)
{
	struct http_tls *tls = calloc(1, sizeof(*tls));
	int rc;

	*out = NULL;
	if (!tls)
		return fault_at(fault, -ENOMEM, "", "no memory");
	tls->method = make_method();
	rc = tls->method ? http_tls_reload(tls, files, fault)
			 : fault_at(fault, -ENOMEM, "", "no memory");
	if (rc) {
		http_tls_close(tls);
		return rc;
	}
	*out = tls;
	return 0;
}

void http_tls_close(struct http_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	BIO_meth_free(tls->method);
	free(tls);
}

/* ---- sessions */

int http_tls_session_new(struct http_tls_session **out, struct http_tls *tls)
{
	struct http_tls_session *session = calloc(1, sizeof(*session));
	BIO *bio = session ? BIO_new(tls->method) : NULL;

	*out = NULL;
	if (!bio)
		goto fail;
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	session->ssl = SSL_new(tls->context);
	if (!session->ssl)
		goto fail;
	SSL_set_bio(session->ssl, bio, bio); /* takes over */
	SSL_set_accept_state(session->ssl);
	*out = session;
	return 0;

fail:
	BIO_free(bio);
	http_tls_session_free(session);
	return -ENOMEM;
}

void http_tls_session_free(struct http_tls_session *session)
{
	if (!session)
		return;
	SSL_free(session->ssl);
	free(session->output);
	free(session);
}

/* One common name without bytes that could be read in two ways; else no name at all. */
static void read_client_name(struct http_tls_session *session)
{
	X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;
	int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	unsigned char *text = NULL;
	int len;

	session->named = true;
	if (at < 0 || SSL_get_verify_result(session->ssl) != X509_V_OK ||
		X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return;
	len = ASN1_STRING_to_UTF8(
		&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len > 0 && len < CLIENT_NAME && !memchr(text, '\0', (size_t)len))
		memcpy(session->client, text, (size_t)len);
	OPENSSL_free(text);
}

static int refused(struct http_tls_session *session)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);
	long verified = SSL_get_verify_result(session->ssl);

	if (verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	(void)snprintf(session->failure, sizeof(session->failure), "%s",
		reason ? reason : "the peer broke off");
	ERR_clear_error();
	return STATUS_REFUSED;
}

int http_tls_decrypt(struct http_tls_session *session, const uint8_t **at, size_t *left,
	void *buf, size_t cap)
{
	int len, error;

	ERR_clear_error();
	session->at = *at;
	session->left = *left;
	len = SSL_read(session->ssl, buf, cap > INT_MAX ? INT_MAX : (int)cap);
	error = len > 0 ? SSL_ERROR_NONE : SSL_get_error(session->ssl, len);
	*at = session->at;
	*left = session->left;
	session->at = NULL;
	session->left = 0;
	if (session->out_of_memory)
		return -ENOMEM;
	if (!session->named && SSL_is_init_finished(session->ssl))
		read_client_name(session);
	if (len > 0)
		return len;
	if (error == SSL_ERROR_WANT_READ)
		return 0;
	if (error == SSL_ERROR_ZERO_RETURN)
		return UV_EOF;
	return refused(session);
}

int http_tls_encrypt(struct http_tls_session *session, const void *bytes, size_t len)
{
	size_t written;

	ERR_clear_error();
	if (len == 0)
		return 0;
	if (SSL_write_ex(session->ssl, bytes, len, &written) != 1 || written != len)
		return session->out_of_memory ? -ENOMEM : refused(session);
	return 0;
}

void http_tls_say_goodbye(struct http_tls_session *session)
{
	if (SSL_is_init_finished(session->ssl))
		(void)SSL_shutdown(session->ssl);
	ERR_clear_error();
}

void *http_tls_take_output(struct http_tls_session *session, size_t *len)
{
	void *output = session->output;

	*len = session->output_len;
	session->output = NULL;
	session->output_len = session->output_held = 0;
	return output;
}

const char *http_tls_client(const struct http_tls_session *session)
{
	return session->client;
}

const char *http_tls_failure(const struct http_tls_session *session)
{
	return session->failure;
}
