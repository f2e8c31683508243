/*
 * Observations made up from a seed, for tests of what must hold for all of them: every
 * field is sometimes there and sometimes not, and takes the ends of its range more often
 * than chance.
 */
#ifndef ASTRAY_OBS_MAKER_H
#define ASTRAY_OBS_MAKER_H

#include <stdio.h>
#include <string.h>

#include "astray/obs.h"

/* xorshift64*, by Vigna: small, and the same on every machine. */
static inline uint64_t obs_maker_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t obs_maker_below(uint64_t *seed, uint64_t limit)
{
	return (obs_maker_random(seed) >> 8) % limit;
}

static inline bool obs_maker_coin(uint64_t *seed)
{
	return obs_maker_below(seed, 2);
}

/* 0, max, or between; half of them small. */
static inline int64_t obs_maker_int(uint64_t *seed, int64_t max)
{
	uint64_t span = (uint64_t)max + 1;

	switch (obs_maker_below(seed, 6)) {
	case 0:
		return 0;
	case 1:
		return max;
	case 2:
		return (int64_t)obs_maker_below(seed, span);
	default:
		return (int64_t)obs_maker_below(seed, span < 1000 ? span : 1000);
	}
}

static inline void obs_maker_maybe_int(uint64_t *seed, int64_t *out)
{
	if (obs_maker_coin(seed))
		*out = obs_maker_int(seed, MOMENT_MAX_US);
}

/* Any text that fits: ASCII, quotes, controls, and characters of two to four bytes. */
static inline void obs_maker_text(uint64_t *seed, char *out, size_t cap)
{
	static const char *const pieces[] = {"a", "Z", "7", " ", "\"", "\\", "/", "\n",
		"\x01", "\x7f", "\u00e9", "\u6771", "\U0001f642", "<", "%s"};
	size_t len = obs_maker_below(seed, 8) ? obs_maker_below(seed, 20) : cap - 1,
	       used = 0;

	for (;;) {
		const char *piece =
			pieces[obs_maker_below(seed, sizeof(pieces) / sizeof(pieces[0]))];

		if (used + strlen(piece) > len || used + strlen(piece) >= cap)
			break;
		memcpy(out + used, piece, strlen(piece));
		used += strlen(piece);
	}
	out[used] = '\0';
}

/* 1..most of letters that names, words and services may all have. */
static inline void obs_maker_word(uint64_t *seed, char *out, size_t most)
{
	size_t len = 1 + obs_maker_below(seed, obs_maker_below(seed, 8) ? 12 : most);

	for (size_t i = 0; i < len; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz0123456789-_"[obs_maker_below(
			seed, 38)];
	out[len] = '\0';
}

static inline struct address obs_maker_address(uint64_t *seed)
{
	uint64_t words[2] = {obs_maker_random(seed), obs_maker_random(seed)};

	return obs_maker_coin(seed) ? address_v4(words) : address_v6(words);
}

static inline struct moment obs_maker_date(uint64_t *seed)
{
	int64_t days = obs_maker_int(seed, 60000) - 10000;

	return (struct moment){days * MOMENT_DAY_US +
			       (int64_t)obs_maker_below(seed, 86400) * MOMENT_SECOND_US};
}

static inline void obs_maker_place(uint64_t *seed, struct place *place)
{
	if (obs_maker_coin(seed))
		return;
	place->source = (enum place_source)(1 + obs_maker_below(seed, 3));
	place->verdict = (enum place_verdict)obs_maker_below(seed, 3);
	if (obs_maker_coin(seed))
		memcpy(place->country, "NL", 3);
	if (obs_maker_coin(seed))
		obs_maker_text(seed, place->city, sizeof(place->city));
	if (obs_maker_coin(seed))
		obs_maker_text(seed, place->org, sizeof(place->org));
	place->asn = (uint32_t)obs_maker_int(seed, UINT32_MAX);
	place->located = obs_maker_coin(seed);
	if (place->located) {
		place->latitude =
			(double)obs_maker_below(seed, 1 << 30) / (1 << 30) * 180 - 90;
		place->longitude =
			(double)obs_maker_below(seed, 1 << 30) / (1 << 30) * 360 - 180;
	}
}

