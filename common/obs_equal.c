#include "astray/obs.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return same_text(a->country, b->country) && same_text(a->city, b->city) &&
	       same_text(a->org, b->org) && a->located == b->located &&
	       (!a->located ||
		       (a->latitude == b->latitude && a->longitude == b->longitude)) &&
	       a->asn == b->asn && a->source == b->source && a->verdict == b->verdict;
}

static bool same_hello(const struct obs_hello *a, const struct obs_hello *b)
{
	if (!same_text(a->version, b->version) || a->role != b->role ||
		a->label_count != b->label_count || a->networked != b->networked)
		return false;
	for (unsigned i = 0; i < a->label_count; i++)
		if (!same_text(a->labels[i].key, b->labels[i].key) ||
			!same_text(a->labels[i].value, b->labels[i].value))
			return false;
	return !a->networked ||
	       (a->network_asn == b->network_asn &&
		       same_text(a->network_country, b->network_country));
}

static bool same_sketch(const struct sketch *a, const struct sketch *b)
{
	if (a->total == 0 || b->total == 0)
		return a->total == b->total;
	return a->scale == b->scale && a->used == b->used && a->zeros == b->zeros &&
	       (!a->used || a->offset == b->offset) && a->total == b->total &&
	       a->sum == b->sum && a->min == b->min && a->max == b->max &&
	       memcmp(a->counts, b->counts, a->used * sizeof(a->counts[0])) == 0;
}

static bool same_traffic(const struct obs_traffic *a, const struct obs_traffic *b)
{
	if (a->window_us != b->window_us || !same_text(a->service, b->service) ||
		a->method != b->method || a->connections != b->connections ||
		a->refused != b->refused || a->timed_out != b->timed_out ||
		a->reset != b->reset || a->tls_failed != b->tls_failed ||
		a->requests != b->requests || a->responses != b->responses ||
		a->errors != b->errors || a->untimed != b->untimed ||
		a->multiplexed != b->multiplexed || a->estimated != b->estimated ||
		a->sent_bytes != b->sent_bytes ||
		a->received_bytes != b->received_bytes ||
		a->retransmits != b->retransmits || a->lost_packets != b->lost_packets ||
		a->peer_count != b->peer_count ||
		memcmp(a->statuses, b->statuses, sizeof(a->statuses)) != 0 ||
		memcmp(a->named_by, b->named_by, sizeof(a->named_by)) != 0)
		return false;
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		if (!same_sketch(&a->sketches[i], &b->sketches[i]))
			return false;
	for (unsigned i = 0; i < a->peer_count; i++)
		if (!address_equal(&a->peers[i].address, &b->peers[i].address) ||
			a->peers[i].requests != b->peers[i].requests)
			return false;
	return true;
}

static bool same_chain(const struct obs_certificate *a, const struct obs_certificate *b)
{
	if (a->chain_count != b->chain_count)
		return false;
	for (unsigned i = 0; i < a->chain_count; i++)
		if (!same_text(a->chain[i].subject, b->chain[i].subject) ||
			!same_text(a->chain[i].spki_sha256, b->chain[i].spki_sha256))
			return false;
	return true;
}

static bool same_names(const struct obs_certificate *a, const struct obs_certificate *b)
{
	if (a->names_in_all != b->names_in_all || a->name_count != b->name_count)
		return false;
	for (unsigned i = 0; i < a->name_count; i++)
		if (!same_text(a->names[i], b->names[i]))
			return false;
	return true;
}

static bool same_certificate(
	const struct obs_certificate *a, const struct obs_certificate *b)
{
	if (!a->present || !b->present)
		return a->present == b->present;
	return same_text(a->version, b->version) && same_text(a->issuer, b->issuer) &&
	       same_text(a->subject, b->subject) &&
	       same_text(a->spki_sha256, b->spki_sha256) &&
	       a->not_before.us == b->not_before.us &&
	       a->not_after.us == b->not_after.us && a->verified == b->verified &&
	       same_chain(a, b) && same_names(a, b);
}

static bool same_check(const struct obs_check *a, const struct obs_check *b)
{
	return same_text(a->service, b->service) && same_text(a->url, b->url) &&
	       address_equal(&a->peer, &b->peer) && a->dns_us == b->dns_us &&
	       a->connect_us == b->connect_us && a->tls_us == b->tls_us &&
	       a->first_byte_us == b->first_byte_us && a->total_us == b->total_us &&
	       a->status == b->status && a->error == b->error &&
	       same_text(a->error_text, b->error_text) &&
	       same_certificate(&a->tls, &b->tls);
}

static bool same_remarks(const struct obs_hop *a, const struct obs_hop *b)
{
	return a->unreachable == b->unreachable && a->nat == b->nat &&
	       a->reply_ttl == b->reply_ttl && a->ttl_odd == b->ttl_odd &&
	       (!a->ttl_odd || a->quoted_ttl == b->quoted_ttl) &&
	       a->quoted_tos == b->quoted_tos && a->mtu == b->mtu;
}

