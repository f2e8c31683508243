#include "ledger.h"

#include "slab.h"

#define UNTIMED UINT32_MAX

bool ledger_is_other(const struct flow *flow)
{
	return flow->service == SERVICE_NAMING_OTHER && !flow->in_turn;
}

static const struct address *server_address(const struct flow *flow)
{
	return flow->client_is_low ? &flow->key.high : &flow->key.low;
}

static const struct address *client_address(const struct flow *flow)
{
	return flow->client_is_low ? &flow->key.low : &flow->key.high;
}

static uint16_t client_port(const struct flow *flow)
{
	return flow->client_is_low ? flow->key.low_port : flow->key.high_port;
}

static uint16_t server_port(const struct flow *flow)
{
	return flow->client_is_low ? flow->key.high_port : flow->key.low_port;
}

/* The window of the connection's service, or NULL when it has none. */
static struct obs_traffic *traffic_of(const struct ledger *ledger)
{
	int service = ledger->flow->service;

	return service >= 0 ? windows_traffic(ledger->windows, service) : NULL;
}

static void add(struct obs_traffic *traffic, enum obs_sketch which, int64_t value_us)
{
	(void)sketch_add(&traffic->sketches[which], (double)value_us);
}

_Static_assert(sizeof(struct flow_held) <= EXCHANGE_CELL, "what is held fits in a cell");

static struct flow_held *held_of(const struct ledger *ledger)
{
	uint32_t cell = ledger->flow->held;

	return cell == SLAB_NONE ? NULL : slab_cell(ledger->cells, cell);
}

/* Where to hold what is told until the service is known; NULL when it need not be. */
static struct flow_held *hold(struct ledger *ledger)
{
	struct flow *flow = ledger->flow;
	struct flow_held *held;

	if (flow->service != SERVICE_NAMING_UNKNOWN)
		return NULL;
	held = held_of(ledger);
	if (held)
		return held;
	flow->held = slab_take(ledger->cells);
	held = held_of(ledger);
	if (held)
		*held = (struct flow_held){0};
	return held;
}

static void drop_held(struct ledger *ledger)
{
	slab_give(ledger->cells, ledger->flow->held);
	ledger->flow->held = SLAB_NONE;
}

static void post_held(struct ledger *ledger, struct obs_traffic *traffic)
{
	const struct flow *flow = ledger->flow;
	const struct flow_held *held = held_of(ledger);

	traffic->connections += flow->connected;
	if (!held)
		return;
	traffic->sent_bytes += held->sent_bytes;
	traffic->received_bytes += held->received_bytes;
	traffic->retransmits += held->retransmits;
	traffic->lost_packets += held->lost_packets;
	if (flow->connected && held->connect_us != UNTIMED) {
		add(traffic, OBS_CONNECT, held->connect_us);
		add(traffic, OBS_RTT, held->connect_us);
	}
	if (flow->connected && held->client_connect_us != UNTIMED)
		add(traffic, OBS_CLIENT_CONNECT, held->client_connect_us);
	for (unsigned i = 0; i < held->event_count; i++)
		ledger_event(
			ledger, (enum exchange_event)held->events[i], held->values_us[i]);
}

static int16_t service_of(
	struct ledger *ledger, const struct exchange_host *host, enum obs_naming *by)
{
	const struct flow *flow = ledger->flow;
	struct service_naming_ends ends = {client_address(flow), server_address(flow),
		server_port(flow), host->port, ledger->now};

	return (int16_t)service_naming_find(ledger->naming, &ends, host, by);
}

/* Settles the connection's service, once. */
static void assign(struct ledger *ledger, const struct exchange_host *host)
{
	struct flow *flow = ledger->flow;
	struct obs_traffic *traffic;
	enum obs_naming by;

	if (flow->service != SERVICE_NAMING_UNKNOWN)
		return;
	flow->service = service_of(ledger, host, &by);
	flow->in_turn =
		host->in_turn &&
		(flow->service >= 0 || service_naming_is_watched_port(
					       ledger->naming, server_port(flow)));
	if (flow->service >= 0) {
		windows_enter(ledger->windows, flow->service);
		traffic = windows_traffic(ledger->windows, flow->service);
		traffic->named_by[by]++;
		post_held(ledger, traffic);
	}
	drop_held(ledger);
}

