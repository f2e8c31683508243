#include "flight.h"

#include <stdlib.h>
#include <stdio.h>

static int make_search(struct flight *flight, const struct path_plan *plan)
{
	const struct trace_order *order = &flight->order;
	struct fan_plan fan = {
		.max_ttl = order->max_ttl < FAN_TTLS ? order->max_ttl : FAN_TTLS,
		.first_id = plan->first_id};
	int rc = path_new(&flight->path, plan);

	if (rc == 0 && order->all_paths)
		rc = fan_new(&flight->fan, &fan);
	return rc;
}

struct flight *flight_new(const struct trace_order *order, const struct probe_flow *flow,
	uint16_t first_id, bool narrow)
{
	struct path_plan plan = {.max_ttl = order->max_ttl,
		.queries = order->queries,
		.first_id = first_id,
		.likely_length = order->likely_length,
		.narrow = narrow,
		.spare_ids = FLIGHT_SPARE_IDS};
	struct flight *flight = calloc(1, sizeof(*flight));

	if (!flight)
		return NULL;
	flight->order = *order;
	flight->flow = *flow;
	if (make_search(flight, &plan)) {
		flight_free(flight);
		return NULL;
	}
	return flight;
}

void flight_free(struct flight *flight)
{
	if (!flight)
		return;
	path_free(flight->path);
	fan_free(flight->fan);
	free(flight);
}

static bool wants_mtu(const struct flight *flight)
{
	return flight->order.mtu && path_is_reached(flight->path);
}

static bool next_mtu_packet(
	struct flight *flight, struct tick now, struct trace_packet *packet)
{
	size_t least = probe_packet_len(&flight->flow);
	unsigned size, number;

	if (!wants_mtu(flight) || !path_is_done(flight->path))
		return false;
	if (!flight->mtu_begun)
		mtu_search_init(&flight->mtu, flight->flow.to.family, flight->largest,
			path_patience_us(flight->path));
	flight->mtu_begun = true;
	if (!mtu_search_next(&flight->mtu, now, &size, &number))
		return false;
	packet->ttl = UINT8_MAX;
	packet->id = path_spare_id(flight->path, number);
	packet->padding = (uint16_t)(size > least ? size - least : 1);
	return true;
}

static bool next_fan_packet(struct flight *flight, struct tick now,
	const struct ttl_gate *gate, struct trace_packet *packet)
{
	struct fan_probe probe;

	if (!fan_next(flight->fan, now, gate, &probe))
		return false;
	packet->ttl = probe.ttl;
	packet->id = probe.id;
	if (packet->flow.protocol == OBS_ICMP)
		packet->flow.to_port = (uint16_t)(packet->flow.to_port + probe.flow);
	else
		packet->flow.from_port = (uint16_t)(packet->flow.from_port + probe.flow);
	return true;
}

bool flight_next(struct flight *flight, struct tick now, const struct ttl_gate *gate,
	struct trace_packet *packet)
{
	struct path_probe probe;

	packet->flow = flight->flow;
	packet->padding = 0;
	if (flight->fan)
		return next_fan_packet(flight, now, gate, packet);
	if (!path_next(flight->path, now, gate, &probe))
		return next_mtu_packet(flight, now, packet);
	packet->ttl = probe.ttl;
	packet->id = probe.id;
	return true;
}

void flight_note_sent(struct flight *flight, uint16_t id, struct tick at)
{
	if (flight->fan)
		fan_note_sent(flight->fan, id, at);
	else
		path_note_sent(flight->path, id, at);
}

/* The probe of the MTU search that an id stands for, or -1. */
static int mtu_number(const struct flight *flight, uint16_t id)
{
	int number = id - path_spare_id(flight->path, 0);

	return flight->mtu_begun && number >= 0 && number < (int)flight->mtu.sent ? number
										  : -1;
}

void flight_refused(struct flight *flight, uint16_t id, int rc)
{
	static const struct address nobody;
	int number = mtu_number(flight, id);

	if (number >= 0)
		mtu_search_too_big(&flight->mtu, (unsigned)number, &nobody, 0);
	else
		flight->rc = rc;
}

