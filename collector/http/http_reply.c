#include "http_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	int status;
	const char *text;
} texts[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
	{304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"},
	{403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
	{406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
	{413, "Content Too Large"}, {415, "Unsupported Media Type"},
	{417, "Expectation Failed"}, {429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
	{501, "Not Implemented"}, {503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"}};

const char *http_reply_status_text(int status)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Status";
}

static bool is_safe(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static void put_date(FILE *out, struct moment now)
{
	time_t seconds = (time_t)(now.us / MOMENT_SECOND_US);
	struct tm tm;
	char text[64];

	if (gmtime_r(&seconds, &tm) &&
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		(void)fprintf(out, "Date: %s\r\n", text);
}

static bool has_body(const struct http_reply *reply)
{
	return reply->status != 204 && reply->status != 304;
}

static void put_head(
	FILE *out, const struct http_reply *reply, const struct http_reply_form *form)
{
	(void)fprintf(out, "HTTP/1.1 %d %s\r\n", reply->status,
		http_reply_status_text(reply->status));
	put_date(out, form->now);
	if (reply->content_type)
		(void)fprintf(out, "Content-Type: %s\r\n", reply->content_type);
	if (!form->endless && has_body(reply))
		(void)fprintf(out, "Content-Length: %zu\r\n", reply->body_len);
	if (form->close || form->endless)
		(void)fputs("Connection: close\r\n", out);
	for (const struct http_header *header = reply->headers; header && header->name;
		header++)
		if (is_safe(header->value))
			(void)fprintf(out, "%s: %s\r\n", header->name, header->value);
	(void)fputs("\r\n", out);
}

char *http_reply_compose(
	const struct http_reply *reply, const struct http_reply_form *form, size_t *len)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, len);
	bool complete;

	if (!out)
		return NULL;
	put_head(out, reply, form);
	if (reply->body_len && has_body(reply) && !form->head_only)
		(void)fwrite(reply->body, 1, reply->body_len, out);
	complete = ferror(out) == 0;
	if (fclose(out) || !complete) {
		free(bytes);
		return NULL;
	}
	return bytes;
}