/* The client will not say. */
static void assign_by_address(struct ledger *ledger)
{
	const struct exchange_host nobody = {.by = OBS_BY_ADDRESS};

	assign(ledger, &nobody);
}

/* Proxies ask for one host after another by the same connection, which stays what it was
 * counted for: from here on its requests are another's. */
static void reassign(struct ledger *ledger, const struct exchange_host *host)
{
	struct flow *flow = ledger->flow;
	enum obs_naming by;
	int16_t service = service_of(ledger, host, &by);

	if (service == flow->service)
		return;
	if (service >= 0)
		windows_enter(ledger->windows, service);
	if (flow->service >= 0)
		windows_leave(ledger->windows, flow->service);
	flow->service = service;
}

void ledger_host(void *arg, const struct exchange_host *host)
{
	struct ledger *ledger = arg;

	if (ledger->flow->in_turn && host->in_turn)
		reassign(ledger, host);
	else
		assign(ledger, host);
}

void ledger_message(void *arg, enum exchange_side from, struct cursor bytes, uint32_t len,
	struct moment at)
{
	const struct ledger *ledger = arg;
	const struct flow *flow = ledger->flow;
	bool asks = from == EXCHANGE_CLIENT;
	struct dns_traffic_message message = {
		.from = asks ? client_address(flow) : server_address(flow),
		.to = asks ? server_address(flow) : client_address(flow),
		.from_port = asks ? client_port(flow) : server_port(flow),
		.to_port = asks ? server_port(flow) : client_port(flow),
		.over_tcp = true,
		.bytes = bytes,
		.len = len};

	dns_traffic_read(ledger->dns, &message, at);
}

static uint32_t held_us(int64_t value_us)
{
	return value_us < 0 || value_us >= UNTIMED ? UNTIMED : (uint32_t)value_us;
}

void ledger_connected(struct ledger *ledger, int64_t connect_us)
{
	struct flow *flow = ledger->flow;
	struct obs_traffic *traffic = traffic_of(ledger);
	struct flow_held *held = hold(ledger);

	if (connect_us >= 0)
		round_trip_note(&flow->trip, connect_us);
	flow->connected = true;
	if (held) {
		held->connect_us = held_us(connect_us);
		held->client_connect_us = UNTIMED;
	}
	if (!traffic)
		return;
	traffic->connections++;
	if (connect_us >= 0) {
		add(traffic, OBS_CONNECT, connect_us);
		add(traffic, OBS_RTT, connect_us);
	}
}

void ledger_client_connected(struct ledger *ledger, int64_t client_connect_us)
{
	struct obs_traffic *traffic = traffic_of(ledger);
	struct flow_held *held = hold(ledger);

	if (held)
		held->client_connect_us = held_us(client_connect_us);
	if (traffic)
		add(traffic, OBS_CLIENT_CONNECT, client_connect_us);
}

void ledger_bytes(struct ledger *ledger, enum exchange_side sender, uint32_t len)
{
	struct obs_traffic *traffic = traffic_of(ledger);
	struct flow_held *held = hold(ledger);

	if (traffic && sender == EXCHANGE_CLIENT)
		traffic->sent_bytes += len;
	else if (traffic)
		traffic->received_bytes += len;
	else if (held && sender == EXCHANGE_CLIENT)
		held->sent_bytes += len;
	else if (held)
		held->received_bytes += len;
}

void ledger_retransmit(struct ledger *ledger)
{
	struct obs_traffic *traffic = traffic_of(ledger);
	struct flow_held *held = hold(ledger);

	if (traffic)
		traffic->retransmits++;
	else if (held && held->retransmits < UINT16_MAX)
		held->retransmits++;
}

void ledger_lost_packet(struct ledger *ledger)
{
	struct obs_traffic *traffic = traffic_of(ledger);
	struct flow_held *held = hold(ledger);

	if (traffic)
		traffic->lost_packets++;
	else if (held && held->lost_packets < UINT16_MAX)
		held->lost_packets++;
}

void ledger_round_trip(struct ledger *ledger, int64_t rtt_us)
{
	struct obs_traffic *traffic = traffic_of(ledger);

	if (traffic)
		add(traffic, OBS_RTT, rtt_us);
}

