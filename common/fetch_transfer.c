#include "fetch_transfer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>
#include <curl/curl.h>
#include <openssl/ssl.h>

#include "astray/own_mark.h"
#include "astray/status.h"
#include "fetch_certificate.h"

#define REDIRECTS_MAX 5L
#define CA_KEPT_S ((long)(FETCH_TRUST_KEPT_US / MOMENT_SECOND_US))

struct fetch_transfer {
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char curl_text[CURL_ERROR_SIZE];
	const struct fetch_trust *trust;
	struct address peer;  /* chosen, when measuring */
	int64_t handshake_us; /* by the kernel */
	curl_socket_t socket; /* of the measured connection */
	bool was_reset;
	struct obs_certificate certificate;
	char *body;
	size_t body_len, body_room, body_limit;
	bool truncated;
};

/* How a request ended, in the answer's words. */
struct ending {
	int rc;
	enum obs_check_error error;
};

/* ---- what libcurl and the kernel know of it ---- */

static int64_t curl_time(CURL *easy, CURLINFO which)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(easy, which, &us) == CURLE_OK ? us : 0;
}

static int64_t phase(int64_t from_us, int64_t until_us)
{
	return until_us > 0 && until_us >= from_us ? until_us - from_us : OBS_ABSENT;
}

static void fill_phases(
	struct fetch_answer *answer, const struct fetch_transfer *transfer)
{
	CURL *easy = transfer->easy;
	int64_t lookup = curl_time(easy, CURLINFO_NAMELOOKUP_TIME_T);
	int64_t connect = curl_time(easy, CURLINFO_CONNECT_TIME_T);
	int64_t tls = curl_time(easy, CURLINFO_APPCONNECT_TIME_T);

	answer->dns_us = OBS_ABSENT;
	answer->connect_us = transfer->handshake_us;
	if (answer->connect_us == OBS_ABSENT && !answer->late)
		answer->connect_us = phase(lookup, connect);
	answer->tls_us = phase(connect, tls);
	answer->first_byte_us = phase(curl_time(easy, CURLINFO_PRETRANSFER_TIME_T),
		curl_time(easy, CURLINFO_STARTTRANSFER_TIME_T));
}

static void fill_peer(struct fetch_answer *answer, const struct fetch_transfer *transfer)
{
	char *text = NULL;

	answer->peer = transfer->peer;
	if (answer->peer.family == 0 &&
		curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &text) ==
			CURLE_OK &&
		text && address_parse(&answer->peer, text))
		answer->peer = (struct address){0};
}