/* A fan's flows differ in one port, in ICMP's case the checksum. */
bool flight_is_answered_by(
	const struct flight *flight, const struct reply_packet *reply, bool numbered)
{
	bool icmp = flight->flow.protocol == OBS_ICMP;
	struct probe_flow flow = flight->flow;
	uint16_t *port = icmp ? &flow.to_port : &flow.from_port;
	unsigned beyond = (unsigned)(icmp ? reply->to_port : reply->from_port) - *port;

	if (flight->fan && beyond < FAN_FLOWS)
		*port = (uint16_t)(*port + beyond);
	return reply_packet_answers(reply, &flow, numbered);
}

static bool take_mtu_reply(struct flight *flight, const struct reply_packet *reply)
{
	int number = mtu_number(flight, reply->id);

	if (number < 0)
		return false;
	if (reply->kind == REPLY_TOO_BIG)
		mtu_search_too_big(
			&flight->mtu, (unsigned)number, &reply->from, reply->mtu);
	else if (reply->kind == REPLY_ARRIVED)
		mtu_search_arrived(&flight->mtu, (unsigned)number);
	return true;
}

static enum path_match take_path_reply(struct flight *flight,
	const struct reply_packet *reply, bool numbered, struct tick at)
{
	enum path_match match;

	if (!numbered)
		return path_take_unnumbered(flight->path, reply, at);
	if (take_mtu_reply(flight, reply))
		return PATH_COUNTED;
	match = path_take_reply(flight->path, reply->id, reply, at);
	/* A translator that made a new checksum of a UDP packet left the other copies. */
	if (match != PATH_STRANGE || reply->protocol != OBS_UDP || !reply->translated)
		return match;
	if (reply->quoted_number)
		match = path_take_reply(flight->path,
			probe_packet_id_of_number(&flight->flow, reply->quoted_number),
			reply, at);
	if (match == PATH_STRANGE)
		match = path_take_reply(flight->path, reply->second_id, reply, at);
	return match;
}

/* A datagram says which probe it answers where that was a question with a number. */
static bool find_number(const struct flight *flight, struct reply_packet *reply)
{
	struct probe_flow flow = flight->flow;

	if (!reply->is_data || !reply->dns_number)
		return false;
	flow.from_port = reply->from_port; /* a fan has several */
	reply->id = probe_packet_id_of_number(&flow, reply->dns_number);
	return true;
}

enum path_match flight_take_reply(
	struct flight *flight, struct reply_packet *reply, bool numbered, struct tick at)
{
	numbered = numbered || find_number(flight, reply);
	reply->translated = reply_packet_is_translated(reply, &flight->flow);
	if (!flight->fan)
		return take_path_reply(flight, reply, numbered, at);
	return numbered && fan_take_reply(flight->fan, reply->id, reply, at)
		       ? PATH_COUNTED
		       : PATH_STRANGE;
}

uint8_t flight_ttl_of(
	const struct flight *flight, const struct reply_packet *reply, bool numbered)
{
	if (!numbered && !reply->dns_number)
		return 0;
	return flight->fan ? fan_ttl_of(flight->fan, reply->id)
			   : path_ttl_of(flight->path, reply->id);
}

static struct tick sooner(struct tick a, struct tick b)
{
	return b.us < a.us ? b : a;
}

struct tick flight_deadline(const struct flight *flight)
{
	struct tick due =
		flight->fan ? fan_deadline(flight->fan) : path_deadline(flight->path);

	return flight->mtu_begun && flight->mtu.waiting
		       ? sooner(due, flight->mtu.deadline)
		       : due;
}

void flight_expire(struct flight *flight, struct tick now)
{
	if (flight->fan)
		fan_expire(flight->fan, now);
	else
		path_expire(flight->path, now);
	if (flight->mtu_begun)
		mtu_search_expire(&flight->mtu, now);
}

bool flight_is_over(const struct flight *flight)
{
	if (flight->rc)
		return true;
	if (flight->fan)
		return fan_is_done(flight->fan);
	return path_is_done(flight->path) && (!wants_mtu(flight) || flight->mtu.done);
}
