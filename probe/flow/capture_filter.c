#include "capture_filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "unwrap.h"

/* The kernel takes 4096 instructions; a term costs about a dozen. */
#define TERMS_MAX 128
#define ADDRESSES_MAX SERVICE_ADDRESSES /* of one service */

/* That are looked for in what ICMP quotes. */
#define PORTS_MAX 32

struct text {
	char *buf;
	size_t len;
	unsigned terms;
};

__attribute__((format(printf, 2, 3))) static void add(
	struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(
		text->buf + text->len, CAPTURE_FILTER_MAX - text->len, format, args);
	va_end(args);
	if (len > 0)
		text->len += (size_t)len;
	if (text->len >= CAPTURE_FILTER_MAX)
		text->len = CAPTURE_FILTER_MAX - 1;
	text->terms++;
}

static const char *joint(const struct text *text)
{
	return text->terms ? " or " : "";
}

static void add_port(struct text *text, uint16_t port)
{
	char term[32];

	/* Services share ports: each is named once. */
	(void)snprintf(term, sizeof(term), "(port %u)", (unsigned)port);
	if (!strstr(text->buf, term))
		add(text, "%s%s", joint(text), term);
}

static void add_addresses(struct text *text, const struct service *service,
	const struct address *addresses, unsigned count)
{
	char address[ADDRESS_TEXT];

	for (unsigned p = 0; p < service->port_count; p++)
		for (unsigned a = 0; a < count; a++)
			add(text, "%s(host %s and port %u)", joint(text),
				address_text(&addresses[a], address),
				(unsigned)service->ports[p]);
}

static bool has_suffixes(const struct service *service)
{
	for (unsigned i = 0; i < service->host_count; i++)
		if (service->hosts[i][0] == '*')
			return true;
	return false;
}

/* Where its connections go to, as far as that is known: 0 when it is not. */
static unsigned addresses_of(const struct services *services, size_t place,
	const struct address_book *book, struct address out[static ADDRESSES_MAX])
{
	const struct service *service = &services->list[place];
	unsigned count;

	if (service->host_count == 0) {
		memcpy(out, service->addresses,
			service->address_count * sizeof(service->addresses[0]));
		return service->address_count;
	}
	if (!book || has_suffixes(service))
		return 0;
	count = address_book_list(book, (unsigned)place, out, ADDRESSES_MAX);
	return count <= ADDRESSES_MAX ? count : 0;
}

static void add_service(struct text *text, const struct services *services, size_t place,
	const struct address_book *book)
{
	const struct service *service = &services->list[place];
	struct address addresses[ADDRESSES_MAX];
	unsigned count = addresses_of(services, place, book, addresses);

	if (count > 0) {
		add_addresses(text, service, addresses, count);
		return;
	}
	for (unsigned p = 0; p < service->port_count; p++)
		add_port(text, service->ports[p]);
}

struct ports {
	unsigned count; /* more than PORTS_MAX: too many to be named */
	uint16_t list[PORTS_MAX];
};

static void note_port(struct ports *ports, uint16_t port)
{
	for (unsigned i = 0; i < ports->count && i < PORTS_MAX; i++)
		if (ports->list[i] == port)
			return;
	if (ports->count < PORTS_MAX)
		ports->list[ports->count] = port;
	ports->count++;
}

static void add_quoted_ports(
	struct text *text, const struct ports *ports, const char *place)
{
	if (ports->count == 0 || ports->count > PORTS_MAX)
		return;
	for (unsigned i = 0; i < ports->count; i++)
		add(text, "%s%s = %u", i ? " or " : " and (", place,
			(unsigned)ports->list[i]);
	add(text, ")");
}

/* That a packet could not arrive, ICMP says; of packets to other ports it says nothing
 * that we need. They stand at these places unless the quoted packet had options. */
static void add_quotes(struct text *text, const struct ports *ports)
{
	add(text, " or (icmp[0] = 3");
	add_quoted_ports(text, ports, "icmp[30:2]");
	add(text, ") or (icmp6 and ip6[40] = 1");
	add_quoted_ports(text, ports, "ip6[90:2]");
	add(text, ")");
}

/* The text behind the services' terms, whose number no longer matters. */
static void add_odd_packets(struct text *text, unsigned tunnels)
{
	add(text, " or (ip[6:2] & 0x3fff != 0)"
		  " or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51"
		  " or ip6[6] = 60 or ip6[6] = 135))"
		  " or (ether proto 0x8100) or (ether proto 0x88a8)"
		  " or (ether proto 0x8847) or (ether proto 0x8848)"
		  " or (ether proto 0x8864)");
	if (tunnels & UNWRAP_GRE)
		add(text, " or (ip proto 47) or (ip6 proto 47)");
	if (tunnels & UNWRAP_IP_IN_IP)
		add(text, " or (ip proto 4) or (ip proto 41) or (ip6 proto 4)"
			  " or (ip6 proto 41)");
	if (tunnels & UNWRAP_VXLAN)
		add(text, " or (udp port 4789) or (udp port 8472)");
	if (tunnels & UNWRAP_GENEVE)
		add(text, " or (udp port 6081)");
}

const char *capture_filter_build(char buf[static CAPTURE_FILTER_MAX],
	const struct services *services, unsigned tunnels, bool names,
	const struct address_book *book)
{
	struct text text = {.buf = buf};
	struct ports ports = {0};

	buf[0] = 0;
	for (size_t i = 0; i < services->count && text.terms <= TERMS_MAX; i++) {
		add_service(&text, services, i, book);
		for (unsigned p = 0; p < services->list[i].port_count; p++)
			note_port(&ports, services->list[i].ports[p]);
	}
	if (text.terms == 0 || text.terms > TERMS_MAX) {
		text.len = 0;
		ports.count = 0;
		add(&text, "(tcp) or (udp)");
	}
	if (names)
		add(&text, " or (port 53)");
	if (names && ports.count)
		note_port(&ports, 53);
	add_quotes(&text, &ports);
	add_odd_packets(&text, tunnels);
	return buf;
}
