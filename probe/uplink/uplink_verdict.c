#include "uplink_verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "astray/json.h"
#include "astray/status.h"

static struct uplink_verdict verdict(enum uplink_deed deed, const char *why, ...)
	__attribute__((format(printf, 2, 3)));

static struct uplink_verdict verdict(enum uplink_deed deed, const char *why, ...)
{
	struct uplink_verdict verdict = {.deed = deed};
	va_list args;

	va_start(args, why);
	(void)vsnprintf(verdict.why, sizeof(verdict.why), why, args);
	va_end(args);
	return verdict;
}

static struct json_doc *body_of(const struct fetch_answer *answer)
{
	struct json_doc *doc;

	if (answer->truncated ||
		json_parse(&doc, answer->body, answer->body_len, 0, NULL))
		return NULL;
	return doc;
}

static const struct json *member(const struct json_doc *doc, const char *key)
{
	const struct json *root = doc ? json_root(doc) : NULL;

	return root && json_type(root) == JSON_OBJECT ? json_member(root, key) : NULL;
}

static struct uplink_verdict not_a_collector(const struct fetch_answer *answer)
{
	return verdict(UPLINK_RETRY,
		"the answer (status %ld) is not a collector's: look at collector.url, or "
		"at "
		"what stands between",
		answer->status);
}

static struct uplink_verdict acknowledged(const struct fetch_answer *answer, int64_t seq)
{
	struct json_doc *doc = body_of(answer);
	int64_t named;
	bool ours = json_as_int(member(doc, "acknowledged"), &named) && named == seq;

	json_doc_free(doc);
	return ours ? verdict(UPLINK_FORGET, "acknowledged") : not_a_collector(answer);
}

/* Only a collector's own words set a batch aside: a proxy that stands between also says
 * 400. */
static struct uplink_verdict refused(const struct fetch_answer *answer)
{
	struct json_doc *doc = body_of(answer);
	const char *error = json_as_text(member(doc, "error"));
	const char *field = json_as_text(member(doc, "field"));
	struct uplink_verdict verdict_now;
	int64_t line;

	if (!error)
		verdict_now = not_a_collector(answer);
	else if (json_as_int(member(doc, "line"), &line))
		verdict_now =
			verdict(UPLINK_SET_ASIDE, "line %lld: %s%s%s", (long long)line,
				field ? field : "", field && *field ? ": " : "", error);
	else
		verdict_now = verdict(UPLINK_SET_ASIDE, "%s", error);
	json_doc_free(doc);
	return verdict_now;
}

static struct uplink_verdict later(const struct fetch_answer *answer)
{
	struct uplink_verdict verdict_now = verdict(
		UPLINK_RETRY, "the collector is busy (status %ld)", answer->status);

	if (answer->retry_after_s > UPLINK_VERDICT_WAIT_MAX_US / 1000000)
		verdict_now.not_before_us = UPLINK_VERDICT_WAIT_MAX_US;
	else if (answer->retry_after_s > 0)
		verdict_now.not_before_us = answer->retry_after_s * 1000000;
	return verdict_now;
}

struct uplink_verdict uplink_verdict_of(const struct fetch_answer *answer, int64_t seq)
{
	if (answer->rc)
		return verdict(UPLINK_RETRY, "%s",
			answer->error_text[0] ? answer->error_text
					      : status_text(answer->rc));
	switch (answer->status) {
	case 200:
		return acknowledged(answer, seq);
	case 400:
		return refused(answer);
	case 401:
	case 403:
		return verdict(UPLINK_RETRY,
			"the collector does not know this probe (status %ld): look at "
			"collector.token_file, collector.certificate and the collector's "
			"list "
			"of probes",
			answer->status);
	case 413:
		return verdict(UPLINK_SET_ASIDE, "larger than the collector takes");
	case 429:
	case 503:
		return later(answer);
	default:
		return answer->status >= 500
			       ? verdict(UPLINK_RETRY,
					 "the collector failed (status %ld)",
					 answer->status)
			       : not_a_collector(answer);
	}
}
