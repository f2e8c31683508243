#include "socket_meter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windows.h"

/* A SYN is repeated after 1 and 3 seconds: packets lost once are not a server that does
 * not answer. */
#define TRIES_IN_VAIN 2
#define NOT_OURS (-1)
#define COUNT_MAX ((INT64_C(1) << 53) - 1) /* of the wire */

struct known {
	uint64_t cookie;           /* 0: the row is empty */
	int16_t service;           /* NOT_OURS as far as the book knows */
	uint32_t book;             /* its version then */
	bool connected, timed_out; /* and counted as such */
	uint32_t list;             /* the last that it stood in */
	uint32_t retransmits, segments_in;
	uint64_t sent_bytes, received_bytes;
};

struct socket_meter {
	struct socket_meter_counts counts;
	const struct services *services;
	const struct address_book *book;
	struct windows *windows;
	obs_emit_fn emit;
	void *emit_arg;
	uint32_t lists;                  /* that ended */
	uint8_t listening[2][65536 / 8]; /* ports, of the last list and of this one */
	unsigned limit, count, mask;
	struct known table[]; /* by hash of the cookie, with open addresses */
};

/* Of a service that cannot be found nothing is known: that is not nothing. */
static void window_ended(void *arg, const struct obs *obs)
{
	struct socket_meter *meter = arg;
	const struct service *service =
		services_find(meter->services, obs->traffic.service);

	if (!service || services_can_be_found(service))
		meter->emit(meter->emit_arg, obs);
}

int socket_meter_new(struct socket_meter **out, const struct socket_meter_config *config,
	const struct services *services, const struct address_book *book)
{
	struct windows_config windows = {.window_us = config->window_us,
		.pause_us = config->pause_us,
		.exact_ends = true,
		.method = OBS_KERNEL,
		.limit = services->count ? (unsigned)services->count
					 : config->service_limit,
		.emit = window_ended};
	struct socket_meter *meter;
	unsigned mask = 1;
	int rc;

	*out = NULL;
	while (mask < 2 * config->sockets)
		mask = mask << 1 | 1;
	meter = calloc(1, sizeof(*meter) + (mask + 1) * sizeof(meter->table[0]));
	if (!meter)
		return -ENOMEM;
	windows.emit_arg = meter;
	meter->emit = config->emit;
	meter->emit_arg = config->emit_arg;
	meter->limit = config->sockets;
	meter->mask = mask;
	meter->services = services;
	meter->book = book;
	rc = windows_new(&meter->windows, &windows, services);
	if (rc) {
		socket_meter_free(meter);
		return rc;
	}
	*out = meter;
	return 0;
}

void socket_meter_free(struct socket_meter *meter)
{
	if (!meter)
		return;
	windows_free(meter->windows);
	free(meter);
}

/* The kernel counts cookies up: the odd factor spreads them. */
static unsigned home_of(const struct socket_meter *meter, uint64_t cookie)
{
	return (unsigned)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 32) & meter->mask;
}

/* The socket's row, or the empty one where it belongs. */
static struct known *row_of(struct socket_meter *meter, uint64_t cookie)
{
	unsigned at = home_of(meter, cookie);

	while (meter->table[at].cookie && meter->table[at].cookie != cookie)
		at = (at + 1) & meter->mask;
	return &meter->table[at];
}

/* Rows behind it that belong before it move up, so that none is cut off from its home. */
static void remove_row(struct socket_meter *meter, struct known *row)
{
	unsigned hole = (unsigned)(row - meter->table);

	for (unsigned at = (hole + 1) & meter->mask; meter->table[at].cookie;
		at = (at + 1) & meter->mask) {
		unsigned home = home_of(meter, meter->table[at].cookie);

		if (((at - home) & meter->mask) < ((at - hole) & meter->mask))
			continue;
		meter->table[hole] = meter->table[at];
		hole = at;
	}
	meter->table[hole].cookie = 0;
	meter->count--;
}

static bool is_served_here(const struct socket_meter *meter, uint16_t port)
{
	return (meter->listening[0][port / 8] | meter->listening[1][port / 8]) >>
		       port % 8 &
	       1;
}

/* Where no services are configured. */
static int own_service(struct socket_meter *meter, const struct diag_message *socket)
{
	char address[ADDRESS_TEXT], name[ADDRESS_TEXT + 8];
	int number;

	if (socket->remote_port == 0 || is_served_here(meter, socket->local_port))
		return NOT_OURS;
	(void)address_text(&socket->remote, address);
	(void)snprintf(name, sizeof(name),
		socket->remote.family == 6 ? "[%s]:%u" : "%s:%u", address,
		(unsigned)socket->remote_port);
	number = windows_service(meter->windows, name);
	return number < 0 ? NOT_OURS : number;
}

static int service_of(struct socket_meter *meter, const struct diag_message *socket)
{
	int number;

	if (meter->services->count == 0)
		return own_service(meter, socket);
	number = address_book_find(meter->book, &socket->remote, socket->remote_port);
	meter->counts.shared += number == ADDRESS_BOOK_SHARED;
	return number < 0 ? NOT_OURS : number;
}

/* A counter that went back says nothing: connecting failed, and the kernel cleared it. */
static void add_growth(int64_t *sum, uint64_t now, uint64_t *before)
{
	uint64_t grown = now > *before ? now - *before : 0;

	if (now > *before)
		*before = now;
	*sum = grown < (uint64_t)(COUNT_MAX - *sum) ? *sum + (int64_t)grown : COUNT_MAX;
}

static void add_counts(
	struct socket_meter *meter, struct known *row, const struct diag_message *socket)
{
	struct obs_traffic *traffic = windows_traffic(meter->windows, row->service);
	uint64_t retransmits = row->retransmits;