static struct obs_traffic *assigned(struct ledger *ledger)
{
	assign_by_address(ledger);
	return traffic_of(ledger);
}

void ledger_refused(struct ledger *ledger)
{
	struct obs_traffic *traffic = assigned(ledger);

	if (traffic)
		traffic->refused++;
}

void ledger_timed_out(struct ledger *ledger)
{
	struct obs_traffic *traffic = assigned(ledger);

	if (traffic)
		traffic->timed_out++;
}

void ledger_reset(struct ledger *ledger)
{
	struct obs_traffic *traffic = assigned(ledger);

	if (traffic)
		traffic->reset++;
}

void ledger_closed(struct ledger *ledger)
{
	const struct flow_held *held = held_of(ledger);

	if (ledger->flow->connected ||
		(held && (held->sent_bytes || held->received_bytes)))
		assign_by_address(ledger);
	drop_held(ledger);
	if (ledger->flow->service >= 0)
		windows_leave(ledger->windows, ledger->flow->service);
	ledger->flow->service = SERVICE_NAMING_OTHER;
	ledger->flow->in_turn = false;
}

/* Turns inside QUIC are counted, but nobody sees what is said. */
static bool is_estimate(const struct flow *flow)
{
	return flow->key.protocol == FLOW_UDP;
}

static void count_special(int64_t *counter)
{
	*counter = *counter == OBS_ABSENT ? 1 : *counter + 1;
}

static void answered(struct ledger *ledger, struct obs_traffic *traffic, int64_t value_us)
{
	uint32_t least_us = ledger->flow->trip.least_us;
	int64_t think_us = value_us - least_us;

	traffic->responses++;
	add(traffic, OBS_RESPONSE, value_us);
	if (least_us != ROUND_TRIP_NONE)
		add(traffic, OBS_THINK, think_us > 0 ? think_us : 0);
}

static void count_status(struct obs_traffic *traffic, int64_t status)
{
	int64_t status_class = status / 100 - 1;

	if (status_class >= 0 && status_class < OBS_STATUS_CLASSES)
		traffic->statuses[status_class]++;
}

static void hold_event(struct ledger *ledger, enum exchange_event event, int64_t value_us)
{
	struct flow_held *held = hold(ledger);

	if (!held || held->event_count == EXCHANGE_EVENTS_AHEAD)
		return;
	held->events[held->event_count] = (uint8_t)event;
	held->values_us[held->event_count++] =
		value_us < UINT32_MAX ? (uint32_t)value_us : UINT32_MAX;
}

void ledger_event(void *arg, enum exchange_event event, int64_t value_us)
{
	struct ledger *ledger = arg;
	struct obs_traffic *traffic = traffic_of(ledger);

	if (!traffic) {
		hold_event(ledger, event, value_us);
		return;
	}
	switch (event) {
	case EXCHANGE_REQUEST:
		traffic->requests++;
		if (is_estimate(ledger->flow))
			count_special(&traffic->estimated);
		windows_count_peer(ledger->windows, ledger->flow->service,
			server_address(ledger->flow));
		break;
	case EXCHANGE_RESPONSE:
		answered(ledger, traffic, value_us);
		break;
	case EXCHANGE_UNTIMED:
		traffic->untimed++;
		break;
	case EXCHANGE_ANSWERED:
		traffic->responses++;
		break;
	case EXCHANGE_STATUS:
		count_status(traffic, value_us);
		break;
	case EXCHANGE_ERROR:
		traffic->errors++;
		break;
	case EXCHANGE_LAST_BYTE:
		add(traffic, OBS_LAST_BYTE, value_us);
		break;
	case EXCHANGE_MULTIPLEXED:
		count_special(&traffic->multiplexed);
		break;
	case EXCHANGE_ESTIMATED:
		count_special(&traffic->estimated);
		break;
	case EXCHANGE_RESET:
		traffic->reset++;
		break;
	case EXCHANGE_BROKEN:
		count_special(&traffic->tls_failed);
		break;
	case EXCHANGE_HANDSHAKE:
		add(traffic, OBS_TLS, value_us);
		break;
	}
}