static inline void obs_maker_sketch(uint64_t *seed, struct sketch *sketch)
{
	uint64_t count = obs_maker_coin(seed) ? obs_maker_below(seed, 400) : 0;
	int width = (int)obs_maker_below(seed, 40);

	for (uint64_t i = 0; i < count; i++) {
		double unit = (double)obs_maker_below(seed, 1 << 30) / (1 << 30);

		(void)sketch_add(sketch, obs_maker_below(seed, 50)
						 ? unit * (double)(UINT64_C(1) << width)
						 : 0);
	}
	if (obs_maker_below(seed, 4) == 0)
		sketch_downscale(sketch, (int)obs_maker_below(seed, 17) - 10);
}

static inline void obs_maker_hello(uint64_t *seed, struct obs_hello *hello)
{
	obs_maker_text(seed, hello->version, OBS_WORD);
	hello->role = (enum obs_role)obs_maker_below(seed, 3);
	hello->label_count = (unsigned)obs_maker_below(seed, OBS_LABELS + 1);
	for (unsigned i = 0; i < hello->label_count; i++) {
		(void)snprintf(hello->labels[i].key, OBS_WORD, "key-%u", i);
		obs_maker_word(seed, hello->labels[i].value, OBS_WORD - 1);
	}
	hello->networked = obs_maker_coin(seed);
	if (hello->networked) {
		hello->network_asn = (uint32_t)obs_maker_int(seed, UINT32_MAX);
		memcpy(hello->network_country, obs_maker_coin(seed) ? "JP" : "\0\0", 3);
	}
}

static inline void obs_maker_traffic(uint64_t *seed, struct obs_traffic *traffic)
{
	int64_t *const counters[] = {&traffic->connections, &traffic->refused,
		&traffic->timed_out, &traffic->reset, &traffic->tls_failed,
		&traffic->requests, &traffic->responses, &traffic->errors,
		&traffic->untimed, &traffic->multiplexed, &traffic->estimated,
		&traffic->sent_bytes, &traffic->received_bytes, &traffic->retransmits,
		&traffic->lost_packets};

	traffic->window_us = 1 + obs_maker_int(seed, MOMENT_DAY_US - 1);
	obs_maker_word(seed, traffic->service, OBS_NAME - 1);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		obs_maker_maybe_int(seed, counters[i]);
	traffic->method = obs_maker_coin(seed) ? OBS_PACKETS : OBS_KERNEL;
	for (unsigned i = 0; i < OBS_STATUS_CLASSES; i++)
		traffic->statuses[i] = obs_maker_int(seed, 3);
	for (unsigned i = 0; i < OBS_NAMINGS; i++)
		traffic->named_by[i] = obs_maker_int(seed, 3);
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		obs_maker_sketch(seed, &traffic->sketches[i]);
	traffic->peer_count = (unsigned)obs_maker_below(seed, OBS_PEERS + 1);
	for (unsigned i = 0; i < traffic->peer_count; i++) {
		traffic->peers[i].address = obs_maker_address(seed);
		traffic->peers[i].address.bytes[3] = (uint8_t)i; /* each once */
		traffic->peers[i].requests = obs_maker_int(seed, MOMENT_MAX_US);
	}
}

static inline void obs_maker_check(uint64_t *seed, struct obs_check *check)
{
	obs_maker_word(seed, check->service, OBS_NAME - 1);
	obs_maker_text(seed, check->url, OBS_TEXT);
	if (obs_maker_coin(seed))
		check->peer = obs_maker_address(seed);
	obs_maker_maybe_int(seed, &check->dns_us);
	obs_maker_maybe_int(seed, &check->connect_us);
	obs_maker_maybe_int(seed, &check->tls_us);
	obs_maker_maybe_int(seed, &check->first_byte_us);
	obs_maker_maybe_int(seed, &check->total_us);
	if (obs_maker_coin(seed))
		check->status = obs_maker_int(seed, 999);
	check->error = (enum obs_check_error)obs_maker_below(seed, OBS_CHECK_HTTP + 1);
	obs_maker_text(seed, check->error_text, OBS_TEXT);
	check->tls.present = obs_maker_coin(seed);
	if (!check->tls.present)
		return;
	obs_maker_text(seed, check->tls.version, OBS_WORD);
	obs_maker_text(seed, check->tls.issuer, OBS_TEXT);
	obs_maker_text(seed, check->tls.subject, OBS_TEXT);
	if (obs_maker_coin(seed))
		memset(check->tls.spki_sha256, 'e', 64);
	check->tls.not_before = obs_maker_date(seed);
	check->tls.not_after = obs_maker_date(seed);
	check->tls.verified = obs_maker_coin(seed);
	check->tls.chain_count = (unsigned)obs_maker_below(seed, OBS_CHAIN + 1);
	for (unsigned i = 0; i < check->tls.chain_count; i++) {
		obs_maker_text(seed, check->tls.chain[i].subject, OBS_NAME);
		memset(check->tls.chain[i].spki_sha256, 'c', 64);
	}
	check->tls.names_in_all = obs_maker_int(seed, MOMENT_MAX_US);
	check->tls.name_count = (unsigned)obs_maker_below(seed, OBS_NAMES + 1);
	for (unsigned i = 0; i < check->tls.name_count; i++)
		obs_maker_text(seed, check->tls.names[i], OBS_NAME);
}