	add_growth(&traffic->sent_bytes, socket->sent_bytes, &row->sent_bytes);
	add_growth(
		&traffic->received_bytes, socket->received_bytes, &row->received_bytes);
	add_growth(&traffic->retransmits, socket->retransmits, &retransmits);
	row->retransmits = (uint32_t)retransmits;
	/* Without a new segment the round trip is the old one. */
	if (row->connected && socket->rtt_us > 0 &&
		socket->segments_in != row->segments_in)
		(void)sketch_add(&traffic->sketches[OBS_RTT], socket->rtt_us);
	row->segments_in = socket->segments_in;
}

static void note_connected(struct socket_meter *meter, struct known *row)
{
	if (row->connected)
		return;
	row->connected = true;
	windows_traffic(meter->windows, row->service)->connections++;
}

static void note_tries(
	struct socket_meter *meter, struct known *row, const struct diag_message *socket)
{
	if (row->timed_out || socket->tries < TRIES_IN_VAIN)
		return;
	row->timed_out = true;
	windows_traffic(meter->windows, row->service)->timed_out++;
}

/* Was there before anybody looked: nothing of it is new. */
static void take_as_it_is(struct known *row, const struct diag_message *socket)
{
	row->connected = socket->state == DIAG_MESSAGE_CONNECTED;
	row->sent_bytes = socket->sent_bytes;
	row->received_bytes = socket->received_bytes;
	row->retransmits = socket->retransmits;
	row->segments_in = socket->segments_in;
}

/* Whose it is may become known only later; what it did before is not counted then. */
static void assign(
	struct socket_meter *meter, struct known *row, const struct diag_message *socket)
{
	row->book = address_book_version(meter->book);
	row->service = (int16_t)service_of(meter, socket);
	if (row->service != NOT_OURS)
		windows_enter(meter->windows, row->service);
}

static struct known *begin(
	struct socket_meter *meter, struct known *row, const struct diag_message *socket)
{
	bool unseen = meter->lists == 0 && socket->state == DIAG_MESSAGE_DESTROYED;

	if (unseen)
		return NULL;
	if (meter->count == meter->limit) {
		meter->counts.refused_sockets++;
		return NULL;
	}
	meter->count++;
	*row = (struct known){.cookie = socket->cookie};
	assign(meter, row, socket);
	if (meter->lists == 0)
		take_as_it_is(row, socket);
	return row;
}

static void forget(struct socket_meter *meter, struct known *row)
{
	if (row->service != NOT_OURS)
		windows_leave(meter->windows, row->service);
	remove_row(meter, row);
}

/* Its connecting failed: answered by a segment, or so soon that there was no second try,
 * after which the kernel forgets the port. Else it was given up from this side. */
static bool was_refused(const struct known *row, const struct diag_message *socket)
{
	return !row->timed_out && (socket->segments_in > 0 || socket->remote_port == 0);
}

static void end(
	struct socket_meter *meter, struct known *row, const struct diag_message *socket)
{
	if (row->service != NOT_OURS) {
		if (socket->was_connected)
			note_connected(meter, row);
		add_counts(meter, row, socket);
		if (!row->connected && was_refused(row, socket))
			windows_traffic(meter->windows, row->service)->refused++;
	}
	forget(meter, row);
}

static void follow(
	struct socket_meter *meter, struct known *row, const struct diag_message *socket)
{
	row->list = meter->lists;
	if (row->service == NOT_OURS && row->book != address_book_version(meter->book)) {
		assign(meter, row, socket);
		take_as_it_is(row, socket);
	}
	if (row->service == NOT_OURS)
		return;
	if (socket->state == DIAG_MESSAGE_CONNECTS)
		note_tries(meter, row, socket);
	else
		note_connected(meter, row);
	add_counts(meter, row, socket);
}

void socket_meter_hear(struct socket_meter *meter, const struct diag_message *socket)
{
	uint16_t port = socket->local_port;
	struct known *row;

	meter->counts.sockets++;
	if (socket->state == DIAG_MESSAGE_LISTENS)
		meter->listening[1][port / 8] |= (uint8_t)(1u << port % 8);
	if (!socket->counted || socket->is_own || !socket->cookie ||
		!socket->remote.family || socket->state < DIAG_MESSAGE_CONNECTS)
		return;
	row = row_of(meter, socket->cookie);
	if (!row->cookie)
		row = begin(meter, row, socket);
	if (!row)
		return;
	if (socket->state == DIAG_MESSAGE_DESTROYED)
		end(meter, row, socket);
	else
		follow(meter, row, socket);
}

void socket_meter_list_ended(struct socket_meter *meter)
{
	for (unsigned at = 0; at <= meter->mask;) {
		struct known *row = &meter->table[at];

		/* A list is not made at one moment: one may be missing in it that is
		 * still there. Its place may hold another one then. */
		if (row->cookie && meter->lists - row->list > 1)
			forget(meter, row);
		else
			at++;
	}
	meter->lists++;
	memcpy(meter->listening[0], meter->listening[1], sizeof(meter->listening[0]));
	memset(meter->listening[1], 0, sizeof(meter->listening[1]));
}

void socket_meter_advance(struct socket_meter *meter, struct moment now)
{
	windows_advance(meter->windows, now);
}

void socket_meter_finish(struct socket_meter *meter)
{
	windows_finish(meter->windows);
}

void socket_meter_count(
	const struct socket_meter *meter, struct socket_meter_counts *counts)
{
	*counts = meter->counts;
	counts->refused_services = windows_refused_services(meter->windows);
}