static void fill_head(struct fetch_answer *answer, CURL *easy)
{
	struct curl_header *header;
	curl_off_t retry_after_s = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	answer->retry_after_s = retry_after_s > 0 ? retry_after_s : OBS_ABSENT;
	if (curl_easy_header(easy, "etag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
		strlen(header->value) < sizeof(answer->etag))
		(void)snprintf(answer->etag, sizeof(answer->etag), "%s", header->value);
}

/* The kernel's round trip of the handshake is only there until data flows, and is no
 * measure of what was waited for when a SYN was lost. */
static void read_handshake(struct fetch_transfer *transfer)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (transfer->socket != CURL_SOCKET_BAD &&
		getsockopt(transfer->socket, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
		info.tcpi_total_retrans == 0 && info.tcpi_rtt > 0)
		transfer->handshake_us = info.tcpi_rtt;
}

static size_t body_came(char *bytes, size_t one, size_t len, void *arg)
{
	struct fetch_transfer *transfer = arg;
	size_t space = transfer->body_limit - transfer->body_len;
	size_t kept = len < space ? len : space;

	(void)one;
	if (kept < len)
		transfer->truncated = true;
	if (transfer->body_len + kept >= transfer->body_room) {
		size_t room = 2 * (transfer->body_len + kept) + 512;
		char *larger = realloc(transfer->body, room);

		if (!larger)
			return CURL_WRITEFUNC_ERROR;
		transfer->body = larger;
		transfer->body_room = room;
	}
	memcpy(transfer->body + transfer->body_len, bytes, kept);
	transfer->body_len += kept;
	transfer->body[transfer->body_len] = '\0';
	return len;
}

static curl_socket_t socket_opened(
	void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch_transfer *transfer = arg;

	(void)purpose;
	transfer->socket = socket(address->family,
		address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
	return transfer->socket;
}

/* Whichever of the two the socket is not of does not matter, nor does a refusal: the mark
 * is for counting only. */
static int mark_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	static const int ttl = OWN_MARK_TTL, segment = OWN_MARK_SEGMENT;

	(void)arg;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	return CURL_SOCKOPT_OK;
}

static int socket_done(void *arg, curl_socket_t fd)
{
	struct fetch_transfer *transfer = arg;
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	/* Nobody but the other side has ended it so far: we close it only now. */
	transfer->was_reset = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
			      info.tcpi_state == TCP_CLOSE;
	transfer->socket = CURL_SOCKET_BAD;
	return close(fd);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static int request_begins(void *arg, char *peer, char *here, int peer_port, int port)
{
	struct fetch_transfer *transfer = arg;

	(void)peer, (void)here, (void)peer_port, (void)port;
	if (transfer->handshake_us == OBS_ABSENT)
		read_handshake(transfer);
	return CURL_PREREQFUNC_OK;
}

static int chain_came(X509_STORE_CTX *chain, void *arg)
{
	struct fetch_transfer *transfer = arg;
	const SSL *ssl =
		X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	const X509 *leaf = X509_STORE_CTX_get0_cert(chain);
	int verified;

	if (leaf)
		fetch_certificate_read(&transfer->certificate, leaf);
	if (ssl)
		(void)snprintf(transfer->certificate.version,
			sizeof(transfer->certificate.version), "%s",
			SSL_get_version(ssl));
	verified = X509_verify_cert(chain);
	transfer->certificate.verified = verified > 0;
	fetch_certificate_read_chain(
		&transfer->certificate, X509_STORE_CTX_get0_chain(chain));
	return verified;
}

static CURLcode handshake_begins(CURL *easy, void *ctx, void *arg)
{
	struct fetch_transfer *transfer = arg;

	(void)easy;
	read_handshake(transfer);
	SSL_CTX_set1_cert_store(ctx, transfer->trust->store);
	SSL_CTX_set_cert_verify_callback(ctx, chain_came, transfer);
	return CURLE_OK;
}

/* ---- endings ---- */

static struct ending class_of_connect(const struct fetch_transfer *transfer)
{
	long error = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);
	switch (error) {
	case ECONNREFUSED:
		return (struct ending){-ECONNREFUSED, OBS_CHECK_REFUSED};
	case ECONNRESET:
		return (struct ending){-ECONNRESET, OBS_CHECK_RESET};
	case ETIMEDOUT:
		return (struct ending){-ETIMEDOUT, OBS_CHECK_TIMEOUT};
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
		return (struct ending){-(int)error, OBS_CHECK_OK};
	case 0:
		return (struct ending){-EHOSTUNREACH, OBS_CHECK_UNREACHABLE};
	default:
		return (struct ending){-(int)error, OBS_CHECK_UNREACHABLE};
	}
}

static struct ending class_of(const struct fetch_transfer *transfer, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return (struct ending){0};
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return (struct ending){UV_EAI_NONAME, OBS_CHECK_DNS};
	case CURLE_COULDNT_CONNECT:
		return class_of_connect(transfer);
	case CURLE_OPERATION_TIMEDOUT:
		return (struct ending){-ETIMEDOUT, OBS_CHECK_TIMEOUT};
	case CURLE_SSL_CONNECT_ERROR:
		if (transfer->was_reset)
			return (struct ending){-ECONNRESET, OBS_CHECK_RESET};
		return (struct ending){-EPROTO, OBS_CHECK_TLS};
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return (struct ending){-EPROTO, OBS_CHECK_TLS};
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return (struct ending){-ECONNRESET, OBS_CHECK_RESET};
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR:
		return (struct ending){-ENOMEM, OBS_CHECK_OK};
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_FAILED_INIT:
		return (struct ending){STATUS_LIBRARY, OBS_CHECK_OK};
	default: /* it answered, but not in HTTP as we know it */
		return (struct ending){STATUS_SYNTAX, OBS_CHECK_HTTP};
	}
}

