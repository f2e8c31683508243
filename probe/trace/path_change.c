#include "path_change.h"

#include <inttypes.h>

/* Less is what every second trace shows. */
#define RTT_SHARE 5
#define RTT_LEAST_US 5000

bool path_change_comparable(const struct obs_trace *before, const struct obs_trace *now)
{
	return before->protocol == now->protocol && before->port == now->port &&
	       before->flow == now->flow;
}

static bool answers_at(
	const struct obs_trace *trace, int64_t ttl, const struct address *address)
{
	for (unsigned i = 0; i < trace->hop_count; i++)
		if (trace->hops[i].ttl == ttl && trace->hops[i].answered &&
			(!address || address_equal(&trace->hops[i].address, address)))
			return true;
	return false;
}

static const struct obs_hop *answer_at(const struct obs_trace *trace, int64_t ttl)
{
	for (unsigned i = 0; i < trace->hop_count; i++)
		if (trace->hops[i].ttl == ttl && trace->hops[i].answered)
			return &trace->hops[i];
	return NULL;
}

static int64_t length_of(const struct obs_trace *trace)
{
	return trace->hop_count ? trace->hops[trace->hop_count - 1].ttl : 0;
}

/* A hop is another one when nobody who answers there now did before. */
static bool is_another(
	const struct obs_trace *before, const struct obs_trace *now, int64_t ttl)
{
	if (!answers_at(before, ttl, NULL) || !answers_at(now, ttl, NULL))
		return false;
	for (unsigned i = 0; i < now->hop_count; i++)
		if (now->hops[i].ttl == ttl && now->hops[i].answered &&
			answers_at(before, ttl, &now->hops[i].address))
			return false;
	return true;
}

static unsigned print_hops(
	FILE *out, const struct obs_trace *before, const struct obs_trace *now)
{
	char was[ADDRESS_TEXT], is[ADDRESS_TEXT];
	unsigned count = 0;

	for (int64_t ttl = 1; ttl <= length_of(before) && ttl <= length_of(now); ttl++) {
		if (!is_another(before, now, ttl))
			continue;
		(void)fprintf(out, "  hop %" PRId64 " was %s, is %s\n", ttl,
			address_text(&answer_at(before, ttl)->address, was),
			address_text(&answer_at(now, ttl)->address, is));
		count++;
	}
	return count;
}

static int64_t rtt_of(const struct obs_trace *trace)
{
	if (!trace->reached || !trace->hop_count)
		return OBS_ABSENT;
	return trace->hops[trace->hop_count - 1].rtt_us;
}

static unsigned print_rtt(
	FILE *out, const struct obs_trace *before, const struct obs_trace *now)
{
	int64_t was_us = rtt_of(before), is_us = rtt_of(now);
	int64_t more_us = is_us > was_us ? is_us - was_us : was_us - is_us;

	if (was_us == OBS_ABSENT || is_us == OBS_ABSENT || more_us < RTT_LEAST_US ||
		more_us < was_us / RTT_SHARE)
		return 0;
	(void)fprintf(out, "  the round trip was %.1f ms, is %.1f ms\n",
		(double)was_us / 1000, (double)is_us / 1000);
	return 1;
}

unsigned path_change_print(
	FILE *out, const struct obs_trace *before, const struct obs_trace *now)
{
	char was[ADDRESS_TEXT], is[ADDRESS_TEXT];
	unsigned count = 0;

	if (!address_equal(&before->peer, &now->peer)) {
		(void)fprintf(out, "  the address was %s, is %s\n",
			address_text(&before->peer, was), address_text(&now->peer, is));
		count++;
	}
	if (before->reached != now->reached) {
		(void)fprintf(out, "  it was %sreached, and %s\n",
			before->reached ? "" : "not ",
			now->reached ? "is" : "is not any more");
		count++;
	}
	if (before->reached && now->reached && length_of(before) != length_of(now)) {
		(void)fprintf(out,
			"  the path was %" PRId64 " hops long, is %" PRId64 "\n",
			length_of(before), length_of(now));
		count++;
	}
	return count + print_hops(out, before, now) + print_rtt(out, before, now);
}