static inline void obs_maker_hop(uint64_t *seed, struct obs_hop *hop, int64_t ttl)
{
	*hop = (struct obs_hop){.ttl = ttl, .rtt_us = OBS_ABSENT};
	hop->sent = obs_maker_int(seed, MOMENT_MAX_US);
	hop->answered = obs_maker_int(seed, hop->sent);
	if (obs_maker_coin(seed))
		hop->address = obs_maker_address(seed);
	obs_maker_maybe_int(seed, &hop->rtt_us);
	if (obs_maker_coin(seed))
		obs_maker_text(seed, hop->name, OBS_NAME);
	hop->mpls_count = (unsigned)obs_maker_below(seed, OBS_MPLS + 1);
	for (unsigned i = 0; i < hop->mpls_count; i++)
		hop->mpls[i] = (struct obs_mpls){(uint32_t)obs_maker_below(seed, 1 << 20),
			(uint8_t)obs_maker_below(seed, 8),
			(uint8_t)obs_maker_below(seed, 2),
			(uint8_t)obs_maker_below(seed, 256)};
	hop->unreachable =
		(enum obs_unreachable)obs_maker_below(seed, OBS_OTHER_REASON + 1);
	hop->nat = obs_maker_coin(seed);
	hop->reply_ttl = (uint8_t)obs_maker_below(seed, 256);
	hop->ttl_odd = obs_maker_coin(seed);
	hop->quoted_ttl = hop->ttl_odd ? (uint8_t)obs_maker_below(seed, 256) : 0;
	hop->quoted_tos = (uint8_t)obs_maker_below(seed, 256);
	hop->mtu = (uint16_t)obs_maker_below(seed, 65536);
	obs_maker_place(seed, &hop->place);
}

static inline void obs_maker_trace(uint64_t *seed, struct obs_trace *trace)
{
	obs_maker_word(seed, trace->service, OBS_NAME - 1);
	trace->peer = obs_maker_address(seed);
	trace->protocol = (enum obs_protocol)obs_maker_below(seed, 3);
	if (obs_maker_coin(seed))
		trace->port = obs_maker_int(seed, UINT16_MAX);
	obs_maker_maybe_int(seed, &trace->flow);
	trace->reached = obs_maker_coin(seed);
	trace->mtu = (uint16_t)obs_maker_below(seed, 65536);
	trace->hop_count = (unsigned)obs_maker_int(seed, OBS_HOPS);
	for (unsigned i = 0; i < trace->hop_count; i++)
		obs_maker_hop(seed, &trace->hops[i], 1 + i / 2);
}

static inline void obs_maker_dns(uint64_t *seed, struct obs_dns *dns)
{
	obs_maker_word(seed, dns->service, OBS_NAME - 1);
	obs_maker_word(seed, dns->name, 253);
	(void)snprintf(
		dns->type, sizeof(dns->type), "TYPE%d", (int)obs_maker_int(seed, 65535));
	dns->role = (enum obs_dns_role)obs_maker_below(seed, 3);
	dns->server = obs_maker_address(seed);
	memcpy(dns->rcode, obs_maker_coin(seed) ? "NXDOMAIN" : "SERVFAIL", 9);
	dns->authoritative = obs_maker_coin(seed);
	dns->validated = obs_maker_coin(seed);
	obs_maker_maybe_int(seed, &dns->rtt_us);
	dns->answer_count = (unsigned)obs_maker_int(seed, OBS_ANSWERS);
	for (unsigned i = 0; i < dns->answer_count; i++) {
		dns->answers[i] = (struct obs_answer){.ttl = OBS_ABSENT};
		obs_maker_text(seed, dns->answers[i].data, OBS_NAME);
		if (obs_maker_coin(seed))
			dns->answers[i].ttl = obs_maker_int(seed, UINT32_MAX);
		obs_maker_place(seed, &dns->answers[i].place);
	}
}