void fetch_transfer_judge(
	struct fetch_answer *answer, struct fetch_transfer *transfer, int code)
{
	struct ending ending = class_of(transfer, (CURLcode)code);
	const char *text = *transfer->curl_text ? transfer->curl_text
						: curl_easy_strerror((CURLcode)code);

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		transfer->certificate.verified =
			false; /* a good chain, of another name */
	if (code == CURLE_COULDNT_CONNECT)
		text = status_text(ending.rc); /* theirs says how long it took */
	answer->rc = ending.rc;
	answer->error = ending.error;
	if (ending.rc)
		(void)snprintf(
			answer->error_text, sizeof(answer->error_text), "%s", text);
}

void fetch_transfer_fill(
	struct fetch_answer *answer, const struct fetch_transfer *transfer)
{
	fill_phases(answer, transfer);
	fill_peer(answer, transfer);
	answer->retry_after_s = OBS_ABSENT;
	if (answer->rc == 0)
		fill_head(answer, transfer->easy);
	answer->certificate = transfer->certificate;
	answer->body = transfer->body ? transfer->body : "";
	answer->body_len = transfer->body_len;
	answer->truncated = transfer->truncated;
}

const char *fetch_transfer_awaited(const struct fetch_transfer *transfer)
{
	CURL *easy = transfer->easy;

	if (curl_time(easy, CURLINFO_CONNECT_TIME_T) == 0)
		return "no connection";
	if (curl_time(easy, CURLINFO_PRETRANSFER_TIME_T) == 0)
		return "the TLS handshake did not end";
	if (curl_time(easy, CURLINFO_STARTTRANSFER_TIME_T) == 0)
		return "no answer";
	return "the answer did not end";
}

/* ---- options ---- */

static int add_header(struct fetch_transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		return -ENOMEM;
	transfer->headers = longer;
	return 0;
}

static int add_headers(struct fetch_transfer *transfer, const struct fetch_header *header)
{
	/* No round trip before a body. */
	int rc = add_header(transfer, "Expect:");

	for (; rc == 0 && header && header->name; header++) {
		char line[4096];
		int len = snprintf(
			line, sizeof(line), "%s: %s", header->name, header->value);

		if (len < 0 || (size_t)len >= sizeof(line) || strpbrk(line, "\r\n"))
			return -EINVAL;
		rc = add_header(transfer, line);
	}
	return rc;
}

/* Each returns 0, or something else when memory ran out: the only way in which these
 * fail. */
static unsigned set_method(CURL *easy, const struct fetch_order *order)
{
	const char *method = order->method ? order->method : order->body ? "POST" : "GET";
	unsigned failed = 0;

	if (strcmp(method, "HEAD") == 0)
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (order->body || strcmp(method, "POST") == 0) {
		failed |= curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body_len);
		failed |= curl_easy_setopt(
			easy, CURLOPT_COPYPOSTFIELDS, order->body ? order->body : "");
	}
	return failed | curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static unsigned set_tls(CURL *easy, const struct fetch_order *order)
{
	/* The directory of certificates would be read file by file at each handshake. */
	unsigned failed = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

	failed |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_KEPT_S);
	if (order->ca_file)
		failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, order->ca_file);
	if (order->certificate_file)
		failed |=
			curl_easy_setopt(easy, CURLOPT_SSLCERT, order->certificate_file);
	if (order->key_file)
		failed |= curl_easy_setopt(easy, CURLOPT_SSLKEY, order->key_file);
	return failed;
}

static unsigned set_redirects(CURL *easy, const struct fetch_order *order, bool secure)
{
	unsigned failed = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");

	failed |= curl_easy_setopt(
		easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	failed |= curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	return failed | curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION,
				order->follow_redirects && !order->measure ? 1L : 0L);
}

