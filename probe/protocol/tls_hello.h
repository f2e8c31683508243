/*
 * What the two hellos of a TLS handshake say in the clear: the server's name that the
 * client asks for, and which version the server chose. Reads handshake messages, which
 * may have come in several records and segments; one that is cut is read as far as it
 * goes. Pure. Source: RFC 8446 §4.1, RFC 6066 §3, draft-ietf-tls-esni.
 */
#ifndef PROTOCOL_TLS_HELLO_H
#define PROTOCOL_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_hello {
	const char *server_name; /* inside the bytes that were read; NULL: none */
	size_t server_name_len;
	bool offers_early_data;
	bool offers_secret_name; /* ECH, or what looks like it: the name may be another's
				  */
	bool offers_h2;          /* by ALPN */
	bool chooses_h2;         /* a ServerHello that says so: TLS 1.2 only */
	uint16_t suite;          /* a ServerHello's cipher suite */
	bool is_retry;           /* HelloRetryRequest: another ClientHello follows */
	bool is_1_3;             /* a ServerHello that chose TLS 1.3 */
};

/* The length of the whole message, its header included; 0 when the bytes do not say it
 * yet. */
size_t tls_hello_message_len(const uint8_t *bytes, size_t len);

/* 0, or STATUS_SHORT when the message is cut (what was found before is filled in), or
 * STATUS_SYNTAX when it is not such a message. */
int tls_hello_read_client(struct tls_hello *out, const uint8_t *bytes, size_t len);
int tls_hello_read_server(struct tls_hello *out, const uint8_t *bytes, size_t len);

#endif
