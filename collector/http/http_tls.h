/*
 * TLS over bytes, the one place that meets OpenSSL: ciphertext goes in, plaintext comes
 * out, and the other way; sockets are the caller's. TLS 1.2 and later, session tickets,
 * buffers released while a connection rests, "http/1.1" by ALPN.
 *
 * Certificates can be replaced at any time; sessions keep what they began with.
 */
#ifndef ASTRAY_HTTP_TLS_H
#define ASTRAY_HTTP_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"

struct http_tls;
struct http_tls_session;

/* PEM files. With client_ca (may be NULL) clients are asked for a certificate: one that
 * does not verify is refused, a client without one is let in and has no name. */
struct http_tls_files {
	const char *certificate, *key, *client_ca;
};

int http_tls_open(
	struct http_tls **out, const struct http_tls_files *files, struct fault *fault);
/* On failure the old ones stay. Tickets of before are worth nothing behind it. */
int http_tls_reload(
	struct http_tls *tls, const struct http_tls_files *files, struct fault *fault);
void http_tls_close(struct http_tls *tls); /* once no session is left; NULL is fine */

int http_tls_session_new(struct http_tls_session **out, struct http_tls *tls);
void http_tls_session_free(struct http_tls_session *session); /* NULL is fine */

/* Plaintext out of the ciphertext at *at, which moves on. The length; 0: all is used up;
 * UV_EOF once the peer has ended well; STATUS_REFUSED when it broke the rules (see
 * failure). After each call there may be bytes to send. */
int http_tls_decrypt(struct http_tls_session *session, const uint8_t **at, size_t *left,
	void *buf, size_t cap);
int http_tls_encrypt(struct http_tls_session *session, const void *bytes, size_t len);
void http_tls_say_goodbye(struct http_tls_session *session); /* close_notify */

/* What is to be sent, NULL when there is nothing; the caller frees it. */
void *http_tls_take_output(struct http_tls_session *session, size_t *len);

/* Common name of the verified client certificate, or "". */
const char *http_tls_client(const struct http_tls_session *session);
const char *http_tls_failure(
	const struct http_tls_session *session); /* why it was refused */

#endif