static unsigned set_measuring(CURL *easy, struct fetch_transfer *transfer)
{
	unsigned failed = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);

	failed |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* What is trusted is here already, and libcurl must not take it for its own. */
	failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	failed |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_opened);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_done);
	failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer);
	failed |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, request_begins);
	failed |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, handshake_begins);
	return failed | curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
}

static int set_up(
	struct fetch_transfer *transfer, const struct fetch_order *order, bool secure)
{
	CURL *easy = transfer->easy;
	unsigned failed = curl_easy_setopt(easy, CURLOPT_URL, order->url);
	int rc = add_headers(transfer, order->headers);

	failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_text);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	failed |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "astray/" ASTRAY_VERSION);
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, mark_socket);
	/* A name that is still being looked up must not hold the loop when its transfer
	 * ends. */
	failed |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	failed |= set_method(easy, order);
	failed |= set_tls(easy, order);
	failed |= set_redirects(easy, order, secure);
	if (order->measure)
		failed |= set_measuring(easy, transfer);
	return rc == 0 && failed ? -ENOMEM : rc;
}

/* ---- life ---- */

static int read_url(char **host, bool *secure, const char *text)
{
	CURLU *url = curl_url();
	char *scheme = NULL;
	int rc = -ENOMEM;

	*host = NULL;
	*secure = false;
	if (!url)
		return rc;
	rc = STATUS_SYNTAX;
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) ||
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
		goto end;
	rc = STATUS_UNSUPPORTED;
	*secure = strcasecmp(scheme, "https") == 0;
	if (!*secure && strcasecmp(scheme, "http") != 0)
		goto end;
	rc = curl_url_get(url, CURLUPART_HOST, host, 0) ? STATUS_SYNTAX : 0;
end:
	curl_free(scheme);
	curl_url_cleanup(url);
	return rc;
}

int fetch_transfer_read_url(char *host, size_t cap, bool *secure, const char *url)
{
	char *found;
	int rc = read_url(&found, secure, url);
	size_t len;

	if (rc)
		return rc;
	len = strlen(found);
	if (*found == '[' && len > 2)
		rc = snprintf(host, cap, "%.*s", (int)len - 2, found + 1);
	else
		rc = snprintf(host, cap, "%s", found);
	curl_free(found);
	return rc > 0 && (size_t)rc < cap ? 0 : STATUS_SYNTAX;
}

int fetch_transfer_new(struct fetch_transfer **out, const struct fetch_order *order,
	bool secure, const struct fetch_trust *trust, void *owner)
{
	struct fetch_transfer *transfer = calloc(1, sizeof(*transfer));
	int rc = -ENOMEM;

	*out = NULL;
	if (!transfer)
		return rc;
	transfer->trust = trust;
	transfer->body_limit = order->answer_limit;
	transfer->handshake_us = OBS_ABSENT;
	transfer->socket = CURL_SOCKET_BAD;
	transfer->easy = curl_easy_init();
	if (transfer->easy)
		rc = set_up(transfer, order, secure);
	if (rc == 0 && curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, owner))
		rc = -ENOMEM;
	if (rc == 0)
		*out = transfer;
	else
		fetch_transfer_free(transfer);
	return rc;
}

void fetch_transfer_free(struct fetch_transfer *transfer)
{
	if (!transfer)
		return;
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->connect_to);
	free(transfer->body);
	free(transfer);
}

void *fetch_transfer_easy(const struct fetch_transfer *transfer)
{
	return transfer->easy;
}

int fetch_transfer_connect_to(struct fetch_transfer *transfer, const struct address *peer)
{
	char text[ADDRESS_TEXT], line[ADDRESS_TEXT + 8];

	transfer->peer = *peer;
	(void)snprintf(line, sizeof(line),
		peer->family == 6 ? "::[%s]:" : "::%s:", address_text(peer, text));
	transfer->connect_to = curl_slist_append(NULL, line);
	return transfer->connect_to &&
			       curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO,
				       transfer->connect_to) == CURLE_OK
		       ? 0
		       : -ENOMEM;
}
