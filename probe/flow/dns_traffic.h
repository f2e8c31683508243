/*
 * DNS as it passes by, over UDP and TCP. Every question to a server that is a watched
 * service is a request, whoever asks it: response_us runs from the first time that it was
 * asked to its answer. The same question asked again (same ends, id, name and type) is a
 * retransmit. An answer other than NOERROR and NXDOMAIN is an error; a question that is
 * not answered DNS_TRAFFIC_ANSWER_US after it was last asked has timed out; one that an
 * ICMP message quotes and says no to is refused. An answer
 * over UDP that says it is cut off waits for the same client to ask the same again, over
 * TCP or with more room: all that is one request; when it does not, this was the answer.
 *
 * Answers to questions that were seen, whichever server gave them, tell dns_names which
 * name stands for an address. Of questions nothing is kept but a number. Pure. Source:
 * RFC 1035 §4, RFC 7766 §5.
 */
#ifndef FLOW_DNS_TRAFFIC_H
#define FLOW_DNS_TRAFFIC_H

#include "astray/cursor.h"
#include "dns_names.h"
#include "service_naming.h"
#include "windows.h"

#define DNS_TRAFFIC_ANSWER_US (5 * MOMENT_SECOND_US)

struct dns_traffic;

struct dns_traffic_config {
	struct windows *windows; /* these are borrowed for its life */
	struct service_naming *naming;
	struct dns_names *names; /* NULL: none are learned */
	uint32_t lookups;        /* questions followed at once, 100 bytes each */
	uint64_t seed;
};

/* One message, as far as it was captured. */
struct dns_traffic_message {
	const struct address *from, *to;
	uint16_t from_port, to_port;
	bool over_tcp;
	struct cursor bytes;
	uint32_t len; /* as sent */
};

int dns_traffic_new(struct dns_traffic **out, const struct dns_traffic_config *config);
void dns_traffic_free(struct dns_traffic *dns);

/* Whatever is no question and no answer to one is passed over. */
void dns_traffic_read(struct dns_traffic *dns, const struct dns_traffic_message *message,
	struct moment at);
/* Somebody on the way says that this question over UDP cannot arrive: believed when it
 * waits. */
void dns_traffic_refuse(
	struct dns_traffic *dns, const struct dns_traffic_message *message);
/* Gives up those that nobody answered in time. */
void dns_traffic_sweep(struct dns_traffic *dns, struct moment now);
/* Nothing more will come. */
void dns_traffic_finish(struct dns_traffic *dns);
/* Questions whose place was needed while they waited. */
uint64_t dns_traffic_evicted(const struct dns_traffic *dns);

#endif
