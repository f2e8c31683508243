#include "dashboard.h"

#include <stdlib.h>
#include <string.h>

#include "astray/squeeze.h"
#include "http_server.h"
#include "web.h"

#define FILE_MAX (8 * 1024 * 1024)
/* Styles by script are allowed to a page by its own scripts alone; no markup is ever
 * inserted. */
#define POLICY                                                                           \
	"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " \
	"form-action 'none'; frame-ancestors 'none'"

static bool holds(const char *header, const char *word)
{
	return header && strstr(header, word);
}

static void send(struct http_exchange *exchange, const struct web_file *file, bool packed)
{
	const struct http_header headers[] = {{"etag", file->etag},
		{"cache-control", "no-cache"}, {"vary", "accept-encoding"},
		{"content-security-policy", POLICY},
		{"x-content-type-options", "nosniff"}, {"referrer-policy", "no-referrer"},
		{packed ? "content-encoding" : NULL, "gzip"}, {0}};
	struct http_reply reply = {.status = 200,
		.content_type = file->content_type,
		.body = file->bytes,
		.body_len = file->len,
		.headers = headers};
	void *plain = NULL;

	if (holds(http_server_header(exchange, "if-none-match"), file->etag))
		reply = (struct http_reply){.status = 304, .headers = headers};
	else if (!packed && squeeze_unpack(&plain, &reply.body_len, SQUEEZE_GZIP,
				    file->bytes, file->len, FILE_MAX)) {
		http_server_refuse(exchange, 503, "no memory is left");
		return;
	}
	if (plain)
		reply.body = plain;
	http_server_reply(exchange, &reply);
	free(plain);
}

bool dashboard_answer(struct http_exchange *exchange)
{
	const struct http_request *request = http_server_request(exchange);
	const struct web_file *file = web_find(request->path);

	if (!file)
		return false;
	if (strcmp(request->method, "GET") != 0)
		http_server_refuse(exchange, 405, "%s can only be read", request->path);
	else
		send(exchange, file,
			holds(http_server_header(exchange, "accept-encoding"), "gzip"));
	return true;
}
