#include "check_record.h"

#include <stdio.h>
#include <string.h>

#define STATUS_SERVER_FAILED 500

/* Between "//" and the path; *user_len counts "user:password@". */
static const char *find_authority(const char *url, size_t *user_len, size_t *len)
{
	const char *begin = strstr(url, "//");
	const char *at = NULL;

	begin = begin ? begin + 2 : url;
	*len = strcspn(begin, "/?#");
	for (size_t i = 0; i < *len; i++)
		if (begin[i] == '@')
			at = begin + i;
	*user_len = at ? (size_t)(at + 1 - begin) : 0;
	return begin;
}

/* A password is nobody's business further on. */
static void copy_url(char *out, size_t cap, const char *url)
{
	size_t user_len, len;
	const char *authority = find_authority(url, &user_len, &len);

	(void)snprintf(
		out, cap, "%.*s%s", (int)(authority - url), url, authority + user_len);
}

void check_record_host(char *out, size_t cap, const char *url)
{
	size_t user_len, len;
	const char *authority = find_authority(url, &user_len, &len);

	(void)snprintf(out, cap, "%.*s", (int)(len - user_len), authority + user_len);
}

static void fill_times(struct obs_check *check, const struct fetch_answer *answer)
{
	check->connect_us = answer->connect_us;
	if (answer->late)
		return;
	check->dns_us = answer->dns_us;
	check->tls_us = answer->tls_us;
	check->first_byte_us = answer->first_byte_us;
	check->total_us = answer->total_us;
}

static void fill_result(struct obs_check *check, const struct fetch_answer *answer)
{
	check->error = answer->error;
	if (answer->rc) {
		(void)snprintf(check->error_text, sizeof(check->error_text), "%s",
			answer->error_text);
		return;
	}
	check->status = answer->status;
	if (answer->status < STATUS_SERVER_FAILED)
		return;
	check->error = OBS_CHECK_HTTP;
	(void)snprintf(check->error_text, sizeof(check->error_text), "status %ld",
		answer->status);
}

bool check_record_fill(struct obs *obs, struct moment at, const char *service,
	const char *url, const struct fetch_answer *answer)
{
	struct obs_check *check = &obs->check;

	if (answer->rc && answer->error == OBS_CHECK_OK)
		return false;
	obs_init(obs, OBS_CHECK, at);
	(void)snprintf(check->service, sizeof(check->service), "%s", service);
	copy_url(check->url, sizeof(check->url), url);
	check->peer = answer->peer;
	fill_times(check, answer);
	fill_result(check, answer);
	check->tls = answer->certificate;
	return true;
}