static bool same_hop(const struct obs_hop *a, const struct obs_hop *b)
{
	if (a->ttl != b->ttl || a->sent != b->sent || a->answered != b->answered ||
		!address_equal(&a->address, &b->address) || a->rtt_us != b->rtt_us ||
		!same_text(a->name, b->name) || a->mpls_count != b->mpls_count ||
		!same_remarks(a, b))
		return false;
	for (unsigned i = 0; i < a->mpls_count; i++)
		if (a->mpls[i].label != b->mpls[i].label ||
			a->mpls[i].tc != b->mpls[i].tc || a->mpls[i].s != b->mpls[i].s ||
			a->mpls[i].ttl != b->mpls[i].ttl)
			return false;
	return same_place(&a->place, &b->place);
}

static bool same_trace(const struct obs_trace *a, const struct obs_trace *b)
{
	if (!same_text(a->service, b->service) || !address_equal(&a->peer, &b->peer) ||
		a->protocol != b->protocol || a->port != b->port || a->flow != b->flow ||
		a->reached != b->reached || a->mtu != b->mtu ||
		a->hop_count != b->hop_count)
		return false;
	for (unsigned i = 0; i < a->hop_count; i++)
		if (!same_hop(&a->hops[i], &b->hops[i]))
			return false;
	return true;
}

static bool same_dns(const struct obs_dns *a, const struct obs_dns *b)
{
	if (!same_text(a->service, b->service) || !same_text(a->name, b->name) ||
		!same_text(a->type, b->type) || a->role != b->role ||
		!address_equal(&a->server, &b->server) ||
		!same_text(a->rcode, b->rcode) || a->authoritative != b->authoritative ||
		a->validated != b->validated || a->rtt_us != b->rtt_us ||
		a->answer_count != b->answer_count)
		return false;
	for (unsigned i = 0; i < a->answer_count; i++)
		if (!same_text(a->answers[i].data, b->answers[i].data) ||
			a->answers[i].ttl != b->answers[i].ttl ||
			!same_place(&a->answers[i].place, &b->answers[i].place))
			return false;
	return true;
}

static bool same_registry(const struct obs_registry *a, const struct obs_registry *b)
{
	if (!same_text(a->domain, b->domain) || !same_text(a->registrar, b->registrar) ||
		a->status_count != b->status_count ||
		a->server_count != b->server_count ||
		a->last_changed.us != b->last_changed.us ||
		a->expires.us != b->expires.us || a->signed_known != b->signed_known ||
		a->delegation_signed != b->delegation_signed)
		return false;
	for (unsigned i = 0; i < a->status_count; i++)
		if (!same_text(a->status[i], b->status[i]))
			return false;
	for (unsigned i = 0; i < a->server_count; i++)
		if (!same_text(a->name_servers[i], b->name_servers[i]))
			return false;
	return true;
}

static bool same_health(const struct obs_health *a, const struct obs_health *b)
{
	if (a->cpu_us != b->cpu_us || a->rss_bytes != b->rss_bytes ||
		a->spooled_batches != b->spooled_batches ||
		a->spooled_bytes != b->spooled_bytes ||
		a->dropped_observations != b->dropped_observations ||
		a->captured_packets != b->captured_packets ||
		a->capture_drops != b->capture_drops ||
		a->unfollowed_connections != b->unfollowed_connections ||
		a->gap_count != b->gap_count)
		return false;
	for (unsigned i = 0; i < a->gap_count; i++)
		if (a->gaps[i].from.us != b->gaps[i].from.us ||
			a->gaps[i].until.us != b->gaps[i].until.us ||
			a->gaps[i].observations != b->gaps[i].observations)
			return false;
	return true;
}

static bool same_maintenance(
	const struct obs_maintenance *a, const struct obs_maintenance *b)
{
	return same_text(a->service, b->service) && same_text(a->site, b->site) &&
	       a->from.us == b->from.us && a->until.us == b->until.us &&
	       same_text(a->note, b->note);
}

static bool same_acknowledge(
	const struct obs_acknowledge *a, const struct obs_acknowledge *b)
{
	return same_text(a->incident, b->incident) && same_text(a->by, b->by) &&
	       same_text(a->note, b->note);
}

bool obs_equal(const struct obs *a, const struct obs *b)
{
	if (a->kind != b->kind || a->at.us != b->at.us)
		return false;
	switch (a->kind) {
	case OBS_HELLO:
		return same_hello(&a->hello, &b->hello);
	case OBS_TRAFFIC:
		return same_traffic(&a->traffic, &b->traffic);
	case OBS_CHECK:
		return same_check(&a->check, &b->check);
	case OBS_TRACE:
		return same_trace(&a->trace, &b->trace);
	case OBS_DNS:
		return same_dns(&a->dns, &b->dns);
	case OBS_REGISTRY:
		return same_registry(&a->registry, &b->registry);
	case OBS_HEALTH:
		return same_health(&a->health, &b->health);
	case OBS_MAINTENANCE:
		return same_maintenance(&a->maintenance, &b->maintenance);
	case OBS_ACKNOWLEDGE:
		return same_acknowledge(&a->acknowledge, &b->acknowledge);
	case OBS_KINDS:
		break;
	}
	return true;
}