static inline void obs_maker_registry(uint64_t *seed, struct obs_registry *registry)
{
	obs_maker_word(seed, registry->domain, 253);
	obs_maker_text(seed, registry->registrar, OBS_TEXT);
	registry->status_count = (unsigned)obs_maker_below(seed, OBS_STATUSES + 1);
	for (unsigned i = 0; i < registry->status_count; i++)
		obs_maker_text(seed, registry->status[i], OBS_WORD);
	registry->server_count = (unsigned)obs_maker_below(seed, OBS_SERVERS + 1);
	for (unsigned i = 0; i < registry->server_count; i++)
		obs_maker_word(seed, registry->name_servers[i], 253);
	if (obs_maker_coin(seed))
		registry->last_changed = obs_maker_date(seed);
	if (obs_maker_coin(seed))
		registry->expires = obs_maker_date(seed);
	registry->signed_known = obs_maker_coin(seed);
	registry->delegation_signed = registry->signed_known && obs_maker_coin(seed);
}

static inline void obs_maker_health(uint64_t *seed, struct obs_health *health)
{
	obs_maker_maybe_int(seed, &health->cpu_us);
	obs_maker_maybe_int(seed, &health->rss_bytes);
	obs_maker_maybe_int(seed, &health->spooled_batches);
	obs_maker_maybe_int(seed, &health->spooled_bytes);
	obs_maker_maybe_int(seed, &health->dropped_observations);
	obs_maker_maybe_int(seed, &health->captured_packets);
	obs_maker_maybe_int(seed, &health->capture_drops);
	obs_maker_maybe_int(seed, &health->unfollowed_connections);
	health->gap_count = (unsigned)obs_maker_below(seed, OBS_GAPS + 1);
	for (unsigned i = 0; i < health->gap_count; i++) {
		health->gaps[i].until.us = obs_maker_int(seed, MOMENT_MAX_US);
		health->gaps[i].from.us = obs_maker_int(seed, health->gaps[i].until.us);
		health->gaps[i].observations = obs_maker_int(seed, MOMENT_MAX_US);
	}
}

static inline void obs_maker_maintenance(uint64_t *seed, struct obs_maintenance *work)
{
	if (obs_maker_coin(seed))
		memcpy(work->service, "*", 2);
	else
		obs_maker_word(seed, work->service, OBS_NAME - 1);
	if (obs_maker_coin(seed))
		obs_maker_word(seed, work->site, OBS_WORD - 1);
	work->until.us = obs_maker_int(seed, MOMENT_MAX_US);
	work->from.us = obs_maker_int(seed, work->until.us);
	obs_maker_text(seed, work->note, OBS_TEXT);
}

static inline void obs_maker_acknowledge(uint64_t *seed, struct obs_acknowledge *said)
{
	obs_maker_word(seed, said->incident, OBS_WORD - 1);
	obs_maker_text(seed, said->by, OBS_WORD);
	obs_maker_text(seed, said->note, OBS_TEXT);
}

static inline void obs_maker_fill(struct obs *obs, enum obs_kind kind, uint64_t *seed)
{
	obs_init(obs, kind, (struct moment){obs_maker_int(seed, MOMENT_MAX_US)});
	switch (kind) {
	case OBS_HELLO:
		obs_maker_hello(seed, &obs->hello);
		break;
	case OBS_TRAFFIC:
		obs_maker_traffic(seed, &obs->traffic);
		break;
	case OBS_CHECK:
		obs_maker_check(seed, &obs->check);
		break;
	case OBS_TRACE:
		obs_maker_trace(seed, &obs->trace);
		break;
	case OBS_DNS:
		obs_maker_dns(seed, &obs->dns);
		break;
	case OBS_REGISTRY:
		obs_maker_registry(seed, &obs->registry);
		break;
	case OBS_HEALTH:
		obs_maker_health(seed, &obs->health);
		break;
	case OBS_MAINTENANCE:
		obs_maker_maintenance(seed, &obs->maintenance);
		break;
	case OBS_ACKNOWLEDGE:
		obs_maker_acknowledge(seed, &obs->acknowledge);
		break;
	case OBS_KINDS:
		break;
	}
}

#endif
