#include "record_set.h"

#include <string.h>

#include "detector.h"
#include "known.h"

#define SHOWN 4

bool record_set_of(const char *type, enum record_set *set)
{
	if (strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0)
		*set = RECORD_SET_NETWORKS;
	else if (strcmp(type, "MX") == 0)
		*set = RECORD_SET_MAIL;
	else
		return false;
	return true;
}

static struct record_set_item network_of(const struct obs_answer *answer)
{
	struct record_set_item out = {.key = answer->place.asn};

	(void)detector_write(out.words, sizeof(out.words), "%s (AS%u%s%s)", answer->data,
		(unsigned)answer->place.asn, answer->place.country[0] ? ", " : "",
		answer->place.country);
	return out;
}

/* "10 mx.exchange.example": the preference says nothing of the owner. */
static struct record_set_item exchanger_of(const struct obs_answer *answer)
{
	const char *space = strchr(answer->data, ' '),
		   *name = space ? space + 1 : answer->data;
	struct record_set_item out = {.key = known_key(name)};

	(void)detector_write(out.words, sizeof(out.words), "%s", name);
	return out;
}

struct record_set_item record_set_read(
	enum record_set set, const struct obs_answer *answer)
{
	return set == RECORD_SET_NETWORKS ? network_of(answer) : exchanger_of(answer);
}

bool record_set_is_answered(const struct obs_dns *dns, enum record_set set, uint64_t key)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		if (record_set_read(set, &dns->answers[i]).key == key)
			return true;
	return false;
}

bool record_set_has_policy(const struct service *service, enum record_set set)
{
	return set == RECORD_SET_NETWORKS ? service->expect.asns_given
					  : service->expect.mail_given;
}

bool record_set_expects(const struct service *service, enum record_set set,
	const struct record_set_item *item)
{
	const struct service_expect *expect = &service->expect;

	if (set == RECORD_SET_NETWORKS) {
		for (unsigned i = 0; i < expect->asn_count; i++)
			if (expect->asns[i] == item->key)
				return true;
		return false;
	}
	for (unsigned i = 0; i < expect->mail_count; i++)
		if (strcmp(expect->mail[i], item->words) == 0)
			return true;
	return false;
}

static size_t write_one(const struct service_expect *expect, enum record_set set,
	unsigned number, char *buf, size_t cap)
{
	const char *between = number ? ", " : "";

	if (set == RECORD_SET_NETWORKS)
		return detector_write(
			buf, cap, "%sAS%u", between, (unsigned)expect->asns[number]);
	return detector_write(buf, cap, "%s%s", between, expect->mail[number]);
}

void record_set_write_policy(
	const struct service *service, enum record_set set, char *buf, size_t cap)
{
	const struct service_expect *expect = &service->expect;
	unsigned count =
		set == RECORD_SET_NETWORKS ? expect->asn_count : expect->mail_count;
	size_t used = 0;

	(void)detector_write(buf, cap, "%s", count ? "" : "none");
	for (unsigned i = 0; i < count && i < SHOWN; i++)
		used += write_one(expect, set, i, buf + used, cap - used);
	if (count > SHOWN)
		(void)detector_write(
			buf + used, cap - used, " and %u more", count - SHOWN);
}
