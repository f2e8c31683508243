#include "mtu_search.h"

/* Every IPv4 path carries 68 bytes and every IPv6 path 1280; nearly all carry 576. */
#define LEAST_V4 68
#define LEAST_V6 1280
#define TRIES 2 /* a lost packet is no proof */

/* Sizes that links really have (RFC 1191 7.1, and tunnels over Ethernet): tried after a
 * router that does not say its own, and in halving. */
static const unsigned plateaus[] = {65535, 9000, 4352, 1500, 1492, 1480, 1476, 1472, 1460,
	1450, 1440, 1420, 1400, 1380, 1350, 1300, 1280, 1006, 576, 296, 68};
#define PLATEAUS (sizeof(plateaus) / sizeof(plateaus[0]))

static void try_size(struct mtu_search *search, unsigned size)
{
	search->size = size;
	search->tries = 0;
	search->waiting = false;
}

void mtu_search_init(
	struct mtu_search *search, uint8_t family, unsigned largest, int64_t patience_us)
{
	*search = (struct mtu_search){
		.good = family == 6 ? LEAST_V6 : LEAST_V4, .patience_us = patience_us};
	try_size(search, largest);
	search->done = largest <= search->good;
}

bool mtu_search_next(
	struct mtu_search *search, struct tick now, unsigned *size, unsigned *number)
{
	if (search->done || search->waiting)
		return false;
	if (search->sent == MTU_SEARCH_PROBES) {
		search->done = true;
		return false;
	}
	*size = search->size;
	*number = search->sent++;
	search->tries++;
	search->waiting = true;
	search->deadline.us = now.us + search->patience_us;
	return true;
}

/* The largest size between that links have, or else the middle. */
static unsigned between(unsigned good, unsigned bad)
{
	for (unsigned i = 0; i < PLATEAUS; i++)
		if (plateaus[i] < bad && plateaus[i] > good)
			return plateaus[i];
	return good + (bad - good) / 2;
}

static void choose_next(struct mtu_search *search)
{
	search->waiting = false;
	if (search->bad == 0 || search->bad - search->good <= 1)
		search->done = true;
	else
		try_size(search, between(search->good, search->bad));
}

static bool is_current(const struct mtu_search *search, unsigned number)
{
	return search->waiting && number + 1 == search->sent;
}

void mtu_search_arrived(struct mtu_search *search, unsigned number)
{
	if (!is_current(search, number))
		return;
	search->good = search->size;
	/* A router that said how large a packet may be is believed once that passes. */
	if (search->limiting.family && search->size == search->limiting_mtu)
		search->bad = search->size + 1;
	choose_next(search);
}

void mtu_search_too_big(struct mtu_search *search, unsigned number,
	const struct address *from, uint16_t mtu)
{
	if (!is_current(search, number))
		return;
	search->limiting = *from;
	search->limiting_mtu = mtu;
	search->bad = search->size;
	if (mtu > search->good && mtu < search->bad)
		try_size(search, mtu);
	else
		choose_next(search);
}

void mtu_search_expire(struct mtu_search *search, struct tick now)
{
	if (!search->waiting || search->deadline.us > now.us)
		return;
	search->waiting = false;
	if (search->tries < TRIES)
		return;
	search->bad = search->size;
	choose_next(search);
}

unsigned mtu_search_result(const struct mtu_search *search)
{
	return search->done ? search->good : 0;
}
