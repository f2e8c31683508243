#include "collector_access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "astray/moment.h"
#include "astray/status.h"

#define TIMEOUT_US (30 * MOMENT_SECOND_US)
#define ANSWER_LIMIT ((size_t)4 * 1024)

static int read_start(const char *path, char *buf, size_t cap, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, buf, cap);
	if (got < 0)
		got = -errno;
	(void)close(fd);
	*len = got < 0 ? 0 : (size_t)got;
	return got < 0 ? (int)got : 0;
}

/* What a header can carry: visible ASCII, and nothing between. */
static bool is_token(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at >= 0x7f)
			return false;
	return *text != '\0';
}

static int read_token(char *token, size_t cap, const char *path, struct fault *fault)
{
	size_t len = 0;
	int rc = read_start(path, token, cap, &len);

	if (rc)
		return fault_at(fault, rc, "collector.token_file", "%s: %s", path,
			status_text(rc));
	if (len == cap)
		return fault_at(fault, STATUS_LIMIT, "collector.token_file",
			"%s: longer than %d bytes", path, COLLECTOR_ACCESS_TOKEN_MAX);
	while (len > 0 && (token[len - 1] == '\n' || token[len - 1] == '\r'))
		len--;
	token[len] = '\0';
	if (strlen(token) != len || !is_token(token))
		return fault_at(fault, STATUS_SYNTAX, "collector.token_file",
			"%s: should hold one word of visible ASCII", path);
	return 0;
}

static const char *given(const char *text)
{
	return text[0] ? text : NULL;
}

static void join_url(char *out, size_t cap, const char *url, const char *path)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	(void)snprintf(out, cap, "%.*s%s", (int)len, url, path);
}

int collector_access_order(struct collector_order *out,
	const struct collector_access *access, const char *path,
	const struct fetch_header *headers, struct fault *fault)
{
	char token[COLLECTOR_ACCESS_TOKEN_MAX + 1];
	unsigned count = 0;
	int rc;

	*out = (struct collector_order){0};
	for (; headers && headers->name && count < COLLECTOR_ACCESS_HEADERS; headers++)
		out->headers[count++] = *headers;
	if (access->token_file[0]) {
		rc = read_token(token, sizeof(token), access->token_file, fault);
		if (rc)
			return rc;
		(void)snprintf(out->authorization, sizeof(out->authorization),
			"Bearer %s", token);
		out->headers[count] =
			(struct fetch_header){"Authorization", out->authorization};
	}
	join_url(out->url, sizeof(out->url), access->url, path);
	out->order = (struct fetch_order){.url = out->url,
		.headers = out->headers,
		.timeout_us = TIMEOUT_US,
		.answer_limit = ANSWER_LIMIT,
		.ca_file = given(access->ca_file),
		.certificate_file = given(access->certificate_file),
		.key_file = given(access->key_file)};
	return 0;
}
